// Which program this is, for people: `troupe --version`.
#pragma once

#include <string>
#include <string_view>

namespace troupe::app {

/// The git commit it was built from, abbreviated; "unknown" when it was built outside a repository.
[[nodiscard]] std::string_view commit() noexcept;

/// One line: `troupe 0.1.0 (commit ea374f9c2b11, storage schema 3)`. The last is the `user_version` of its databases: a data
/// folder of a newer schema is refused.
[[nodiscard]] std::string version_text();

}  // namespace troupe::app
