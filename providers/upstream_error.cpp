#include "providers/upstream_error.hpp"

#include "providers/utf8.hpp"
#include "providers/wire_json.hpp"

#include <boost/json.hpp>

#include <charconv>

namespace troupe::providers {

namespace json = boost::json;

namespace {

constexpr std::size_t max_error_text = 500;

bool is_retryable_error(const json::object& error) {
  if (auto* code = error.if_contains("code"); code != nullptr) {
    if (code->is_int64()) return is_retryable_status(static_cast<long>(code->get_int64()));
    auto text = code->is_string() ? std::string_view(code->get_string()) : std::string_view{};
    long status = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), status).ptr == text.data() + text.size() && status > 0)
      return is_retryable_status(status);
  }
  for (auto key : {"type", "code"}) {
    auto word = text_at(error, key);
    for (auto known : {"server_error", "api_error", "overloaded", "rate_limit", "timeout", "unavailable"})
      if (word.find(known) != std::string_view::npos) return true;
  }
  return false;
}

bool is_out_of_money(const json::object& error) {
  return text_at(error, "code") == "insufficient_quota" || text_at(error, "type") == "insufficient_quota";
}

const json::object* error_object(const json::value& body) {
  auto* value = &body;
  if (value->is_array() && !value->get_array().empty()) value = &value->get_array().front();
  auto* object = value->if_object();
  auto* error = object == nullptr ? nullptr : object->if_contains("error");
  return error == nullptr ? nullptr : error->if_object();
}

}  // namespace

bool is_retryable_status(long status) noexcept {
  return status == 408 || status == 409 || status == 429 || (status >= 500 && status < 600);
}

std::optional<upstream_error> upstream_error_of(const json::value& body, std::string_view name) {
  if (auto* error = error_object(body)) {
    auto text = text_at(*error, "message");
    if (text.empty()) text = text_at(*error, "code");
    return upstream_error{bounded_text(text, max_error_text), is_retryable_error(*error) && !is_out_of_money(*error)};
  }
  auto* object = body.if_object();
  if (object == nullptr) return std::nullopt;
  if (auto text = text_at(*object, "error"); !text.empty()) return upstream_error{bounded_text(text, max_error_text), false};
  if (name != "error" && text_at(*object, "object") != "error") return std::nullopt;
  return upstream_error{bounded_text(text_at(*object, "message"), max_error_text), is_retryable_error(*object)};
}

upstream_error upstream_error_of_response(long status, std::string_view body) {
  upstream_error out{{}, is_retryable_status(status)};
  boost::system::error_code ec;
  json::parse_options options;
  options.max_depth = max_json_depth;
  options.allow_invalid_utf8 = true;
  auto value = json::parse(body, ec, {}, options);
  if (ec) return out;
  if (auto* error = error_object(value); error != nullptr && is_out_of_money(*error)) out.retryable = false;
  if (auto said = upstream_error_of(value, "error")) out.text = std::move(said->text);
  if (auto* object = value.if_object(); object != nullptr && out.text.empty())
    out.text = bounded_text(text_at(*object, "detail"), max_error_text);
  return out;
}

}  // namespace troupe::providers
