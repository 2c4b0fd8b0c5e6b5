#include "actors/persistence.hpp"

namespace troupe::actors {

void persistence_state::commit() {
  if (waiting.empty()) return;
  auto stored = journal->commit(waiting);
  if (!stored)
    for (const auto& a : waiting)
      if (!a.batch->events.empty()) lost_from.emplace(a.batch->session, a.batch->events.front().first);
  waiting.clear();
  auto answered = std::move(promises);
  promises.clear();
  if (stored) {
    for (auto& p : answered) p.deliver(committed{});
    return;
  }
  if (stored.error().code != core::errc::storage_unavailable && options.on_fatal) options.on_fatal(stored.error());
  for (auto& p : answered) p.deliver(to_caf(stored.error()));
}

bool persistence_state::follows_a_loss(const core::event_batch& batch) {
  auto it = lost_from.find(batch.session);
  if (it == lost_from.end()) return false;
  if (batch.events.empty() || batch.events.front().first > it->second) return true;
  lost_from.erase(it);
  return false;
}

persistence_actor::behavior_type persistence(persistence_actor::stateful_pointer<persistence_state> self,
                                             persistence_options options, storage::journal* journal) {
  self->state.options = std::move(options);
  self->state.journal = journal;
  return {
      [self](append& a) -> caf::result<committed> {
        auto& s = self->state;
        if (s.follows_a_loss(*a.what.batch))
          return to_caf({core::errc::storage_unavailable, "An earlier event of this session could not be stored."});
        s.waiting.push_back(std::move(a.what));
        auto promise = self->make_response_promise<committed>();
        s.promises.push_back(promise);
        if (s.waiting.size() >= s.options.max_batch) {
          s.commit();
        } else if (!s.tick_sent) {
          // The tick stands behind everything that waits in the mailbox by now: that is the group.
          s.tick_sent = true;
          self->send(self, commit_tick{});
        }
        return promise;
      },
      [self](const store_agent& m) -> caf::result<agent_stored> {
        auto& s = self->state;
        auto stored = s.journal->store_agent(m.what);
        if (stored) return agent_stored{};
        if (stored.error().code == core::errc::internal_error && s.options.on_fatal) s.options.on_fatal(stored.error());
        return to_caf(stored.error());
      },
      [self](const commit_tick&) {
        self->state.tick_sent = false;
        self->state.commit();
      },
  };
}

}  // namespace troupe::actors
