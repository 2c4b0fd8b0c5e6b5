// Base64 (RFC 4648 §4), by OpenSSL. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace troupe::tools {

[[nodiscard]] std::string to_base64(std::string_view bytes);
/// Nothing where it is none: wrong signs, wrong padding, a length that is no multiple of 4.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);
/// The same of text that others wrap: line ends and spaces are passed over, padding may be missing.
[[nodiscard]] std::optional<std::string> from_loose_base64(std::string_view text);

}  // namespace troupe::tools
