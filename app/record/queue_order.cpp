#include "app/record/queue_order.hpp"

#include <algorithm>

namespace troupe::app {

void queue_order::apply(const core::event& e) {
  if (const auto* queued = e.as<core::run_queued>()) {
    auto at = std::min<std::size_t>(waiting_.size(), queued->position > 0 ? queued->position - 1 : 0);
    waiting_.insert(waiting_.begin() + static_cast<std::ptrdiff_t>(at), queued->message);
  }
  if (const auto* started = e.as<core::run_started>()) std::erase(waiting_, started->message);
  if (const auto* gone = e.as<core::run_dequeued>()) std::erase(waiting_, gone->message);
  if (const auto* order = e.as<core::queue_reordered>()) waiting_ = order->messages;
}

std::optional<queue_order::move> queue_order::move_to(const std::vector<core::message_id>& order) const {
  auto [was, is] = std::mismatch(waiting_.begin(), waiting_.end(), order.begin(), order.end());
  if (was == waiting_.end() || is == order.end()) return std::nullopt;
  // It came up to where the orders part, or left from there.
  for (const auto& message : {*is, *was}) {
    auto to = std::find(order.begin(), order.end(), message);
    if (to == order.end()) continue;
    auto moved = waiting_;
    std::erase(moved, message);
    if (moved.size() + 1 != order.size()) continue;
    moved.insert(moved.begin() + (to - order.begin()), message);
    if (moved == order) return move{message, static_cast<std::uint32_t>(to - order.begin() + 1)};
  }
  return std::nullopt;
}

}  // namespace troupe::app
