// Where a session's events go. The session holds sinks and knows nothing of sockets; transport implements them.
#pragma once

#include "core/event.hpp"

#include <memory>

namespace troupe::actors {

class event_sink {
 public:
  virtual ~event_sink() = default;
  /// In log order, each batch once. Any thread, never two at once for one session; must not block or throw.
  virtual void deliver(core::event_batch_ptr batch) noexcept = 0;
  /// For watchers of a dialect only (services::watchers): the run in flight of a session that has just been woken, as far as
  /// it was shown before.
  virtual void recall(core::event_batch_ptr) noexcept {}
};
using event_sink_ptr = std::shared_ptr<event_sink>;

}  // namespace troupe::actors
