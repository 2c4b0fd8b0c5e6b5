// A folder of its own for as long as something needs it: the workspaces of scenarios. Made with a name that nobody else has,
// taken away with all that is in it. Whoever has it, on any thread; blocks on the disk.
#pragma once

#include "core/error.hpp"

#include <filesystem>
#include <string_view>
#include <utility>

namespace troupe::app {

class temporary_folder {
 public:
  /// `<below>/<name>-XXXXXX`. Where it cannot be made, the error names the place.
  [[nodiscard]] static core::result<temporary_folder> make(const std::filesystem::path& below, std::string_view name);
  /// Below TMPDIR.
  [[nodiscard]] static core::result<temporary_folder> make(std::string_view name);

  temporary_folder() = default;  ///< none
  ~temporary_folder() { remove(); }
  temporary_folder(temporary_folder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  temporary_folder& operator=(temporary_folder&& other) noexcept {
    if (this == &other) return *this;
    remove();
    path_ = std::exchange(other.path_, {});
    return *this;
  }

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  explicit temporary_folder(std::filesystem::path path) : path_(std::move(path)) {}
  void remove() noexcept;

  std::filesystem::path path_;
};

}  // namespace troupe::app
