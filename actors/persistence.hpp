// The single writer. Collects what arrives while a commit is under way and writes it as one transaction; senders are
// answered after it. Spawned detached by the server, on the test scheduler by replay.
#pragma once

#include "actors/interfaces.hpp"

#include <functional>
#include <unordered_map>
#include <vector>

namespace troupe::actors {

struct persistence_options {
  std::size_t max_batch = 4096;  ///< appends in one transaction
  /// Called when what is on disk is unknown; must not return in a server.
  std::function<void(const core::error&)> on_fatal;
};

struct persistence_state {
  persistence_options options;
  storage::journal* journal = nullptr;
  std::vector<storage::append> waiting;
  std::vector<caf::typed_response_promise<committed>> promises;
  bool tick_sent = false;
  /// First seq that a session lost to a failed commit. What that incarnation sends after it cannot be stored; the next one
  /// begins there again.
  std::unordered_map<core::session_id, core::seq_t> lost_from;

  void commit();
  [[nodiscard]] bool follows_a_loss(const core::event_batch& batch);
};

/// `journal` outlives the actor.
persistence_actor::behavior_type persistence(persistence_actor::stateful_pointer<persistence_state> self,
                                             persistence_options options, storage::journal* journal);

}  // namespace troupe::actors
