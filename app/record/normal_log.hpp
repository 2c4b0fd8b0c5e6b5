// A session's log as if nothing had gone wrong with the process: what restarts revoked, repeated or left unused is out, and
// facts stand directly behind what they follow from, although a command may have come in between. Pure.
#pragma once

#include "core/event.hpp"

#include <vector>

namespace troupe::app {

struct log_entry {
  core::event event;
  bool closes_call = false;  ///< the call or approval ended because its run did
  bool begins_stop = false;  ///< the first event of a run's cancellation
};

/// Without what a recording leaves out: titles, participants, reactions, files, compactions, alerts of other scopes.
[[nodiscard]] std::vector<log_entry> normal_log(std::vector<core::event> log);

}  // namespace troupe::app
