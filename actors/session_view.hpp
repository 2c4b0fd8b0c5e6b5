// What the actors tell those who look at a session. Plain values: who only looks need not know CAF.
#pragma once

#include "core/event.hpp"
#include "core/records.hpp"

#include <vector>

namespace troupe::actors {

struct attached {
  core::session_record session;                 ///< nil project: not created yet
  core::seq_t published = 0;                    ///< what comes to the sink is after this
  std::vector<core::event_batch_ptr> live_run;  ///< of the run in flight, up to `published`
};

struct event_page {
  std::vector<core::event> events;
};

}  // namespace troupe::actors
