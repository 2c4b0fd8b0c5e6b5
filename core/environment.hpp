// Everything the rules may not take from the world by themselves: time, randomness, timers. The server passes the real
// ones; replay passes its own, and then the same inputs always give the same events.
#pragma once

#include "core/event.hpp"
#include "core/ids.hpp"

#include <chrono>
#include <functional>
#include <memory>

namespace troupe::core {

class environment {
 public:
  virtual ~environment() = default;
  /// Wall clock, UTC. Any thread.
  [[nodiscard]] virtual millis now() const noexcept = 0;
  /// Never nil, never the same twice; later ids sort after earlier ones (version 7). Any thread.
  [[nodiscard]] virtual uuid new_uuid() = 0;
  /// Random 128 bits without time in them, for trace ids. Any thread.
  [[nodiscard]] virtual uuid random_uuid() = 0;

  template <class Id>
  [[nodiscard]] Id make() {
    return Id{new_uuid()};
  }
};

/// Cancels its timer when dropped. Cancelling races with firing: the function may still run once afterwards.
class timer {
 public:
  virtual ~timer() = default;
};

class timer_service {
 public:
  virtual ~timer_service() = default;
  /// Calls `f` once after `delay`, on the service's own thread.
  [[nodiscard]] virtual std::unique_ptr<timer> after(std::chrono::milliseconds delay, std::function<void()> f) = 0;
};

/// The environment of a running server.
[[nodiscard]] std::shared_ptr<environment> system_environment();

}  // namespace troupe::core
