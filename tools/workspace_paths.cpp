#include "tools/workspace_paths.hpp"

#include "tools/text.hpp"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace troupe::tools {

using core::errc;
using core::error;

namespace {

constexpr std::size_t max_visited = 20'000;
constexpr std::size_t max_walk_depth = 40;  ///< a descriptor each

class walker {
 public:
  explicit walker(const entry_visitor& visit) : visit_(visit) {}

  /// False: stop everything.
  bool into(file_descriptor folder, const std::string& prefix, std::size_t depth) {
    file_descriptor stream(::fcntl(folder.get(), F_DUPFD_CLOEXEC, 0));
    auto listing = read_folder(std::move(stream), prefix, left_);
    if (!listing) return true;  // gone or not ours to read
    saw_all_ = saw_all_ && !listing->is_cut;
    for (const auto& entry : listing->entries) {
      if (left_ == 0) {
        saw_all_ = false;
        return false;
      }
      --left_;
      auto path = prefix.empty() ? entry.name : prefix + "/" + entry.name;
      if (!visit_(path, entry)) return false;
      if (entry.kind != entry_kind::folder) continue;
      if (depth == max_walk_depth) {
        saw_all_ = false;
        continue;
      }
      auto below = open_beneath(folder, entry.name, O_RDONLY | O_DIRECTORY);
      if (below.is_open() && !into(std::move(below), path, depth + 1)) return false;
    }
    return true;
  }

  [[nodiscard]] bool saw_all() const noexcept { return saw_all_; }

 private:
  const entry_visitor& visit_;
  std::size_t left_ = max_visited;
  bool saw_all_ = true;
};

}  // namespace

std::string checked_path::text(std::size_t count) const {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += (i ? "/" : "") + parts[i];
  return out.empty() ? "." : out;
}

error refused(std::string_view path, std::string_view why) {
  return {errc::validation_error, quoted(path, 200) + " " + std::string(why)};
}

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

file_descriptor open_beneath(const file_descriptor& folder, const std::string& path, int flags, mode_t mode) {
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

core::result<void> check_regular(std::string_view path, const struct stat& status) {
  if (S_ISREG(status.st_mode)) return {};
  if (S_ISDIR(status.st_mode)) return explain(path, EISDIR);
  if (S_ISLNK(status.st_mode)) return explain(path, ELOOP);
  return refused(path, "is not a regular file");
}

core::result<file_descriptor> open_parent(const file_descriptor& root, const checked_path& path, bool make) {
  if (!make) {
    auto folder = open_beneath(root, path.text(path.parts.size() - 1), O_RDONLY | O_DIRECTORY);
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

entry_kind kind_of(const struct stat& status) noexcept {
  if (S_ISREG(status.st_mode)) return entry_kind::file;
  if (S_ISDIR(status.st_mode)) return entry_kind::folder;
  return S_ISLNK(status.st_mode) ? entry_kind::link : entry_kind::other;
}

core::result<folder_listing> read_folder(file_descriptor folder, std::string_view name, std::size_t most) {
  std::unique_ptr<DIR, int (*)(DIR*)> stream(folder.is_open() ? ::fdopendir(folder.get()) : nullptr, ::closedir);
  if (!stream) return explain(name, errno);
  auto fd = folder.release();  // the stream closes it
  folder_listing out;
  while (const dirent* item = ::readdir(stream.get())) {
    std::string_view entry = item->d_name;
    if (entry == "." || entry == ".." || entry.starts_with(temporary_prefix)) continue;
    if (out.entries.size() == most) {
      out.is_cut = true;
      break;
    }
    struct stat status {};
    if (::fstatat(fd, item->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) continue;  // gone meanwhile
    out.entries.push_back({std::string(entry), kind_of(status), static_cast<std::uint64_t>(status.st_size)});
  }
  std::sort(out.entries.begin(), out.entries.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return out;
}

bool walk_folder(file_descriptor folder, const std::string& prefix, const entry_visitor& visit) {
  walker one(visit);
  one.into(std::move(folder), prefix, 1);
  return one.saw_all();
}

}  // namespace troupe::tools
