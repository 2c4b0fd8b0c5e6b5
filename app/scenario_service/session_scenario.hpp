// A stored session as a scenario, for a download: what `troupe record --session` writes, while the server runs. Blocks on the
// disk.
#pragma once

#include "app/record/redaction.hpp"
#include "core/config.hpp"
#include "core/error.hpp"
#include "storage/store.hpp"
#include "tools/tool.hpp"

#include <string>

namespace troupe::app {

inline constexpr std::size_t max_downloaded_events = 200'000;
inline constexpr std::size_t max_downloaded_bytes = 64 << 20;

/// BUSY while a run goes on; SESSION_NOT_RECORDABLE where it has no message, began as a copy, or is above the limits.
[[nodiscard]] core::result<std::string> scenario_of_session(storage::queries& from, core::session_id session,
                                                            const core::config& config, const tools::toolbox* tools,
                                                            const redaction& hidden);

}  // namespace troupe::app
