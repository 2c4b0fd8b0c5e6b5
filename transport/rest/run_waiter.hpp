// Follows one run to its end on behalf of a REST caller: a sink that folds the run's events and tells the result once.
#pragma once

#include "core/turn.hpp"
#include "transport/gateway.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace troupe::transport {

struct run_outcome {
  core::session_id session;
  core::run_id run;
  core::turn turn;                        ///< with its calls and usage
  std::string text;                       ///< everything the assistant said in this run
  bool parked = false;                    ///< a person must decide first; `turn.open_approvals` says what
  core::error error{core::errc::ok, {}};  ///< run failed or cancelled
  core::millis answered_at{0};            ///< when its last message was complete
};

class run_waiter final : public actors::event_sink, public std::enable_shared_from_this<run_waiter> {
 public:
  using done_fn = std::function<void(core::result<run_outcome>)>;

  struct request {
    core::session_id session;
    core::principal who;
    std::optional<core::open_session> open;  ///< makes the session if there is none
    core::send_message message;
    bool waits_for_people = false;  ///< false: a run that parks on an approval is told at once
  };
  /// Sends the message and tells how its run went, on the io thread, once. A message that the client had sent before (by
  /// its client_message_id) starts nothing: its run is read from the log, or waited for.
  static std::shared_ptr<run_waiter> start(gateway& way, request what, done_fn done);

  void deliver(core::event_batch_ptr batch) noexcept override;
  /// The caller went away: the run goes on, nobody is told.
  void abandon();

 private:
  run_waiter(gateway& way, request what, done_fn done);
  void open_then_send(bool exists);
  void send();
  void read_again();
  void read_page(core::seq_t after);
  void take_early();
  void drain();
  void take(const core::event& e);
  void finish(core::result<run_outcome> r);

  gateway& way_;
  request what_;
  done_fn done_;
  core::run_id run_;    ///< nil until the command is answered
  bool ready_ = false;  ///< events are taken as they come; until then they wait in early_
  core::seq_t taken_ = 0;
  std::vector<core::event_batch_ptr> early_;
  core::turn turn_;
  std::string text_;
  std::size_t step_text_at_ = 0;
  core::millis answered_at_{0};
  std::uint64_t at_close_ = 0;  ///< its number with the gateway

  std::mutex mutex_;
  std::vector<core::event_batch_ptr> inbox_;
  bool posted_ = false;
};

}  // namespace troupe::transport
