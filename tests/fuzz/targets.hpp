// The targets of fuzz_replay by name: the build writes the table (CMakeLists.txt).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace troupe::fuzzing {

struct target {
  std::string_view name;
  int (*entry)(const std::uint8_t* data, std::size_t size);
};

/// In the order of their names.
[[nodiscard]] std::span<const target> targets();

}  // namespace troupe::fuzzing
