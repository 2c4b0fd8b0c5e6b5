#include "transport/socketio/engineio_deadlines.hpp"

namespace troupe::transport {

void engineio_deadlines::schedule(sleeper& who, time_point when) {
  if (who.is_scheduled_) {
    if (who.place_->first == when) return;
    who.node_ = order_.extract(who.place_);
    who.is_scheduled_ = false;
  }
  if (when == never) return;
  if (who.node_) {
    who.node_.key() = when;
    who.place_ = order_.insert(std::move(who.node_));
  } else {
    who.place_ = order_.emplace(when, &who);
  }
  who.is_scheduled_ = true;
  arm();
}

void engineio_deadlines::arm() {
  // A timer that fires too early finds nothing to do and is armed again: cheaper than arming it for each change.
  if (order_.empty() || order_.begin()->first >= armed_) return;
  armed_ = order_.begin()->first;
  timer_.expires_at(armed_);
  timer_.async_wait([weak = weak_from_this()](boost::system::error_code ec) {
    if (auto me = weak.lock(); me && !ec) me->fire();
  });
}

void engineio_deadlines::fire() {
  armed_ = never;
  const auto now = std::chrono::steady_clock::now();
  while (!order_.empty() && order_.begin()->first <= now) {
    auto& who = *order_.begin()->second;
    who.node_ = order_.extract(order_.begin());
    who.is_scheduled_ = false;
    who.on_time(now);
  }
  arm();
}

}  // namespace troupe::transport
