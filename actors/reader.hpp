// Answers questions about stored things from its own read-only connection. Detached in the server (SQLite blocks); a few
// of them share the work.
#pragma once

#include "actors/interfaces.hpp"

#include <memory>

namespace troupe::actors {

struct reader_state {
  std::shared_ptr<storage::queries> queries;
};

reader_actor::behavior_type reader(reader_actor::stateful_pointer<reader_state> self,
                                   std::shared_ptr<storage::queries> queries);

}  // namespace troupe::actors
