#include "transport/net/http_response.hpp"

#include "transport/net/http_target.hpp"

#include <boost/beast/http/status.hpp>

#include <algorithm>
#include <array>

namespace troupe::transport {

namespace {

using header_list = std::vector<std::pair<std::string, std::string>>;

constexpr std::array<std::string_view, 3> ours{"Content-Length", "Connection", "Transfer-Encoding"};

bool is_token(std::string_view name) noexcept {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || marks.find(c) != marks.npos;
  });
}

bool is_safe_value(std::string_view value) noexcept { return value.find_first_of(std::string_view("\r\n\0", 3)) == value.npos; }

std::string status_line(int status) {
  if (status < 200 || status > 599) status = 500;
  const auto reason = boost::beast::http::obsolete_reason(boost::beast::http::int_to_status(static_cast<unsigned>(status)));
  return "HTTP/1.1 " + std::to_string(status) + " " + std::string(reason.data(), reason.size()) + "\r\n";
}

void append_fields(std::string& out, const header_list& headers) {
  for (const auto& [name, value] : headers) {
    const bool is_ours =
        std::any_of(ours.begin(), ours.end(), [&key = name](auto mine) { return equal_ignoring_case(key, mine); });
    if (!is_ours && is_token(name) && is_safe_value(value)) out.append(name).append(": ").append(value).append("\r\n");
  }
}

}  // namespace

bool has_content_type(const header_list& headers) noexcept {
  return std::any_of(headers.begin(), headers.end(),
                     [](const auto& field) { return equal_ignoring_case(field.first, "content-type"); });
}

bool may_have_body(int status) noexcept { return status != 204 && status != 304; }

std::string response_head(const http_response& response, const request_traits& to) {
  auto out = status_line(response.status);
  if (may_have_body(response.status)) {
    if (!response.content_type.empty() && is_safe_value(response.content_type))
      out.append("Content-Type: ").append(response.content_type).append("\r\n");
    out.append("Content-Length: ").append(std::to_string(response.body.size())).append("\r\n");
  }
  append_fields(out, response.headers);
  if (!to.keep_alive)
    out.append("Connection: close\r\n");
  else if (!to.is_http_1_1)
    out.append("Connection: keep-alive\r\n");
  return out.append("\r\n");
}

std::string stream_head(const header_list& headers, const request_traits& to) {
  auto out = status_line(200);
  if (!has_content_type(headers)) out.append("Content-Type: text/event-stream\r\n");
  out.append("Cache-Control: no-cache\r\nX-Accel-Buffering: no\r\nConnection: close\r\n");
  if (to.is_http_1_1) out.append("Transfer-Encoding: chunked\r\n");
  append_fields(out, headers);
  return out.append("\r\n");
}

}  // namespace troupe::transport
