// What Linux says of a process: processor time and resident memory. For the load generator; any thread.
#pragma once

#include <cstdint>
#include <optional>

namespace troupe::bench {

struct process_usage {
  std::int64_t cpu_us = 0;  ///< user and system time so far, in clock ticks of 10 ms
  std::int64_t rss_bytes = 0;
};

/// Nothing when there is no such process, or for pid 0.
[[nodiscard]] std::optional<process_usage> usage_of(int pid);

}  // namespace troupe::bench
