// A session's folder and the only way into it: every path is resolved by the kernel (openat2, Linux 5.6) beneath the
// folder and without links, so that a path from a model cannot leave it, also not while somebody changes the folder.
// Opened per tool call; blocking; used on one thread.
#pragma once

#include "core/error.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::tools {

inline constexpr std::size_t max_file_bytes = 1 << 20;
inline constexpr std::size_t max_path_bytes = 1'024;
inline constexpr std::size_t max_path_parts = 32;
inline constexpr std::size_t max_listed = 1'000;

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
  bool is_cut = false;                ///< there are more than `max_listed`
};

/// Every error's text names the path and is meant for the model; absolute, `..`, NUL and over-long paths, links,
/// folders where a file is asked, devices, pipes, files that are too large or not UTF-8 text are all errors.
class workspace {
 public:
  /// Makes the folder and its parents when absent. Without openat2 in the kernel nothing is opened at all.
  [[nodiscard]] static core::result<workspace> open(const std::filesystem::path& folder);

  [[nodiscard]] core::result<std::string> read(std::string_view path) const;
  /// Replaces the file in one step (a reader sees the old or the new one) and makes its parent folders. On disk when it
  /// returns. Gives the path without `.` and doubled slashes.
  [[nodiscard]] core::result<std::string> write(std::string_view path, std::string_view content) const;
  /// An empty path or `.` is the workspace itself.
  [[nodiscard]] core::result<folder_listing> list(std::string_view path) const;
  [[nodiscard]] core::result<std::string> remove(std::string_view path) const;

 private:
  explicit workspace(file_descriptor root) : root_(std::move(root)) {}
  file_descriptor root_;
};

}  // namespace troupe::tools
