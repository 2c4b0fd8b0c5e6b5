// A stored conversation as a scenario (docs/scenarios.md, "Recordings"): what came in, what the model and the tools said and
// when, and the events that came of it. Made from the session's log alone, so it works for old sessions and after crashes.
// Pure.
#pragma once

#include "app/record/live_notes.hpp"
#include "app/record/redaction.hpp"
#include "core/config.hpp"
#include "core/error.hpp"
#include "core/event.hpp"
#include "tools/tool.hpp"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::app {

struct recording_source {
  std::vector<core::event> log;                     ///< of the session, from its first event on
  std::shared_ptr<const core::agent_config> agent;  ///< as it was set up then; null: what can be told from the log
  const tools::toolbox* tools = nullptr;            ///< their schemas, where they are known; may be null
  std::string made_by;                              ///< name and version of the program
  /// Bytes of the session's files, as far as they are known; others, and those above `max_recorded_file_bytes`, are left out.
  std::map<core::file_id, std::shared_ptr<const std::string>> files{};
  live_notes notes{};  ///< what somebody heard who listened
};
inline constexpr std::size_t max_recorded_file_bytes = 1 << 20;

/// The text of the scenario. A session that began as a copy of another one (a fork) or has no message is a `validation_error`.
[[nodiscard]] core::result<std::string> make_recording(recording_source source, const redaction& hidden);

}  // namespace troupe::app
