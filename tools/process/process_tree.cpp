#include "tools/process/process_tree.hpp"

#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>
#include <unordered_set>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace troupe::tools {

namespace {

struct kinship {
  pid_t parent;
  pid_t child;
};

/// The whole file, or empty: the process may be gone.
std::string contents(const char* path) {
  std::string text;
  int file = ::open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return text;
  char buffer[4096];
  for (ssize_t n; (n = ::read(file, buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<std::size_t>(n));
  ::close(file);
  return text;
}

/// Number `index` of /proc/<pid>/stat (proc(5) counts from 1; 4 is the parent), or -1. The name before it may hold anything.
long stat_field(pid_t pid, int index) {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%d/stat", pid);
  auto text = contents(path);
  auto at = text.rfind(')');
  if (at == std::string::npos) return -1;
  for (int field = 2; field < index; ++field) {
    at = text.find(' ', at + 1);
    if (at == std::string::npos) return -1;
  }
  return std::strtol(text.c_str() + at, nullptr, 10);
}

template <class Visit>
void each_number_in(const char* folder, Visit visit) {
  DIR* listing = ::opendir(folder);
  if (!listing) return;
  while (auto* entry = ::readdir(listing))
    if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9') visit(static_cast<pid_t>(std::atoi(entry->d_name)));
  ::closedir(listing);
}

/// For kernels without /proc/<pid>/task/<tid>/children (CONFIG_PROC_CHILDREN): all processes and their parents.
std::vector<kinship> all_links() {
  std::vector<kinship> out;
  each_number_in("/proc", [&](pid_t pid) {
    auto parent = stat_field(pid, 4);
    if (parent > 0) out.push_back({static_cast<pid_t>(parent), pid});
  });
  return out;
}

bool has_children_files() {
  static const bool has = ::access("/proc/thread-self/children", F_OK) == 0;
  return has;
}

std::vector<pid_t> children_of(pid_t pid, const std::vector<kinship>& links) {
  std::vector<pid_t> out;
  for (auto& l : links)
    if (l.parent == pid) out.push_back(l.child);
  if (!has_children_files()) return out;
  char folder[64];
  std::snprintf(folder, sizeof folder, "/proc/%d/task", pid);
  each_number_in(folder, [&](pid_t thread) {
    char path[96];
    std::snprintf(path, sizeof path, "%s/%d/children", folder, thread);
    auto text = contents(path);
    for (char* at = text.data(); *at != '\0';) {
      char* end = at;
      auto child = std::strtol(at, &end, 10);
      if (end == at) break;
      out.push_back(static_cast<pid_t>(child));
      at = end;
      while (*at == ' ') ++at;
    }
  });
  return out;
}

/// From the top, parents before children: one that was stopped has children that stay what they are.
template <class Visit>
std::size_t walk(Visit visit, std::size_t enough = std::numeric_limits<std::size_t>::max()) {
  auto links = has_children_files() ? std::vector<kinship>() : all_links();
  std::vector<pid_t> queue{::getpid()};
  std::unordered_set<pid_t> seen{queue.front()};
  for (std::size_t i = 0; i < queue.size() && queue.size() <= enough; ++i)
    for (auto child : children_of(queue[i], links))
      if (seen.insert(child).second) {
        visit(child, queue[i]);
        queue.push_back(child);
      }
  return queue.size() - 1;
}

/// False where `pid` is no longer the child it was. The descriptor holds on to the process, so that a number that was given to
/// another one between the look and the signal hits nobody.
bool signal_child(pid_t pid, pid_t parent, int signal) {
  auto handle = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (handle < 0) return false;
  auto now = stat_field(pid, 4);
  bool ours = now == parent || now == ::getpid();
  bool sent = ours && ::syscall(SYS_pidfd_send_signal, handle, signal, nullptr, 0) == 0;
  ::close(handle);
  return sent;
}

}  // namespace

std::size_t count_tree(std::size_t enough) {
  return walk([](pid_t, pid_t) {}, enough);
}

std::size_t signal_tree(int signal, pid_t spared) {
  std::size_t sent = 0;
  walk([&](pid_t child, pid_t parent) {
    if (child != spared && signal_child(child, parent, signal)) ++sent;
  });
  return sent;
}

std::size_t count_tasks_of_user() {
  std::size_t tasks = 0;
  auto user = ::getuid();
  each_number_in("/proc", [&](pid_t pid) {
    char path[64];
    std::snprintf(path, sizeof path, "/proc/%d", pid);
    struct stat status {};
    if (::stat(path, &status) != 0 || status.st_uid != user) return;
    auto threads = stat_field(pid, 20);
    tasks += threads > 0 ? static_cast<std::size_t>(threads) : 0;
  });
  return tasks;
}

}  // namespace troupe::tools
