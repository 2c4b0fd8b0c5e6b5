#include "tools/workspace.hpp"

#include "tools/text.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <memory>
#include <optional>

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace troupe::tools {

using core::errc;
using core::error;

namespace {

/// Files of this name are writes under way, or left by a crash: not shown and not to be named.
constexpr std::string_view temporary_prefix = ".troupe-tmp-";

error refused(std::string_view path, std::string_view why) {
  return {errc::validation_error, quoted(path, 200) + " " + std::string(why)};
}

/// What a failed system call on `path` means to the model.
error explain(std::string_view path, int problem) {
  switch (problem) {
    case ENOENT:
      return {errc::not_found, "there is no " + quoted(path, 200) + " in the workspace"};
    case ELOOP:
      return refused(path, "is or goes through a symbolic link; links are not followed");
    case EXDEV:
      return refused(path, "leaves the workspace; use a relative path inside it");
    case ENOTDIR:
      return refused(path, "is not a folder, or goes through something that is not a folder");
    case EISDIR:
      return refused(path, "is a folder, not a file");
    case ENXIO:
      return refused(path, "is not a regular file");
    case ENAMETOOLONG:
      return refused(path, "has a name longer than the file system takes");
    case EACCES:
    case EPERM:
      return {errc::forbidden, quoted(path, 200) + " may not be opened: permission denied"};
    case ENOSPC:
    case EDQUOT:
      return {errc::storage_unavailable, quoted(path, 200) + " could not be written: the disk is full"};
    case ENOSYS:
      return {errc::internal_error, "this kernel has no openat2 (Linux 5.6 or newer is needed); file tools are refused"};
    default:
      return {errc::internal_error, quoted(path, 200) + ": " + std::generic_category().message(problem)};
  }
}

/// A descriptor, or closed with errno set.
file_descriptor open_beneath(const file_descriptor& folder, const std::string& path, int flags, mode_t mode = 0) {
  open_how how{};
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
  how.mode = mode;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  // The kernel answers EAGAIN when something was renamed while it looked; that is no verdict about the path.
  for (int attempt = 0;; ++attempt) {
    auto fd = static_cast<int>(::syscall(SYS_openat2, folder.get(), path.c_str(), &how, sizeof how));
    if (fd >= 0 || (errno != EAGAIN && errno != EINTR) || attempt == 16) return file_descriptor(fd);
  }
}

struct checked_path {
  std::vector<std::string> parts;  ///< empty: the workspace itself

  [[nodiscard]] std::string text(std::size_t count) const {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) out += (i ? "/" : "") + parts[i];
    return out.empty() ? "." : out;
  }
  [[nodiscard]] std::string whole() const { return text(parts.size()); }
  [[nodiscard]] std::string parent() const { return text(parts.size() - 1); }
};

core::result<checked_path> check_path(std::string_view path) {
  if (path.size() > max_path_bytes) return refused(path, "is too long (at most " + std::to_string(max_path_bytes) + " bytes)");
  if (path.starts_with('/')) return refused(path, "is an absolute path; use one relative to the workspace");
  if (!is_plain_text(path)) return refused(path, "is not a usable path: it holds NUL or is not UTF-8");
  if (std::any_of(path.begin(), path.end(), [](char c) { return (c >= 0 && c < ' ') || c == 0x7F; }))
    return refused(path, "is not a usable path: it holds control characters");
  checked_path out;
  while (!path.empty()) {
    auto slash = path.find('/');
    auto part = path.substr(0, slash);
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
    if (part.empty() || part == ".") continue;
    if (part == "..") return refused(part, "is not allowed in a path; use one inside the workspace");
    if (part.starts_with(temporary_prefix)) return refused(part, "is a reserved name");
    out.parts.emplace_back(part);
  }
  if (out.parts.size() > max_path_parts)
    return refused(out.whole(), "has more than " + std::to_string(max_path_parts) + " folders");
  return out;
}

core::result<checked_path> check_file_path(std::string_view path) {
  auto checked = check_path(path);
  if (checked && checked->parts.empty()) return refused(path, "names the workspace itself, not a file");
  if (checked && path.ends_with('/')) return refused(path, "names a folder, not a file");
  return checked;
}

std::optional<error> check_regular(std::string_view path, const struct stat& status) {
  if (S_ISREG(status.st_mode)) return std::nullopt;
  if (S_ISDIR(status.st_mode)) return explain(path, EISDIR);
  if (S_ISLNK(status.st_mode)) return explain(path, ELOOP);
  return refused(path, "is not a regular file");
}

/// The folder that holds the path's last part; made part by part where `make` says so.
core::result<file_descriptor> open_parent(const file_descriptor& root, const checked_path& path, bool make) {
  if (!make) {
    auto folder = open_beneath(root, path.parent(), O_RDONLY | O_DIRECTORY);
    if (!folder.is_open()) return explain(path.whole(), errno);
    return folder;
  }
  auto folder = open_beneath(root, ".", O_RDONLY | O_DIRECTORY);
  for (std::size_t i = 0; folder.is_open() && i + 1 < path.parts.size(); ++i) {
    auto made = ::mkdirat(folder.get(), path.parts[i].c_str(), 0755) == 0;
    if ((!made && errno != EEXIST) || (made && ::fsync(folder.get()) != 0)) return explain(path.text(i + 1), errno);
    folder = open_beneath(folder, path.parts[i], O_RDONLY | O_DIRECTORY);
    if (!folder.is_open()) return explain(path.text(i + 1), errno);
  }
  if (!folder.is_open()) return explain(path.whole(), errno);
  return folder;
}

bool write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    auto n = ::write(fd, content.data(), content.size());
    if (n < 0 && errno != EINTR) return false;
    if (n > 0) content.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace

file_descriptor::~file_descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

core::result<workspace> workspace::open(const std::filesystem::path& folder) {
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  file_descriptor root(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root.is_open())
    return error{errc::internal_error, "the workspace folder cannot be opened: " +
                                           (failure ? failure.message() : std::generic_category().message(errno))};
  if (!open_beneath(root, ".", O_PATH | O_DIRECTORY).is_open()) return explain(".", errno);
  return workspace(std::move(root));
}

core::result<std::string> workspace::read(std::string_view path) const {
  auto checked = check_file_path(path);
  if (!checked) return checked.error();
  auto name = checked->whole();
  // O_NONBLOCK: opening a pipe must not wait for its other end.
  auto file = open_beneath(root_, name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  struct stat status {};
  if (!file.is_open() || ::fstat(file.get(), &status) != 0) return explain(name, errno);
  if (auto wrong = check_regular(name, status)) return *wrong;
  std::string content;
  auto too_large = [&](std::uint64_t size) {
    return refused(name, "has " + std::to_string(size) + " bytes or more; files over " + std::to_string(max_file_bytes) +
                             " bytes are not read");
  };
  if (static_cast<std::uint64_t>(status.st_size) > max_file_bytes) return too_large(static_cast<std::uint64_t>(status.st_size));
  // The size may be out of date by now, so the bound is kept while reading.
  for (char block[16'384];;) {
    auto n = ::read(file.get(), block, sizeof block);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return explain(name, errno);
    if (n == 0) break;
    content.append(block, static_cast<std::size_t>(n));
    if (content.size() > max_file_bytes) return too_large(content.size());
  }
  if (!is_plain_text(content)) return refused(name, "is not a text file (it holds NUL or is not UTF-8)");
  return content;
}

core::result<std::string> workspace::write(std::string_view path, std::string_view content) const {
  auto checked = check_file_path(path);
  if (!checked) return checked.error();
  auto name = checked->whole();
  if (content.size() > max_file_bytes)
    return refused(name, "was not written: the content has " + std::to_string(content.size()) + " bytes; at most " +
                             std::to_string(max_file_bytes) + " are taken");
  if (!is_plain_text(content)) return refused(name, "was not written: the content holds NUL or is not UTF-8 text");
  auto folder = open_parent(root_, *checked, true);
  if (!folder) return folder.error();
  const auto& last = checked->parts.back();
  struct stat status {};
  if (::fstatat(folder->get(), last.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) {
    if (auto wrong = check_regular(name, status)) return *wrong;
  } else if (errno != ENOENT) {
    return explain(name, errno);
  }
  static std::atomic<std::uint64_t> counter{0};
  auto temporary = std::string(temporary_prefix) + std::to_string(::getpid()) + "-" + std::to_string(counter.fetch_add(1));
  ::unlinkat(folder->get(), temporary.c_str(), 0);  // a crashed process may have had our id
  auto file = open_beneath(*folder, temporary, O_WRONLY | O_CREAT | O_EXCL, 0644);
  if (!file.is_open()) return explain(name, errno);
  if (!write_all(file.get(), content) || ::fsync(file.get()) != 0 ||
      ::renameat(folder->get(), temporary.c_str(), folder->get(), last.c_str()) != 0) {
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
  std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(folder.get()), ::closedir);
  if (!stream) return explain(name, errno);
  auto fd = folder.release();  // the stream closes it
  folder_listing out;
  while (const dirent* item = ::readdir(stream.get())) {
    std::string_view entry = item->d_name;
    if (entry == "." || entry == ".." || entry.starts_with(temporary_prefix)) continue;
    if (out.entries.size() == max_listed) {
      out.is_cut = true;
      break;
    }
    struct stat status {};
    if (::fstatat(fd, item->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) continue;  // gone meanwhile
    auto kind = S_ISREG(status.st_mode)   ? entry_kind::file
                : S_ISDIR(status.st_mode) ? entry_kind::folder
                : S_ISLNK(status.st_mode) ? entry_kind::link
                                          : entry_kind::other;
    out.entries.push_back({std::string(entry), kind, static_cast<std::uint64_t>(status.st_size)});
  }
  std::sort(out.entries.begin(), out.entries.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return out;
}

core::result<std::string> workspace::remove(std::string_view path) const {
  auto checked = check_file_path(path);
  if (!checked) return checked.error();
  auto name = checked->whole();
  auto folder = open_parent(root_, *checked, false);
  if (!folder) return folder.error();
  const auto& last = checked->parts.back();
  struct stat status {};
  if (::fstatat(folder->get(), last.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return explain(name, errno);
  if (auto wrong = check_regular(name, status)) return *wrong;
  if (::unlinkat(folder->get(), last.c_str(), 0) != 0 || ::fsync(folder->get()) != 0) return explain(name, errno);
  return name;
}

}  // namespace troupe::tools
