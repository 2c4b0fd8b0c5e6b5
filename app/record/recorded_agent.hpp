// The agent of a recording: as it was set up, or as its log tells that it must have been. Pure.
#pragma once

#include "app/record/normal_log.hpp"
#include "core/config.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <optional>
#include <vector>

namespace troupe::app {

/// What was found out while the recording was written.
struct agent_findings {
  std::optional<std::size_t> full_at;  ///< so many messages waited when another was refused
  std::int64_t approval_timeout_ms = 0;
  std::int64_t longest_call_ms = 0;
};

/// The part `agent` of a scenario; `known` may be null.
[[nodiscard]] boost::json::object recorded_agent(const core::agent_config* known, const std::vector<log_entry>& log,
                                                 const agent_findings& found);

}  // namespace troupe::app
