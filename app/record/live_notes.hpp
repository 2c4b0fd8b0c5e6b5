// What a session's log does not hold, because it had no effect: commands that were refused, and attempts to reach a model that
// failed before anything was shown. Known to who listened. Plain values.
#pragma once

#include "core/access.hpp"
#include "core/command.hpp"
#include "core/error.hpp"
#include "core/event.hpp"
#include "providers/recorded.hpp"

#include <optional>
#include <vector>

namespace troupe::app {

/// Also one that came too late: a decision that another one has won, a message that was sent before.
struct refused_command {
  core::seq_t asked_after = 0;     ///< what the session had shown when it was sent …
  core::seq_t answered_after = 0;  ///< … and when the answer came
  core::millis at{0};
  core::principal by;
  core::command command;
  core::result<core::command_reply> reply;
};

struct failed_attempt {
  core::millis at{0};
  providers::exchange_place place;
  core::error error;
  bool was_repeated = false;  ///< another attempt followed
};

/// Of one session, in order.
struct live_notes {
  std::vector<refused_command> refused;
  std::vector<failed_attempt> attempts;
};

}  // namespace troupe::app
