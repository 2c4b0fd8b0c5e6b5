#include "tools/http/response.hpp"

#include "tools/http/body_text.hpp"
#include "tools/text.hpp"
#include "tools/text_encoding.hpp"

#include <algorithm>

namespace troupe::tools {

namespace {

using providers::transfer_result;

constexpr std::size_t max_shown_value = 500;
constexpr std::size_t room_for_words = 16 << 10;  // of max_output_bytes: head and notes

bool is_safe(std::string_view method) noexcept { return method == "GET" || method == "HEAD" || method == "OPTIONS"; }

/// Without the quotes of `quoted`, for a line of its own.
std::string shown(std::string_view value) {
  auto text = tools::quoted(value, max_shown_value);
  return text.substr(1, text.size() - 2);
}

/// What kept the response from coming, in words.
std::string trouble_of(const incoming_response& in, const exchange_rules& rules) {
  auto host = tools::quoted(in.url.host + ":" + std::to_string(in.url.port));
  auto words = in.end.text.empty() ? std::string("no reason was given") : shown(in.end.text);
  auto limit = std::to_string(rules.time_limit.count()) + " ms, the time limit of `" + rules.tool + "`";
  switch (in.end.result) {
    case transfer_result::forbidden_address:
      return host + " is at an address that is private, local or otherwise not public, which `" + rules.tool +
             "` may not reach. Use a public one; an operator can set `allow_private` for this tool.";
    case transfer_result::unreachable:
      return host + " cannot be reached: " + words + ". Check the URL and that the server runs.";
    case transfer_result::untrusted:
      return "The TLS handshake with " + host + " failed: " + words +
             ". Check the name in the URL; an operator can give the issuer's certificate as `ca_file`.";
    case transfer_result::bad_request:
      return "The request to " + host + " cannot be sent: " + words + ".";
    case transfer_result::connect_timeout:
      return host + " did not accept a connection in time: " + words + ".";
    case transfer_result::first_byte_timeout:
    case transfer_result::idle_timeout:
    case transfer_result::total_timeout:
      return host + " did not end its response within " + limit + ".";
    default:
      return "The connection to " + host + " broke before the response was whole: " + words + ".";
  }
}

bool may_have_acted(const incoming_response& in) noexcept {
  auto r = in.end.result;
  return in.status == 0 && !is_safe(in.method) &&
         (r == transfer_result::broken || r == transfer_result::first_byte_timeout || r == transfer_result::idle_timeout ||
          r == transfer_result::total_timeout);
}

std::string head_of(const incoming_response& in, const exchange_rules& rules) {
  auto out = "HTTP " + std::to_string(in.status) + "\n";
  if (!rules.is_open) return out;
  if (in.redirects > 0) out += "redirected to: " + shown(in.url.text) + "\n";
  for (const auto& [name, value] : in.headers)
    if (name != "content-length" || in.method == "HEAD") out += name + ": " + shown(value) + "\n";
  return out;
}

std::string size_of(const incoming_response& in) {
  return in.is_cut ? "more than " + std::to_string(in.body.size()) + " bytes" : std::to_string(in.body.size()) + " bytes";
}

/// The body as the model gets it; a picture or document goes to `files`.
std::string body_of(incoming_response& in, const exchange_rules& rules, std::vector<tool_file>& files) {
  auto type = media_type_of(in.content_type);
  if (type.is_file() && !in.is_cut && in.end.result == transfer_result::closed) {
    auto said = "(The body is attached: " + type.essence + ", " + size_of(in) + ".)";
    files.push_back({"response." + std::string(type.subtype()), type.essence, std::move(in.body)});
    return said;
  }
  bool is_partial = in.is_cut || in.end.result != transfer_result::closed;
  auto text = type.is_file() ? std::nullopt : text_of_body(in.body, type, is_partial);
  if (!text) {
    auto said = "(The body is not text that this tool can read: " + std::string(kind_of_binary(in.body)) + ", " + size_of(in);
    if (!in.content_type.empty()) said += ", content type " + tools::quoted(in.content_type);
    return said + ".)";
  }
  auto room = std::min(rules.max_body, max_output_bytes - room_for_words);
  bool is_cut = in.is_cut || text->size() > room;
  if (text->size() > room) text->resize(cut_text(*text, room).size());
  if (is_cut)
    *text += "\n(cut: the body is longer than the " + std::to_string(room) + " bytes that `" + rules.tool + "` gives)";
  return std::move(*text);
}

}  // namespace

const std::vector<std::string>& shown_headers() {
  static const std::vector<std::string> names{
      "content-type",  "content-length", "content-disposition", "location",   "link", "etag",
      "last-modified", "allow",          "www-authenticate",    "retry-after"};
  return names;
}

tool_result result_of(incoming_response in, const exchange_rules& rules) {
  tool_result out;
  bool has_ended = in.end.result == transfer_result::closed;
  if (!in.stopped_by.empty()) {
    out.output = head_of(in, rules) + "\nThis redirect was not followed: " + in.stopped_by + ".";
    return out;
  }
  if (!has_ended) out.output = trouble_of(in, rules);
  if (may_have_acted(in)) out.output += " Whether the server has acted on the request is not known.";
  if (in.status == 0) return out;

  out.ok = has_ended && in.status < 400;
  bool has_body = !in.body.empty();
  auto body = has_body ? body_of(in, rules, out.files) : std::string();
  if (!has_ended) out.output += "\n\nWhat came of it:\n";
  if (rules.is_open || !out.ok || !has_body) out.output += head_of(in, rules);
  if (has_body && !out.output.empty()) out.output += "\n";
  out.output += body;
  if (!out.ok) out.files.clear();
  return out;
}

}  // namespace troupe::tools
