// One open question to a person. Lives from the moment the question is on disk until its answer is; the first decision
// wins, later ones get the winner. Expiry holds at decision time even where no timer has run.
#pragma once

#include "actors/services.hpp"

#include <vector>

namespace troupe::actors {

struct approval_state {
  core::approval_requested request;
  session_actor session;
  agent_loop_actor loop;
  bool settled = false;
  std::vector<caf::typed_response_promise<core::command_reply>> racing;  ///< asked while the winner is being stored
};

approval_actor::behavior_type approval(approval_actor::stateful_pointer<approval_state> self,
                                       std::shared_ptr<core::environment> environment, session_actor session,
                                       agent_loop_actor loop, core::approval_requested request);

}  // namespace troupe::actors
