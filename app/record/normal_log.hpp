// A session's log as if nothing had gone wrong with the process: what restarts revoked, repeated or left unused is out, and
// facts stand directly behind what they follow from, although a command may have come in between. Pure.
#pragma once

#include "app/record/live_notes.hpp"
#include "core/event.hpp"

#include <vector>

namespace troupe::app {

struct log_entry {
  core::event event;
  const refused_command* refused = nullptr;  ///< then the event is none, but has the time
  bool closes_call = false;                  ///< the call or approval ended because its run did
  bool begins_stop = false;                  ///< the first event of a run's cancellation
};

/// It may be part of the group of facts that ends a run: what was open then.
[[nodiscard]] bool ends_with_run(const core::event& e);

/// Without what a recording leaves out: titles, participants, reactions, feedback, compactions, alerts of other scopes. With
/// the refused commands, which it points to, where they belong.
[[nodiscard]] std::vector<log_entry> normal_log(std::vector<core::event> log, const std::vector<refused_command>& refused);

}  // namespace troupe::app
