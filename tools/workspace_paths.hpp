// The rules of paths beneath a workspace, and the system calls that keep them. Private to workspace*.cpp; any thread.
#pragma once

#include "core/error.hpp"
#include "tools/workspace.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/stat.h>

namespace troupe::tools {

/// Files of this name are writes under way, or left by a crash: not shown and not to be named.
inline constexpr std::string_view temporary_prefix = ".troupe-tmp-";

struct checked_path {
  std::vector<std::string> parts;  ///< empty: the workspace itself

  [[nodiscard]] std::string text(std::size_t count) const;
  [[nodiscard]] std::string whole() const { return text(parts.size()); }
};

[[nodiscard]] core::result<checked_path> check_path(std::string_view path);
/// The same of a path that names a file.
[[nodiscard]] core::result<checked_path> check_file_path(std::string_view path);

[[nodiscard]] core::error refused(std::string_view path, std::string_view why);
/// What a failed system call on `path` means to the model.
[[nodiscard]] core::error explain(std::string_view path, int problem);
[[nodiscard]] core::result<void> check_regular(std::string_view path, const struct stat& status);

/// A descriptor, or closed with errno set.
[[nodiscard]] file_descriptor open_beneath(const file_descriptor& folder, const std::string& path, int flags, mode_t mode = 0);
/// The folder that holds the path's last part; made part by part where `make` says so.
[[nodiscard]] core::result<file_descriptor> open_parent(const file_descriptor& root, const checked_path& path, bool make);

[[nodiscard]] entry_kind kind_of(const struct stat& status) noexcept;
/// Up to `most` entries of an open folder, in name order. `name` is for errors.
[[nodiscard]] core::result<folder_listing> read_folder(file_descriptor folder, std::string_view name, std::size_t most);

using entry_visitor = std::function<bool(const std::string& path, const folder_entry& entry)>;
/// workspace::walk from an open folder; `prefix` is in front of every path.
[[nodiscard]] bool walk_folder(file_descriptor folder, const std::string& prefix, const entry_visitor& visit);

}  // namespace troupe::tools
