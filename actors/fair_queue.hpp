// Calls that wait for a place at a provider: sessions take turns, the calls of one session keep their order. Pure. Owned by
// the provider's actor.
#pragma once

#include "core/ids.hpp"

#include <deque>
#include <optional>
#include <unordered_map>

namespace troupe::actors {

class fair_queue {
 public:
  /// `in_front`: before the session's other calls, because it has waited before.
  void push(const core::session_id& session, const core::uuid& call, bool in_front = false) {
    auto& calls = waiting_[session];
    if (calls.empty()) turns_.push_back(session);
    if (in_front)
      calls.push_front(call);
    else
      calls.push_back(call);
  }
  [[nodiscard]] bool empty() const noexcept { return turns_.empty(); }
  /// The next call of the session whose turn it is; the session goes to the end of the line.
  [[nodiscard]] std::optional<core::uuid> pop() {
    if (turns_.empty()) return std::nullopt;
    auto session = turns_.front();
    turns_.pop_front();
    auto it = waiting_.find(session);
    auto call = it->second.front();
    it->second.pop_front();
    if (it->second.empty())
      waiting_.erase(it);
    else
      turns_.push_back(session);
    return call;
  }

 private:
  std::deque<core::session_id> turns_;  ///< each session with calls that wait, once
  std::unordered_map<core::session_id, std::deque<core::uuid>> waiting_;
};

}  // namespace troupe::actors
