// The circuit breaker of one provider: after too many failures in a row it lets nobody through for a while, then one call,
// the probe, and goes by how that one ends. Pure: time comes in as an argument. Owned by the provider's actor.
#pragma once

#include "core/event.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace troupe::actors {

class breaker {
 public:
  enum class state : std::uint8_t { closed, open, half_open };
  enum class admission : std::uint8_t { pass, probe, refused };

  /// No failures at all: it never opens.
  breaker(std::uint32_t failures, std::chrono::milliseconds open_for) noexcept : limit_(failures), open_for_(open_for) {}

  /// Whether an attempt would be refused now.
  [[nodiscard]] bool refuses(core::millis now) const noexcept;
  /// An attempt begins, unless it is refused.
  [[nodiscard]] admission admit(core::millis now) noexcept;
  /// The upstream answered, be it with a refusal of the request.
  void answered() noexcept;
  /// It could not be reached, broke off, or said that it cannot answer now.
  void failed(core::millis now, std::string_view error);
  /// The probe was called off: the next attempt is the probe.
  void probe_lost() noexcept;

  [[nodiscard]] breaker::state current() const noexcept { return state_; }
  /// Which provider, since when, why, and when it is tried again.
  [[nodiscard]] std::string refusal(std::string_view provider) const;

 private:
  [[nodiscard]] bool is_over(core::millis now) const noexcept;

  std::uint32_t limit_;
  std::chrono::milliseconds open_for_;
  breaker::state state_ = state::closed;
  bool probe_is_out_ = false;
  std::uint32_t failures_ = 0;  ///< in a row
  core::millis failing_since_{0};
  core::millis opened_at_{0};
  std::string last_error_;
};

}  // namespace troupe::actors
