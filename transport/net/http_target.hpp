// The request target as text: splitting, percent-decoding and checking it. Pure functions, any thread.
#pragma once

#include "core/error.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace troupe::transport {

struct http_target {
  std::string path;   ///< decoded; valid UTF-8 without NUL; starts with `/`, or is `*`
  std::string query;  ///< raw, without `?`
};

/// Origin form, absolute form or `*` (RFC 9112 §3.2). A fragment, bad percent-encoding, NUL and invalid UTF-8 are errors.
[[nodiscard]] core::result<http_target> parse_target(std::string_view target);

/// Nothing on a `%` without two hex digits.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);

/// See utf8_checker.
[[nodiscard]] bool is_valid_utf8(std::string_view text) noexcept;

[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;

}  // namespace troupe::transport
