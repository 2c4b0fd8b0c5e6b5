// Where a scenario is played: a stage of our own in virtual time, or a running server. Owned by whoever plays; one thread.
#pragma once

#include "core/access.hpp"
#include "core/command.hpp"
#include "core/error.hpp"
#include "core/event.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace troupe::app {

class scene {
 public:
  using reply = core::result<core::command_reply>;

  virtual ~scene() = default;

  /// An error is a defect of the scene, never a refused command: that is a reply.
  [[nodiscard]] virtual core::result<void> send(core::principal by, core::command command) = 0;
  [[nodiscard]] virtual core::result<void> advance(std::chrono::milliseconds by) = 0;
  /// Time passes until something is due, at most so long. Tells how long it was; nothing: nothing was due.
  [[nodiscard]] virtual core::result<std::optional<std::chrono::milliseconds>> advance_to_next(
      std::chrono::milliseconds most) = 0;
  [[nodiscard]] virtual core::result<void> restart() = 0;
  [[nodiscard]] virtual core::result<void> crash() = 0;
  /// The process crashes when it is about to store the next event of this kind, and starts again.
  virtual void crash_before(std::string kind) = 0;
  [[nodiscard]] virtual bool awaits_crash() const noexcept = 0;

  /// Events that the session's client got since the last call, in order.
  [[nodiscard]] virtual std::vector<core::event> take_events() = 0;
  /// The answer of the last command; nothing while there is none.
  [[nodiscard]] virtual const std::optional<reply>& last_reply() const noexcept = 0;
  /// How often the process was started: grows with every restart and crash.
  [[nodiscard]] virtual std::uint32_t starts() const noexcept = 0;

  /// Real time: what is expected may still be on its way. Its events are what clients are shown, without their details.
  [[nodiscard]] virtual bool is_remote() const noexcept { return false; }
};

}  // namespace troupe::app
