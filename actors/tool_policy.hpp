// What a run may call and on which conditions: its tools, what is demanded before a call, how long a call may take. Made of
// configuration and toolbox; pure, any thread.
#pragma once

#include "actors/services.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::actors {

/// The tool with which a model reads on where a long output was cut.
inline constexpr std::string_view read_output_tool = "read_output";

/// What an agent has now: the tools it lists, `own` (agent_tools.hpp), and read_output where one of them may say much. A name
/// is there once.
[[nodiscard]] std::vector<tools::tool_ptr> tools_of(const tools::toolbox& box, const core::agent_config& agent,
                                                    const std::vector<tools::tool_ptr>& own);

/// Null where there is none.
[[nodiscard]] tools::tool_ptr find_tool(const std::vector<tools::tool_ptr>& among, std::string_view name);

struct tool_demand {
  bool asks = false;
  std::string risk;
  std::uint32_t deciders = 1;
  bool not_requester = false;

  /// Where two people, or somebody else, must look at each call, no remembered approval stands for them.
  [[nodiscard]] bool may_be_remembered() const noexcept { return deciders < 2 && !not_requester; }
};

/// Of the agent's entries in `approval` the most precise one holds: the tool's name, its source, `*`. read_output gives only
/// what the model may know already: it asks nobody unless it is named itself.
[[nodiscard]] tool_demand demand_of(const core::agent_config& agent, const tools::tool_spec& tool,
                                    const boost::json::object& arguments);

/// A limit that the configuration declares for the tool (or its source) holds. Built-ins take what they take by themselves, at
/// most the agent's tool_timeout; that one holds for tools that say nothing else. Delegations have their own.
[[nodiscard]] std::chrono::milliseconds time_limit_of(const core::config& config, const core::agent_config& agent,
                                                      const tools::tool_spec& tool);

}  // namespace troupe::actors
