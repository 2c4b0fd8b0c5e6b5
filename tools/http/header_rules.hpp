// Headers of requests: what a model or a configuration may set, and how they are written for libcurl. Pure, any thread.
#pragma once

#include "core/error.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace troupe::tools {

inline constexpr std::size_t max_headers = 64;
inline constexpr std::size_t max_header_bytes = 16 << 10;  ///< of all of them

struct http_header {
  std::string name;
  std::string value;
};

[[nodiscard]] bool same_name(std::string_view a, std::string_view b) noexcept;
[[nodiscard]] bool has_header(const std::vector<http_header>& headers, std::string_view name) noexcept;

/// Count, sizes and characters (RFC 9110 §5), and none that belongs to the connection or is this program's to set. The error's
/// text names the header, never its value.
[[nodiscard]] core::result<void> check_headers(const std::vector<http_header>& headers);
/// Says nothing of the sender and of his rights: may go to another origin. `Content-Type` is, for a body that goes along.
[[nodiscard]] bool is_harmless(std::string_view name) noexcept;
/// As providers::http_request wants it.
[[nodiscard]] std::string header_line(const http_header& header);

}  // namespace troupe::tools
