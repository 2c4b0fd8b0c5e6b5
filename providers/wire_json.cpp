#include "providers/wire_json.hpp"

#include "providers/utf8.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>

namespace troupe::providers {

namespace json = boost::json;

std::string_view text_at(const json::object& object, std::string_view key) {
  auto* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string_view(value->get_string()) : std::string_view{};
}

const json::object* object_at(const json::object& object, std::string_view key) {
  auto* value = object.if_contains(key);
  return value == nullptr ? nullptr : value->if_object();
}

std::int64_t count_at(const json::object& object, std::string_view key) {
  constexpr std::int64_t most = 1'000'000'000;
  auto* value = object.if_contains(key);
  if (value == nullptr) return 0;
  if (value->is_int64()) return std::clamp<std::int64_t>(value->get_int64(), 0, most);
  if (value->is_uint64()) return most;
  if (value->is_double()) return static_cast<std::int64_t>(std::clamp(value->get_double(), 0.0, 1e9));
  return 0;
}

json::value object_in(std::string_view text, bool any_bytes, json::storage_ptr memory) {
  json::parse_options options;
  options.max_depth = max_json_depth;
  options.allow_invalid_utf8 = any_bytes;
  boost::system::error_code ec;
  auto value = json::parse(text, ec, std::move(memory), options);
  return ec || !value.is_object() ? json::value(nullptr) : value;
}

json::string text_of(std::string_view bytes) {
  if (scan_utf8(bytes).valid == bytes.size()) return json::string(bytes);
  return json::string(to_utf8(bytes));
}

}  // namespace troupe::providers
