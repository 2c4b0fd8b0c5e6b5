// Keeps a second process out of a data folder: an flock on `<folder>/lock`, given back by the kernel whatever happens.
#pragma once

#include "core/error.hpp"

#include <string>

namespace troupe::storage {

class folder_lock {
 public:
  /// Makes the folder (for its owner only) when it is missing. Errors name the folder, the cause and the remedy.
  [[nodiscard]] static core::result<folder_lock> take(const std::string& folder);

  folder_lock(folder_lock&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  folder_lock& operator=(folder_lock&&) = delete;
  ~folder_lock();

 private:
  explicit folder_lock(int fd) noexcept : fd_(fd) {}
  int fd_;
};

}  // namespace troupe::storage
