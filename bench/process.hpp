// What Linux says of a process: processor time and resident memory. For the load generator; any thread.
#pragma once

#include <cstdint>
#include <optional>

namespace troupe::bench {

struct process_usage {
  std::int64_t cpu_us = 0;  ///< run time so far of the threads it has now
  std::int64_t rss_bytes = 0;
};

/// Nothing when there is no such process, for pid 0, or in a kernel without schedstat.
[[nodiscard]] std::optional<process_usage> usage_of(int pid);

}  // namespace troupe::bench
