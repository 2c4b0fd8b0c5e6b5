// One tool call being carried out: runs the tool (here when it only computes, on a blocking thread, or on the tools' own one),
// enforces its time limit, tells the loop what it says and asks, ends. Its intent is on disk before it is spawned
// (agent_loop_tools.cpp). Linked to the loop: neither outlives a crash or an exit of the other.
#pragma once

#include "actors/call_inbox.hpp"
#include "actors/services.hpp"

#include <memory>

namespace troupe::actors {

struct tool_invocation_state {
  core::tool_call_id call;
  agent_loop_actor loop;
  tools::cancel_flag cancelled = std::make_shared<std::atomic<bool>>(false);
  core::millis started_at{0};

  caf::actor_clock::time_point deadline;    ///< while nobody is asked
  caf::actor_clock::duration_type left{0};  ///< of the time limit, while somebody is
  bool is_asking = false;
  std::shared_ptr<call_inbox> inbox;  ///< mode `streaming`
  std::unique_ptr<tools::running_call> running;
  caf::actor_clock::time_point shown_at;  ///< when output was passed on last
  bool is_show_armed = false;

  tool_invocation_state() = default;
  /// However the actor ended: nobody waits for the tool any more.
  ~tool_invocation_state() { cancelled->store(true); }
};

/// `arguments` fit the tool's schema.
tool_invocation_actor::behavior_type tool_invocation(tool_invocation_actor::stateful_pointer<tool_invocation_state> self,
                                                     services_ptr services, agent_loop_actor loop, tools::tool_context context,
                                                     tools::tool_ptr tool, boost::json::object arguments,
                                                     std::chrono::milliseconds time_limit);

}  // namespace troupe::actors
