// A tool call that another agent carries out: opens a session for it (the same one again after a restart), gives it the task,
// and tells the loop that waits what comes of it: text, questions, what it cost, the answer. A tool invocation like others,
// linked to its loop. Who stops the run stops the sub-agent's too (`stop_sub_agent`); a loop that merely leaves does not.
#pragma once

#include "actors/services.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>

namespace troupe::actors {

/// A batch of the child session's events, from its sink.
struct child_events {
  core::event_batch_ptr batch;
};
using delegation_actor = tool_invocation_actor::extend<caf::reacts_to<child_events>>;

struct delegation_order {
  core::tool_call_id call;
  core::session_id child;
  core::session_record parent;
  core::agent_id agent;
  std::string task;
};

struct delegation_state {
  services_ptr services;
  directory_actor directory;
  agent_loop_actor loop;
  delegation_order order;
  event_sink_ptr sink;
  core::millis started_at{0};

  core::run_id run;                          ///< of the child, once its message is accepted
  core::seq_t folded = 0;                    ///< events up to here are
  core::seq_t attached_at = 0;               ///< older ones are read from the log, later ones are delivered
  std::vector<core::event_batch_ptr> early;  ///< delivered while the older ones are read
  bool caught_up = false;
  std::map<core::approval_id, core::approval_requested> questions;  ///< open in the child
  std::set<core::approval_id> asked;                                ///< … that the loop has been told
  std::string progress;                                             ///< text not passed on yet
  std::size_t progress_bytes = 0;                                   ///< passed on in all
  bool progress_armed = false;
  std::string answer;  ///< the text of its last message
  core::token_usage tokens;
  core::micro_usd cost;

  delegation_state() = default;
  ~delegation_state();
};

delegation_actor::behavior_type delegation(delegation_actor::stateful_pointer<delegation_state> self, services_ptr services,
                                           directory_actor directory, agent_loop_actor loop, delegation_order order);

/// Its run, if one is in progress, is cancelled.
void stop_sub_agent(const directory_actor& directory, const core::session_record& parent, const core::session_id& child);

/// The child session of a call: the same after a restart.
[[nodiscard]] core::session_id child_session_of(const core::session_id& parent, const core::run_id& run, std::uint32_t step,
                                                const core::tool_call_id& call);

}  // namespace troupe::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::child_events)
