// Every session of the process by id. Wakes a session when something is sent to it, keeps the sinks of sleeping ones, and
// starts a broken one again from its log, at most a few times.
#pragma once

#include "actors/services.hpp"

#include <map>
#include <unordered_map>
#include <vector>

namespace troupe::actors {

struct directory_state {
  struct entry {
    session_actor actor;  ///< null: sleeping
    std::vector<event_sink_ptr> sinks;
    std::uint32_t crashes = 0;
  };
  services_ptr services;
  std::unordered_map<core::session_id, entry> sessions;
  std::unordered_map<caf::actor_addr, core::session_id> by_address;
  bool stopping = false;
};

/// Ends when it is sent an exit and every session has left.
directory_actor::behavior_type directory(directory_actor::stateful_pointer<directory_state> self, services_ptr services);

}  // namespace troupe::actors
