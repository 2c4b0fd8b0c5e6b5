// The console that was built into this program: a pack of files (web/build.mjs), or nothing where it was built without.
#pragma once

#include <string_view>

namespace troupe::app {

/// Lives as long as the program.
[[nodiscard]] std::string_view console_pack() noexcept;

}  // namespace troupe::app
