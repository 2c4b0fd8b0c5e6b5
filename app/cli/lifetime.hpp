// A length of time as people write it on a command line.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace troupe::app {

/// `90s`, `30m`, `8h`, `7d`: a whole number above 0 and its unit; nothing for anything else.
[[nodiscard]] std::optional<std::chrono::milliseconds> lifetime_from(std::string_view text);

}  // namespace troupe::app
