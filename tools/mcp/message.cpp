#include "tools/mcp/message.hpp"

#include "tools/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parser.hpp>
#include <boost/json/serialize.hpp>

namespace troupe::tools::mcp {

namespace json = boost::json;
using core::errc;
using core::error;

namespace {

constexpr std::size_t max_error_text = 2'000;

core::result<message> take_message(json::value&& value) {
  auto wrong = [](const char* what) { return error{errc::parse_error, std::string("not a JSON-RPC message: ") + what}; };
  auto* object = value.if_object();
  if (object == nullptr) return wrong("it is no object");
  if (text_at(*object, "jsonrpc") != "2.0") return wrong("`jsonrpc` is not \"2.0\"");
  message out;
  auto* id = object->if_contains("id");
  if (auto* method = object->if_contains("method")) {
    if (!method->is_string()) return wrong("`method` is no text");
    out.method = method->get_string();
    if (auto* params = object->if_contains("params"); params != nullptr && params->is_object())
      out.params = std::move(params->get_object());
    if (id == nullptr) return out;
    if (!id->is_string() && !id->is_number()) return wrong("`id` is neither a number nor a text");
    out.is = message::kind::request;
    out.peer_id = std::move(*id);
    return out;
  }
  if (id != nullptr && id->is_int64()) out.id = id->get_int64();
  if (auto* result = object->if_contains("result")) {
    if (!result->is_object()) return wrong("`result` is no object");
    out.is = message::kind::result;
    out.result = std::move(result->get_object());
    return out;
  }
  const auto* failure = object_at(*object, "error");
  if (failure == nullptr) return wrong("it has neither `method`, `result` nor `error`");
  out.is = message::kind::error;
  if (const auto* code = failure->if_contains("code"); code != nullptr && code->is_int64()) out.code = code->get_int64();
  out.text = readable(text_at(*failure, "message"), max_error_text);
  if (const auto* data = failure->if_contains("data")) out.data = *data;
  return out;
}

std::string encode(json::object object) {
  object.emplace("jsonrpc", "2.0");
  return json::serialize(object);
}

}  // namespace

core::result<std::vector<message>> parse_messages(std::string_view text) {
  if (text.size() > max_message_bytes)
    return error{errc::payload_too_large, "a message of " + std::to_string(text.size()) + " bytes; at most " +
                                              std::to_string(max_message_bytes) + " are taken"};
  json::parse_options options;
  options.max_depth = max_message_depth;
  json::parser parser({}, options);
  boost::system::error_code failure;
  auto consumed = parser.write_some(text.data(), text.size(), failure);
  if (!failure && text.find_first_not_of(" \t\r\n", consumed) != std::string_view::npos)
    failure = make_error_code(json::error::extra_data);
  if (failure) return error{errc::parse_error, "not JSON: " + failure.message()};
  auto value = parser.release();
  std::vector<message> out;
  auto* batch = value.if_array();
  if (batch != nullptr && (batch->empty() || batch->size() > max_batch))
    return error{errc::parse_error, "a batch of " + std::to_string(batch->size()) + " messages"};
  for (std::size_t i = 0, n = batch == nullptr ? 1 : batch->size(); i < n; ++i) {
    auto one = take_message(std::move(batch == nullptr ? value : (*batch)[i]));
    if (!one) return one.error();
    out.push_back(std::move(*one));
  }
  return out;
}

std::string request_text(std::int64_t id, std::string_view method, json::object params) {
  json::object out;
  out.emplace("id", id);
  out.emplace("method", method);
  out.emplace("params", std::move(params));
  return encode(std::move(out));
}

std::string notification_text(std::string_view method, json::object params) {
  json::object out;
  out.emplace("method", method);
  if (!params.empty()) out.emplace("params", std::move(params));
  return encode(std::move(out));
}

std::string result_text(json::value peer_id, json::object result) {
  json::object out;
  out.emplace("id", std::move(peer_id));
  out.emplace("result", std::move(result));
  return encode(std::move(out));
}

std::string error_text(json::value peer_id, std::int64_t code, std::string_view text) {
  json::object failure;
  failure.emplace("code", code);
  failure.emplace("message", text);
  json::object out;
  out.emplace("id", std::move(peer_id));
  out.emplace("error", std::move(failure));
  return encode(std::move(out));
}

std::string readable(std::string_view text, std::size_t bytes) {
  std::string out(cut_text(text, bytes));
  for (char& c : out)
    if (c == '\0') c = '?';
  return out;
}

const json::object* object_at(const json::object& from, std::string_view key) {
  const auto* found = from.if_contains(key);
  return found == nullptr ? nullptr : found->if_object();
}

std::string_view text_at(const json::object& from, std::string_view key) {
  const auto* found = from.if_contains(key);
  if (found == nullptr || !found->is_string()) return {};
  return {found->get_string().data(), found->get_string().size()};
}

}  // namespace troupe::tools::mcp
