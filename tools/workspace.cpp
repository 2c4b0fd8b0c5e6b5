#include "tools/workspace.hpp"

#include "tools/text.hpp"
#include "tools/workspace_paths.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace troupe::tools {

using core::errc;
using core::error;

namespace {

/// One server owns a data folder, so locks of the process will do; a program in the workspace could hold those of the kernel.
std::mutex& lock_of(std::size_t key) {
  static std::array<std::mutex, 64> locks;
  return locks.at(key % locks.size());
}

bool write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    auto n = ::write(fd, content.data(), content.size());
    if (n < 0 && errno != EINTR) return false;
    if (n > 0) content.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

/// What is there, or an error with `not_found` where nothing is.
core::result<struct stat> stat_beneath(const file_descriptor& root, const std::string& name) {
  auto place = open_beneath(root, name, O_PATH | O_NOFOLLOW);
  struct stat status {};
  if (!place.is_open() || ::fstat(place.get(), &status) != 0) return explain(name, errno);
  return status;
}

error too_large(std::string_view name, std::uint64_t size) {
  return refused(name, "has " + std::to_string(size) + " bytes or more; files over " + std::to_string(max_file_bytes) +
                           " bytes are not read");
}

}  // namespace

file_descriptor::~file_descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

core::result<workspace> workspace::open(const std::filesystem::path& folder) {
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  file_descriptor root(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  struct stat status {};
  if (!root.is_open() || ::fstat(root.get(), &status) != 0)
    return error{errc::internal_error, "the workspace folder cannot be opened: " +
                                           (failure ? failure.message() : std::generic_category().message(errno))};
  if (!open_beneath(root, ".", O_PATH | O_DIRECTORY).is_open()) return explain(".", errno);
  return workspace(std::move(root), static_cast<std::size_t>(status.st_ino));
}

core::result<std::string> workspace::read(std::string_view path) const {
  auto checked = check_file_path(path);
  if (!checked) return checked.error();
  auto name = checked->whole();
  // O_NONBLOCK: opening a pipe must not wait for its other end.
  auto file = open_beneath(root_, name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  struct stat status {};
  if (!file.is_open() || ::fstat(file.get(), &status) != 0) return explain(name, errno);
  if (auto good = check_regular(name, status); !good) return good.error();
  if (status.st_nlink > 1)
    return refused(name, "is a hard link, a file with several names, and one may be outside the workspace; it is not read");
  if (static_cast<std::uint64_t>(status.st_size) > max_file_bytes)
    return too_large(name, static_cast<std::uint64_t>(status.st_size));
  std::string content;
  // The size may be out of date by now, so the bound is kept while reading.
  for (char block[65'536];;) {
    auto n = ::read(file.get(), block, sizeof block);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return explain(name, errno);
    if (n == 0) break;
    content.append(block, static_cast<std::size_t>(n));
    if (content.size() > max_file_bytes) return too_large(name, content.size());
  }
  return content;
}

core::result<std::string> workspace::write(std::string_view path, std::string_view content) const {
  std::lock_guard held(lock_of(key_));
  return replace(path, content);
}

core::result<std::string> workspace::change(std::string_view path, const editor& edit) const {
  std::lock_guard held(lock_of(key_));
  auto content = read(path);
  if (!content) return content.error();
  auto changed = edit(std::move(*content));
  if (!changed) return changed.error();
  return replace(path, *changed);
}

core::result<void> workspace::check_room(std::string_view path, std::uint64_t old_size, std::size_t new_size,
                                         bool is_new) const {
  if (!is_new && new_size <= old_size) return {};  // so that a full workspace can be tidied up
  std::uint64_t bytes = 0;
  std::size_t entries = 0;
  auto all = walk({}, [&](const std::string&, const folder_entry& entry) {
    if (entry.kind == entry_kind::file) bytes += entry.size;
    return ++entries <= max_workspace_entries;
  });
  if (!all) return all.error();
  if (is_new && entries >= max_workspace_entries)
    return refused(path, "was not written: the workspace holds " + std::to_string(max_workspace_entries) +
                             " files and folders, which is its limit; delete some first");
  if (bytes - std::min(bytes, old_size) + new_size > max_workspace_bytes)
    return refused(path, "was not written: the workspace would hold more than " + std::to_string(max_workspace_bytes) +
                             " bytes, which is its limit; delete files first");
  return {};
}

core::result<std::string> workspace::replace(std::string_view path, std::string_view content) const {
  auto checked = check_file_path(path);
  if (!checked) return checked.error();
  auto name = checked->whole();
  if (content.size() > max_file_bytes)
    return refused(name, "was not written: the content has " + std::to_string(content.size()) + " bytes; at most " +
                             std::to_string(max_file_bytes) + " are taken");
  auto there = stat_beneath(root_, name);
  if (!there && there.error().code != errc::not_found) return there.error();
  if (there)
    if (auto good = check_regular(name, *there); !good) return good.error();
  auto old_size = there ? static_cast<std::uint64_t>(there->st_size) : 0;
  if (auto room = check_room(name, old_size, content.size(), !there); !room) return room.error();
  auto folder = open_parent(root_, *checked, true);
  if (!folder) return folder.error();
  const auto& last = checked->parts.back();
  static std::atomic<std::uint64_t> counter{0};
  auto temporary = std::string(temporary_prefix) + std::to_string(::getpid()) + "-" + std::to_string(counter.fetch_add(1));
  ::unlinkat(folder->get(), temporary.c_str(), 0);  // a crashed process may have had our id
  auto file = open_beneath(*folder, temporary, O_WRONLY | O_CREAT | O_EXCL, 0644);
  if (!file.is_open()) return explain(name, errno);
  if (!write_all(file.get(), content) || (there && ::fchmod(file.get(), there->st_mode & 0777U) != 0) ||
      ::fsync(file.get()) != 0 || ::renameat(folder->get(), temporary.c_str(), folder->get(), last.c_str()) != 0) {
    auto problem = errno;
    ::unlinkat(folder->get(), temporary.c_str(), 0);
    return explain(name, problem);
  }
  if (::fsync(folder->get()) != 0) return explain(name, errno);
  return name;
}

core::result<folder_listing> workspace::list(std::string_view path) const {
  auto checked = check_path(path);
  if (!checked) return checked.error();
  auto name = checked->whole();
  auto folder = open_beneath(root_, name, O_RDONLY | O_DIRECTORY);
  if (!folder.is_open()) return explain(name, errno);
  return read_folder(std::move(folder), name, max_listed);
}

core::result<entry_kind> workspace::look(std::string_view path) const {
  auto checked = check_path(path);
  if (!checked) return checked.error();
  auto status = stat_beneath(root_, checked->whole());
  if (!status) return status.error();
  return kind_of(*status);
}

core::result<bool> workspace::walk(std::string_view path, const visitor& visit) const {
  auto checked = check_path(path);
  if (!checked) return checked.error();
  auto name = checked->whole();
  auto folder = open_beneath(root_, name, O_RDONLY | O_DIRECTORY);
  if (!folder.is_open()) return explain(name, errno);
  return walk_folder(std::move(folder), checked->parts.empty() ? "" : name, visit);
}

core::result<std::string> workspace::remove(std::string_view path) const {
  auto checked = check_file_path(path);
  if (!checked) return checked.error();
  std::lock_guard held(lock_of(key_));
  auto name = checked->whole();
  auto folder = open_parent(root_, *checked, false);
  if (!folder) return folder.error();
  const auto& last = checked->parts.back();
  struct stat status {};
  if (::fstatat(folder->get(), last.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return explain(name, errno);
  if (auto good = check_regular(name, status); !good) return good.error();
  if (::unlinkat(folder->get(), last.c_str(), 0) != 0 || ::fsync(folder->get()) != 0) return explain(name, errno);
  return name;
}

}  // namespace troupe::tools
