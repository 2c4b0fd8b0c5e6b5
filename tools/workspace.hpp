// A session's folder and the only way into it: every path is resolved by the kernel (openat2, Linux 5.6) beneath the
// folder and without links, so that a path from a model cannot leave it, also not while somebody changes the folder.
// Opened per tool call; blocking; used on one thread.
#pragma once

#include "core/error.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::tools {

inline constexpr std::size_t max_file_bytes = 16 << 20;  ///< of a file that is read, searched or edited
inline constexpr std::size_t max_path_bytes = 1'024;
inline constexpr std::size_t max_path_parts = 32;
inline constexpr std::size_t max_listed = 1'000;
/// Of all a workspace holds; looked at before something is added, whoever put the rest there.
inline constexpr std::uint64_t max_workspace_bytes = 256 << 20;
inline constexpr std::size_t max_workspace_entries = 10'000;

class file_descriptor {
 public:
  file_descriptor() = default;
  explicit file_descriptor(int fd) noexcept : fd_(fd) {}
  file_descriptor(file_descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  file_descriptor& operator=(file_descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~file_descriptor();
  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
  [[nodiscard]] bool is_open() const noexcept { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

enum class entry_kind : std::uint8_t { file, folder, link, other };

struct folder_entry {
  std::string name;
  entry_kind kind = entry_kind::other;
  std::uint64_t size = 0;
};

struct folder_listing {
  std::vector<folder_entry> entries;  ///< in name order
  bool is_cut = false;                ///< there are more
};

/// Every error's text names the path and is meant for the model; absolute, `..`, NUL and over-long paths, links,
/// folders where a file is asked, devices, pipes and files that are too large are all errors.
class workspace {
 public:
  /// Makes the folder and its parents when absent. Without openat2 in the kernel nothing is opened at all.
  [[nodiscard]] static core::result<workspace> open(const std::filesystem::path& folder);

  /// The bytes. A file with several names (hard links) is refused: one of them may be outside.
  [[nodiscard]] core::result<std::string> read(std::string_view path) const;
  /// Replaces the file in one step (a reader sees the old or the new one) and makes its parent folders. On disk when it
  /// returns. Gives the path without `.` and doubled slashes. Keeps the permissions; other names of the file keep the old
  /// content.
  [[nodiscard]] core::result<std::string> write(std::string_view path, std::string_view content) const;
  /// read, `edit`, write; no other write, change or remove of this process comes between. An error of `edit` changes nothing.
  using editor = std::function<core::result<std::string>(std::string content)>;
  [[nodiscard]] core::result<std::string> change(std::string_view path, const editor& edit) const;
  /// An empty path or `.` is the workspace itself.
  [[nodiscard]] core::result<folder_listing> list(std::string_view path) const;
  [[nodiscard]] core::result<entry_kind> look(std::string_view path) const;
  /// All beneath a folder, depth first in name order, until `visit` says false; paths begin at the workspace. Links are shown,
  /// not followed. False: there was more than it looks at.
  using visitor = std::function<bool(const std::string& path, const folder_entry& entry)>;
  [[nodiscard]] core::result<bool> walk(std::string_view path, const visitor& visit) const;
  [[nodiscard]] core::result<std::string> remove(std::string_view path) const;

 private:
  workspace(file_descriptor root, std::size_t key) : root_(std::move(root)), key_(key) {}
  [[nodiscard]] core::result<std::string> replace(std::string_view path, std::string_view content) const;
  [[nodiscard]] core::result<void> check_room(std::string_view path, std::uint64_t old_size, std::size_t new_size,
                                              bool is_new) const;

  file_descriptor root_;
  std::size_t key_;  ///< of the lock that writers of this folder take
};

}  // namespace troupe::tools
