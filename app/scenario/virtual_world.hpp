// The world of a scenario: a clock that moves when it is told, ids that count, timers and blocking work that run in order.
// The same inputs give the same events. Owned by the stage; one thread.
#pragma once

#include "core/environment.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>

namespace troupe::app {

class virtual_environment final : public core::environment {
 public:
  [[nodiscard]] core::millis now() const noexcept override { return now_; }
  [[nodiscard]] core::uuid new_uuid() override;
  [[nodiscard]] core::uuid random_uuid() override;

  void set_now(core::millis t) noexcept { now_ = t; }

 private:
  core::millis now_{1'700'000'000'000};
  std::uint64_t ids_ = 0;
  std::uint64_t random_ids_ = 0;
};

/// Timers on the environment's clock; they fire when the stage says so.
class virtual_timers final : public core::timer_service {
 public:
  explicit virtual_timers(const virtual_environment& environment) : environment_(environment) {}

  [[nodiscard]] std::unique_ptr<core::timer> after(std::chrono::milliseconds delay, std::function<void()> f) override;

  [[nodiscard]] std::optional<core::millis> next_due() const;
  /// The earliest one; of equals the one that was set first.
  void fire_next();
  /// They never fire.
  void drop_all();

 private:
  class handle;
  using key = std::pair<core::millis, std::uint64_t>;

  const virtual_environment& environment_;
  std::uint64_t count_ = 0;
  /// Shared with the handles, which may outlive the service.
  std::shared_ptr<std::map<key, std::function<void()>>> waiting_ = std::make_shared<std::map<key, std::function<void()>>>();
};

/// Blocking work, in the order it was asked for.
class work_queue {
 public:
  void add(std::function<void()> f) { waiting_.push_back(std::move(f)); }
  [[nodiscard]] bool run_one();
  void drop_all() { waiting_.clear(); }

 private:
  std::deque<std::function<void()>> waiting_;
};

}  // namespace troupe::app
