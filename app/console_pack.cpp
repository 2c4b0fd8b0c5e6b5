#include "app/console_pack.hpp"

#ifdef TROUPE_HAS_CONSOLE
// cmake/console.S
extern "C" {
extern const char troupe_console_begin[];
extern const char troupe_console_end[];
}
#endif

namespace troupe::app {

std::string_view console_pack() noexcept {
#ifdef TROUPE_HAS_CONSOLE
  return {troupe_console_begin, static_cast<std::size_t>(troupe_console_end - troupe_console_begin)};
#else
  return {};
#endif
}

}  // namespace troupe::app
