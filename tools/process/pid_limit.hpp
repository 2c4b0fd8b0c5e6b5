// The kernel's own bound on how many processes a program's tree has: a cgroup of the pids controller, where we may make one (as
// root, mostly). RLIMIT_NPROC never holds root, and counting from outside comes too late for a bomb. Only for a guard.
#pragma once

#include <cstdint>
#include <string>

namespace troupe::tools {

class pid_limit {
 public:
  /// At most `most` processes and threads. Where no group can be made `holds()` is false, and nothing is different.
  explicit pid_limit(std::uint32_t most);
  ~pid_limit();  ///< removes the group, which must be empty by then
  pid_limit(const pid_limit&) = delete;
  pid_limit& operator=(const pid_limit&) = delete;

  [[nodiscard]] bool holds() const noexcept { return !folder_.empty(); }
  /// The calling process and what it starts from now on belong to it. False: they do not.
  [[nodiscard]] bool enter() const noexcept;
  /// Somebody was refused a process.
  [[nodiscard]] bool was_hit() const;

 private:
  std::string folder_;
};

}  // namespace troupe::tools
