// Addresses of HTTP tools: read by libcurl's own parser, the one that connects later, so that no text means one host to a check
// and another to the connection. Pure values, any thread.
#pragma once

#include "core/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::tools {

inline constexpr std::size_t max_url_bytes = 8192;

/// http or https, without user name, password and fragment.
struct http_url {
  std::string text;    ///< normalised, ASCII only
  std::string scheme;  ///< http or https
  std::string host;    ///< lower case; an address in its usual form, IPv6 in brackets; without a dot at its end
  std::uint16_t port = 0;

  /// RFC 6454 §5
  [[nodiscard]] bool has_origin_of(const http_url& other) const noexcept {
    return scheme == other.scheme && host == other.host && port == other.port;
  }
  [[nodiscard]] std::string origin() const { return scheme + "://" + host + ":" + std::to_string(port); }
};

/// The error's text, for the model, names the text and what was expected.
[[nodiscard]] core::result<http_url> parse_url(std::string_view text);
/// What a `location` header says, seen from `base` (RFC 9110 §10.2.2).
[[nodiscard]] core::result<http_url> resolve_url(const http_url& base, std::string_view location);

/// The hosts a tool may reach. An empty list holds all of them.
class host_list {
 public:
  host_list() = default;
  /// Names, addresses, and `*.example.org` for all names below one. The error names the entry.
  [[nodiscard]] static core::result<host_list> parse(const std::vector<std::string>& entries);
  [[nodiscard]] bool holds(std::string_view host) const noexcept;

 private:
  std::vector<std::string> entries_;  ///< normalised; those that begin with a dot stand for what is below them
};

}  // namespace troupe::tools
