#include "core/command.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>

namespace troupe::core {

namespace {
constexpr std::array<std::string_view, 5> names{"queue", "reject", "interrupt", "steer", "merge"};
}

std::string_view to_string(busy_policy v) noexcept { return names[static_cast<std::size_t>(v) % names.size()]; }

std::optional<busy_policy> busy_policy_from(std::string_view text) noexcept {
  auto it = std::find(names.begin(), names.end(), text);
  if (it == names.end()) return std::nullopt;
  return static_cast<busy_policy>(it - names.begin());
}

std::string to_text(const message_options& options) {
  boost::json::object o;
  if (options.temperature) o.emplace("temperature", *options.temperature);
  if (options.max_output_tokens) o.emplace("max_output_tokens", *options.max_output_tokens);
  return o.empty() ? std::string() : boost::json::serialize(o);
}

message_options message_options_from(std::string_view text) {
  message_options out;
  boost::json::error_code ec;
  auto value = boost::json::parse(boost::json::string_view(text.data(), text.size()), ec);
  if (ec || !value.is_object()) return out;
  if (const auto* v = value.get_object().if_contains("temperature")) {
    auto number = v->to_number<double>(ec);
    if (!ec) out.temperature = number;
  }
  if (const auto* v = value.get_object().if_contains("max_output_tokens")) {
    auto number = v->to_number<std::uint32_t>(ec);
    if (!ec) out.max_output_tokens = number;
  }
  return out;
}

}  // namespace troupe::core
