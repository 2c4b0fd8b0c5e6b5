// The head of an HTTP answer as text. Pure, any thread.
#pragma once

#include "transport/net/http_parser.hpp"
#include "transport/net/server.hpp"

#include <string>

namespace troupe::transport {

/// Status line and header fields with the blank line. Content-Length, Connection and Transfer-Encoding are written here and
/// nowhere else; fields that could split the answer are left out.
[[nodiscard]] std::string response_head(const http_response& response, const request_traits& to);
/// The same for an event stream, or for another Content-Type among `headers`; chunked unless the client speaks HTTP/1.0.
[[nodiscard]] std::string stream_head(const std::vector<std::pair<std::string, std::string>>& headers,
                                      const request_traits& to);
[[nodiscard]] bool has_content_type(const std::vector<std::pair<std::string, std::string>>& headers) noexcept;
/// False for answers that never have a body (RFC 9110 §6.4.1).
[[nodiscard]] bool may_have_body(int status) noexcept;

}  // namespace troupe::transport
