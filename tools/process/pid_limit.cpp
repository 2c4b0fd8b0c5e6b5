#include "tools/process/pid_limit.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

namespace troupe::tools {

namespace {

std::string content_of(const std::string& file) {
  std::string out;
  int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return out;
  std::array<char, 4'096> buffer;
  for (ssize_t n = 0; (n = ::read(fd, buffer.data(), buffer.size())) > 0;)
    out.append(buffer.data(), static_cast<std::size_t>(n));
  ::close(fd);
  return out;
}

bool write_to(const std::string& file, std::string_view text) noexcept {
  int fd = ::open(file.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  bool done = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(fd);
  return done;
}

/// Folders of cgroups that this process is in and that may have the pids controller: `n:pids:/path` of version 1, `0::/path` of
/// version 2 (cgroups(7)).
std::vector<std::string> own_groups() {
  std::vector<std::string> out;
  const auto text = content_of("/proc/self/cgroup");
  for (std::size_t at = 0; at < text.size();) {
    auto end = std::min(text.find('\n', at), text.size());
    std::string_view line(text.data() + at, end - at);
    at = end + 1;
    auto path = line.substr(std::min(line.rfind(':') + 1, line.size()));
    if (line.find(":pids:") != std::string_view::npos) out.push_back("/sys/fs/cgroup/pids" + std::string(path));
    if (line.starts_with("0::"))
      for (const char* mount : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) out.push_back(mount + std::string(path));
  }
  return out;
}

}  // namespace

pid_limit::pid_limit(std::uint32_t most) {
  const auto name = "/troupe-guard-" + std::to_string(::getpid());
  for (const auto& group : own_groups()) {
    auto folder = group + name;
    ::rmdir(folder.c_str());  // of a guard of this number that was killed itself: its count is not ours
    if (::mkdir(folder.c_str(), 0755) != 0) continue;
    // Without the controller the folder can be made, and has no such file.
    if (write_to(folder + "/pids.max", std::to_string(most))) {
      folder_ = std::move(folder);
      return;
    }
    ::rmdir(folder.c_str());
  }
}

pid_limit::~pid_limit() {
  if (holds()) ::rmdir(folder_.c_str());
}

bool pid_limit::enter() const noexcept { return write_to(folder_ + "/cgroup.procs", "0"); }

bool pid_limit::was_hit() const {
  // `max 3`: how often a fork was refused.
  const auto events = content_of(folder_ + "/pids.events");
  return events.starts_with("max ") && !events.starts_with("max 0");
}

}  // namespace troupe::tools
