#include "bench/process.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

namespace troupe::bench {

std::optional<process_usage> usage_of(int pid) {
  if (pid <= 0) return std::nullopt;
  const std::string folder = "/proc/" + std::to_string(pid);
  process_usage usage;
  // schedstat counts nanoseconds, where stat counts ticks of 10 ms, but for one thread at a time.
  std::error_code gone;
  for (const auto& thread : std::filesystem::directory_iterator{folder + "/task", gone}) {
    std::ifstream schedstat{thread.path() / "schedstat"};
    std::int64_t ran_ns = 0;
    if (schedstat >> ran_ns) usage.cpu_us += ran_ns / 1000;
  }
  if (gone || usage.cpu_us == 0) return std::nullopt;
  std::ifstream statm{folder + "/statm"};
  std::int64_t total_pages = 0;
  std::int64_t resident_pages = 0;
  if (!(statm >> total_pages >> resident_pages)) return std::nullopt;
  usage.rss_bytes = resident_pages * ::sysconf(_SC_PAGESIZE);
  return usage;
}

}  // namespace troupe::bench
