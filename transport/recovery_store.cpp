#include "transport/recovery_store.hpp"

namespace troupe::transport {

namespace {
constexpr std::size_t max_entries = 20'000;
constexpr std::size_t max_state_bytes = 16 << 10;
}  // namespace

void recovery_store::put(const std::string& pid, std::string principal, std::string state, core::millis now) {
  forget_old(now);
  if (state.size() > max_state_bytes) return;
  entries_[pid] = {std::move(principal), std::move(state), now};
  by_age_.emplace_back(now, pid);
}

std::optional<std::string> recovery_store::take(const std::string& pid, const std::string& principal, core::millis now) {
  forget_old(now);
  auto it = entries_.find(pid);
  if (it == entries_.end() || it->second.principal != principal) return std::nullopt;
  auto state = std::move(it->second.state);
  entries_.erase(it);
  return state;
}

void recovery_store::forget_old(core::millis now) {
  while (!by_age_.empty() && (now - by_age_.front().first > window_ || by_age_.size() > max_entries)) {
    // A client may have come and gone again since: then a later row speaks of it.
    if (auto it = entries_.find(by_age_.front().second); it != entries_.end() && it->second.left_at == by_age_.front().first)
      entries_.erase(it);
    by_age_.pop_front();
  }
}

}  // namespace troupe::transport
