// Base64 (RFC 4648 §4) of what MCP carries in text: pictures and other bytes in results, header values. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace troupe::tools::mcp {

/// Nothing where `text` is not base64. Padding may be missing; line ends and spaces are skipped.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);
[[nodiscard]] std::string to_base64(std::string_view bytes);

}  // namespace troupe::tools::mcp
