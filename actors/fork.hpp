// What a copy of a session takes over: a fold of the source's log into facts for a new one, with ids of its own. Pure but
// for the ids; used by the session that is made.
#pragma once

#include "core/environment.hpp"
#include "core/event.hpp"

#include <cstddef>
#include <map>
#include <utility>
#include <vector>

namespace troupe::actors {

/// Takes the source's events in order and keeps whole exchanges: the user's message, then everything its run did. Text
/// pieces, progress, usage, alerts, reactions and feedback stay behind; so do remembered approvals, which were given for the
/// source, and the sessions and questions of sub-agents; ids of clients too, so that the same message may be sent again.
class fork_fold {
 public:
  explicit fork_fold(core::environment& environment) : environment_(environment) {}

  void take(const core::event& e);

  /// Facts of the exchanges that have ended so far, in the order in which they ran.
  [[nodiscard]] std::vector<core::event_payload>& facts() noexcept { return done_; }
  /// Whose conversation it was before the first of those; empty: no session_created was taken.
  [[nodiscard]] const core::agent_id& agent() const noexcept { return agent_; }
  /// The last seq of those in the source; 0: none.
  [[nodiscard]] core::seq_t upto() const noexcept { return upto_; }
  /// Bytes of text in `facts` and in the exchange under way.
  [[nodiscard]] std::size_t bytes() const noexcept { return done_bytes_ + running_bytes_; }
  [[nodiscard]] std::size_t count() const noexcept { return done_.size() + running_.size(); }
  /// Files that the messages in `facts` bring, by their ids in the source, with those in the copy.
  [[nodiscard]] std::vector<std::pair<core::file_id, core::file_id>> files() const;

 private:
  struct taker;
  template <class Id>
  Id renamed(std::map<Id, Id>& known, const Id& id) {
    auto [it, is_new] = known.try_emplace(id);
    if (is_new) it->second = environment_.make<Id>();
    return it->second;
  }

  core::environment& environment_;
  std::map<core::message_id, core::message_added> waiting_;  ///< their run has not started
  core::run_id run_;                                         ///< under way; nil: none
  core::run_id new_run_;
  core::trace_id new_trace_;
  std::vector<core::event_payload> running_;
  std::size_t running_bytes_ = 0;
  std::vector<core::event_payload> done_;
  std::size_t done_bytes_ = 0;
  core::seq_t upto_ = 0;
  core::agent_id agent_;
  core::agent_id latest_agent_;
  std::map<core::message_id, core::message_id> messages_;
  std::map<core::approval_id, core::approval_id> approvals_;
  std::map<core::file_id, core::file_id> files_;
};

}  // namespace troupe::actors
