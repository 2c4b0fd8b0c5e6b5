#include "providers/upstream_error.hpp"
#include "providers/websocket_upstream.hpp"
#include "providers/wire_json.hpp"

#include <boost/json/monotonic_resource.hpp>

namespace troupe::providers {

namespace json = boost::json;

namespace {

constexpr std::size_t kept_message_capacity = 16 << 10;

/// RFC 6455 §7.4.1: the same request would be closed the same way (protocol error, data type, bad data, policy, too big).
bool blames_us(unsigned code) { return code == 1002 || code == 1003 || (code >= 1007 && code <= 1009); }

/// Of a message of type `error`, or of one without a type that has such a field.
upstream_error error_in(const json::value& message) {
  auto error = upstream_error_of(message, "error").value_or(upstream_error{});
  for (auto key : {"content", "detail"})
    if (error.text.empty()) error.text = bounded_text(text_at(message.get_object(), key), 500);
  if (error.text.empty()) error.text = "the upstream sent an error without a text";
  return error;
}

}  // namespace

void websocket_parser::feed(std::string_view bytes, model_output& out) {
  if (has_ended()) return;
  if (bytes.size() > max_message_ - message_.size())
    return answer_.malformed("sent a message of more than " + std::to_string(max_message_) + " bytes", out);
  message_ += bytes;
}

void websocket_parser::finish_message(model_output& out) {
  if (has_ended()) return;
  {
    unsigned char buffer[4096];
    json::monotonic_resource memory(buffer, sizeof(buffer));
    // A character may be cut between two chunks; the answer puts it together.
    auto message = object_in(message_, true, &memory);
    if (message.is_null())
      answer_.malformed("sent a message that is not a JSON object: " + bounded_text(message_, 80), out);
    else
      take(message, out);
  }
  message_.clear();
  if (message_.capacity() > kept_message_capacity) message_.shrink_to_fit();
}

void websocket_parser::take(const json::value& message, model_output& out) {
  const auto& fields = message.get_object();
  auto type = text_at(fields, "type");
  if (type == "message_chunk") return answer_.add_text(text_at(fields, "content"), out);
  if (type == "end") {
    if (auto* usage = object_at(fields, "usage"))
      answer_.set_usage({count_at(*usage, "prompt_tokens"), 0, count_at(*usage, "completion_tokens")}, out);
    return answer_.complete(out);
  }
  if (type != "error" && (!type.empty() || !upstream_error_of(message))) return;
  auto error = error_in(message);
  answer_.fail({core::errc::provider_error, std::move(error.text)}, error.retryable, out);
}

void websocket_parser::close(unsigned code, std::string_view words, model_output& out) {
  std::string why;
  if (code != 0) why = " (code " + std::to_string(code) + (words.empty() ? "" : ": " + bounded_text(words, 123)) + ")";
  answer_.fail({core::errc::provider_error,
                "the upstream closed the connection" + why + " before its end marker; the answer may be incomplete"},
               !blames_us(code), out);
}

std::optional<websocket_url> websocket_url::parse(std::string_view text) {
  websocket_url to;
  to.is_secure = text.starts_with("wss://");
  if (!to.is_secure && !text.starts_with("ws://")) return std::nullopt;
  text.remove_prefix(text.find("://") + 3);
  for (char c : text)
    if (static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7F || c == '#') return std::nullopt;
  auto authority = text.substr(0, text.find_first_of("/?"));
  to.authority = authority;
  to.target = text.substr(authority.size());
  if (!to.target.starts_with('/')) to.target.insert(0, 1, '/');
  auto host_end = authority.starts_with('[') ? authority.find(']') : authority.find(':');
  if (authority.starts_with('[')) {
    if (host_end == std::string_view::npos) return std::nullopt;
    to.host = authority.substr(1, host_end - 1);
    ++host_end;
  } else {
    to.host = authority.substr(0, host_end);
  }
  auto rest = host_end >= authority.size() ? std::string_view{} : authority.substr(host_end);
  to.port = to.is_secure ? "443" : "80";
  if (!rest.empty()) {
    to.port = rest.substr(1);
    if (!rest.starts_with(':') || to.port.empty() || to.port.size() > 5 ||
        to.port.find_first_not_of("0123456789") != std::string::npos || std::stoi(to.port) > 65'535)
      return std::nullopt;
  }
  if (to.host.empty() || to.host.find('@') != std::string::npos) return std::nullopt;
  return to;
}

}  // namespace troupe::providers
