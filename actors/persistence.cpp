#include "actors/persistence.hpp"

namespace troupe::actors {

void persistence_state::commit() {
  if (waiting.empty()) return;
  auto stored = journal->commit(waiting);
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

persistence_actor::behavior_type persistence(persistence_actor::stateful_pointer<persistence_state> self,
                                             persistence_options options, storage::journal* journal) {
  self->state.options = std::move(options);
  self->state.journal = journal;
  return {
      [self](append& a) -> caf::result<committed> {
        auto& s = self->state;
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
      [self](const commit_tick&) {
        self->state.tick_sent = false;
        self->state.commit();
      },
  };
}

}  // namespace troupe::actors
