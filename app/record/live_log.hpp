// Live notes of all sessions of a server that records, taken by taps on the way of commands (command_tap.hpp) and of model
// calls (model_tap.hpp). Bounded; what is over the bound is left out. Thread safe.
#pragma once

#include "app/record/live_notes.hpp"

#include <functional>
#include <map>
#include <mutex>

namespace troupe::app {

class live_log {
 public:
  /// `now`: the clock of the log's times.
  explicit live_log(std::function<core::millis()> now) : now_(std::move(now)) {}

  void shown(core::session_id session, core::seq_t upto);
  [[nodiscard]] core::seq_t position(core::session_id session) const;

  /// Keeps what was refused; anything else is in the log. `asked_after` is the position when it was sent.
  void answered(core::session_id session, core::seq_t asked_after, const core::principal& by, const core::command& command,
                const core::result<core::command_reply>& reply);

  void attempt_begins(core::session_id session, const providers::exchange_place& place);
  /// Before anything of it was shown.
  void attempt_failed(core::session_id session, providers::exchange_place place, core::error error);

  [[nodiscard]] live_notes notes(core::session_id session);
  /// Sessions of which `notes` has not told everything.
  [[nodiscard]] std::vector<core::session_id> unread() const;

 private:
  struct entry {
    live_notes notes;
    core::seq_t position = 0;
    bool is_read = true;
  };

  std::function<core::millis()> now_;
  mutable std::mutex mutex_;
  std::map<core::session_id, entry> sessions_;
  std::size_t bytes_ = 0;
};

}  // namespace troupe::app
