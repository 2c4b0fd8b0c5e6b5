// The tools that are other agents: `delegate` gives one a task and waits for its answer, `handoff` passes the conversation on.
// Made per agent, of what its configuration allows; the agent loop carries them out (agent_loop_agents.cpp). Pure.
#pragma once

#include "core/config.hpp"
#include "tools/tool.hpp"

#include <cstdint>
#include <vector>

namespace troupe::actors {

inline constexpr std::string_view delegate_tool = "delegate";
inline constexpr std::string_view handoff_tool = "handoff";

/// `depth` of the session: at `limits.max_depth` nothing is delegated any further.
[[nodiscard]] std::vector<tools::tool_ptr> agent_tools(const core::agent_config& agent, const core::config& config,
                                                       std::uint32_t depth);

}  // namespace troupe::actors
