// A copy of a data folder's database while a server may be writing it: SQLite's online backup on one snapshot. Called by
// `troupe backup`, on its thread; the server is never held up.
#pragma once

#include "core/error.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace troupe::storage {

struct backup_report {
  std::int64_t pages = 0;
  std::int64_t bytes = 0;  ///< of the file
};

/// Told `copied` of `total` pages after every piece; false ends the backup, which then leaves nothing behind.
using backup_progress = std::function<bool(std::int64_t copied, std::int64_t total)>;

/// Copies `<data>/troupe.db` as it is at this moment, with what its `-wal` holds, into `file`: one file, on disk when this
/// returns, written beside it first, so that `file` is never half a copy. One that exists is replaced only where `replace` says
/// so. Errors name the folder or the file and the remedy.
[[nodiscard]] core::result<backup_report> back_up(const std::string& data, const std::string& file, bool replace,
                                                  const backup_progress& progress);

}  // namespace troupe::storage
