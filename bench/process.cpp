#include "bench/process.hpp"

#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

namespace troupe::bench {

std::optional<process_usage> usage_of(int pid) {
  if (pid <= 0) return std::nullopt;
  const std::string folder = "/proc/" + std::to_string(pid);
  std::ifstream stat{folder + "/stat"};
  std::string line;
  if (!std::getline(stat, line)) return std::nullopt;
  // proc(5): the name in parentheses may hold anything; utime and stime are the 12th and 13th field after it.
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields{line.substr(name_end + 1)};
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  std::int64_t user = 0;
  std::int64_t system = 0;
  if (!(fields >> user >> system)) return std::nullopt;

  process_usage usage;
  usage.cpu_us = (user + system) * 1'000'000 / ::sysconf(_SC_CLK_TCK);
  std::ifstream statm{folder + "/statm"};
  std::int64_t total_pages = 0;
  std::int64_t resident_pages = 0;
  if (!(statm >> total_pages >> resident_pages)) return std::nullopt;
  usage.rss_bytes = resident_pages * ::sysconf(_SC_PAGESIZE);
  return usage;
}

}  // namespace troupe::bench
