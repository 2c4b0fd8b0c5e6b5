#include "core/command.hpp"

#include <algorithm>
#include <array>

namespace troupe::core {

namespace {
constexpr std::array<std::string_view, 5> names{"queue", "reject", "interrupt", "steer", "merge"};
}

std::string_view to_string(busy_policy v) noexcept { return names[static_cast<std::size_t>(v) % names.size()]; }

std::optional<busy_policy> busy_policy_from(std::string_view text) noexcept {
  auto it = std::find(names.begin(), names.end(), text);
  if (it == names.end()) return std::nullopt;
  return static_cast<busy_policy>(it - names.begin());
}

}  // namespace troupe::core
