// From a session's log in the database to a file. Shared by `troupe record` and `troupe serve --record`.
#pragma once

#include "app/record/recording.hpp"
#include "core/config.hpp"
#include "core/ids.hpp"
#include "storage/store.hpp"

#include <filesystem>
#include <map>
#include <string>

namespace troupe::app {

/// When each piece of text came, by its first seq: the log knows it to 70 ms only.
using text_times = std::map<core::seq_t, core::millis>;

struct log_limits {
  std::size_t events = 1'000'000;
  std::size_t bytes = 512 << 20;  ///< of what they hold
};
/// All of it, with the rows of text cut where pieces of them have times of their own. A log above the limits is a
/// `payload_too_large`, told as soon as it is: what lies beyond is never in memory.
[[nodiscard]] core::result<std::vector<core::event>> read_log(storage::queries& from, core::session_id session,
                                                              const text_times& times, log_limits most = {});

/// Of the files that the log tells of, those that a recording takes.
[[nodiscard]] std::map<core::file_id, std::shared_ptr<const std::string>> read_files(storage::queries& from,
                                                                                     const std::vector<core::event>& log,
                                                                                     core::session_id session);

/// The agent whose configuration all runs of the log had; null when it has changed since or is not in `config`.
[[nodiscard]] std::shared_ptr<const core::agent_config> agent_of(const std::vector<core::event>& log,
                                                                 const core::config& config);

/// Beside its place first, then renamed: a reader never finds half of it.
[[nodiscard]] core::result<void> write_file(const std::filesystem::path& file, std::string_view text);

}  // namespace troupe::app
