// One tool call being carried out: runs the tool (here when it only computes, on a blocking thread otherwise), enforces
// its time limit, tells the loop, ends. Its intent is on disk before it is spawned (agent_loop.cpp). Linked to the loop:
// neither outlives a crash or an exit of the other.
#pragma once

#include "actors/services.hpp"

namespace troupe::actors {

struct tool_invocation_state {
  core::tool_call_id call;
  agent_loop_actor loop;
  tools::cancel_flag cancelled = std::make_shared<std::atomic<bool>>(false);
  core::millis started_at{0};

  tool_invocation_state() = default;
  /// However the actor ended: nobody waits for the tool any more.
  ~tool_invocation_state() { cancelled->store(true); }
};

/// `arguments` fit the tool's schema; `tool` outlives the actor.
tool_invocation_actor::behavior_type tool_invocation(tool_invocation_actor::stateful_pointer<tool_invocation_state> self,
                                                     services_ptr services, agent_loop_actor loop, tools::tool_context context,
                                                     const tools::tool* tool, boost::json::object arguments,
                                                     std::chrono::milliseconds time_limit);

}  // namespace troupe::actors
