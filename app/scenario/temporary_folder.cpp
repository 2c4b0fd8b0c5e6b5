#include "app/scenario/temporary_folder.hpp"

#include <stdlib.h>

#include <cerrno>
#include <string>
#include <system_error>

namespace troupe::app {

namespace fs = std::filesystem;
using core::errc;
using core::error;

core::result<temporary_folder> temporary_folder::make(const fs::path& below, std::string_view name) {
  auto pattern = (below / (std::string(name) + "-XXXXXX")).string();
  if (::mkdtemp(pattern.data())) return temporary_folder(fs::path(std::move(pattern)));
  const int why = errno;
  return error{errc::storage_unavailable, "no temporary folder can be made as " + pattern + " (" +
                                              std::generic_category().message(why) + "); make " + below.string() + " writable"};
}

core::result<temporary_folder> temporary_folder::make(std::string_view name) {
  std::error_code failure;
  auto below = fs::temp_directory_path(failure);
  if (failure)
    return error{errc::storage_unavailable,
                 "no temporary folder can be made: TMPDIR: " + failure.message() + "; set it to a writable folder"};
  return make(below, name);
}

void temporary_folder::remove() noexcept {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

}  // namespace troupe::app
