// One open question to a person. Lives from the moment the question is on disk until its answer is; the first decision
// wins, later ones get the winner. What a decision must be to count: approval_rules.hpp. Expiry holds at decision time even
// where no timer has run.
#pragma once

#include "actors/approval_rules.hpp"
#include "actors/services.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

namespace troupe::actors {

struct approval_order {
  core::approval_requested request;
  std::vector<core::approval_endorsed> endorsements;  ///< of before a restart
  /// The tool that it is about, as it is now; null where there is none.
  std::function<tools::tool_ptr()> find_tool;
};

struct approval_state {
  approval_order order;
  proposal now_proposed;
  std::shared_ptr<core::environment> environment;
  session_actor session;
  agent_loop_actor loop;
  bool settled = false;
  /// Approvals of several that are needed, while they are being stored.
  std::map<std::uint64_t, caf::typed_response_promise<core::command_reply>> endorsing;
  std::uint64_t endorsements = 0;
  std::vector<caf::typed_response_promise<core::command_reply>> racing;  ///< asked while the winner is being stored
};

approval_actor::behavior_type approval(approval_actor::stateful_pointer<approval_state> self,
                                       std::shared_ptr<core::environment> environment, session_actor session,
                                       agent_loop_actor loop, approval_order order);

}  // namespace troupe::actors
