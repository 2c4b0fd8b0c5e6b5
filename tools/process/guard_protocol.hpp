// What a server and its guards say to each other. Both are the same executable, so these are plain structs. The plan comes in
// a memory file that nobody else can open (its variables are secrets); commands and the report are packets on a socket.
#pragma once

#include <cstddef>
#include <cstdint>

namespace troupe::tools {

/// Descriptors that a guard starts with, besides 0, 1 and 2 of the program.
inline constexpr int guard_control = 3;
inline constexpr int guard_plan_file = 4;

inline constexpr std::size_t max_plan_bytes = 8 << 20;

/// Head of the plan. NUL-terminated texts follow: folder, the program's path, `arguments` of them, then `variables` of them.
struct guard_plan {
  std::uint64_t cpu_seconds = 0;
  std::uint64_t memory_bytes = 0;
  std::uint64_t file_bytes = 0;
  std::uint32_t open_files = 0;
  std::uint32_t processes = 0;
  std::uint32_t arguments = 0;
  std::uint32_t variables = 0;
  std::uint32_t is_sandboxed = 0;  ///< the program is bubblewrap, and the real one below it
  std::uint32_t niceness = 0;
};

/// Server to guard.
struct guard_command {
  std::uint32_t grace_ms = 0;  ///< between SIGTERM and SIGKILL; 0: SIGKILL at once
};

enum class guard_trouble : std::uint32_t { none, fork, limits, folder, program, too_many_processes };

/// Guard to server, once: the tree is gone.
struct guard_report {
  std::int32_t status = -1;
  std::int32_t signal = 0;
  guard_trouble trouble = guard_trouble::none;
  std::int32_t problem = 0;  ///< errno, of a program that never began
};

}  // namespace troupe::tools
