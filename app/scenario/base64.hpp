// Base64 (RFC 4648 §4) for the files of scenarios, whose bytes need not be text. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace troupe::app {

[[nodiscard]] std::string to_base64(std::string_view bytes);
/// Nothing where it is none: wrong signs, wrong padding, a length that is no multiple of 4.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

}  // namespace troupe::app
