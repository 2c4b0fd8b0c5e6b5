#include "transport/run_waiter.hpp"

#include <algorithm>

namespace troupe::transport {

std::shared_ptr<run_waiter> run_waiter::start(gateway& way, core::session_id session, core::principal who,
                                              std::optional<core::open_session> open, core::send_message message, done_fn done) {
  std::shared_ptr<run_waiter> w(new run_waiter(way, session, std::move(done)));
  way.attach(session, w, !open, [w, who = std::move(who), open = std::move(open), message = std::move(message)](core::result<actors::attached> r) mutable {
    if (!r) return w->finish(r.error());
    for (const auto& batch : r->live_run)
      for (const auto& e : batch->events) w->turn_.apply(e);
    if (!r->session.project.empty()) open.reset();
    w->send(std::move(who), std::move(open), std::move(message));
  });
  return w;
}

run_waiter::run_waiter(gateway& way, core::session_id session, done_fn done)
    : way_(way), session_(session), done_(std::move(done)) {}

void run_waiter::send(core::principal who, std::optional<core::open_session> open, core::send_message message) {
  if (open) {
    way_.submit(session_, who, std::move(*open), [me = shared_from_this(), who, message = std::move(message)](core::result<core::command_reply> r) mutable {
      if (!r) return me->finish(r.error());
      me->send(std::move(who), std::nullopt, std::move(message));
    });
    return;
  }
  way_.submit(session_, std::move(who), std::move(message), [me = shared_from_this()](core::result<core::command_reply> r) {
    if (!r) return me->finish(r.error());
    me->run_ = std::get<core::message_accepted>(*r).run;
    auto early = std::move(me->early_);
    for (const auto& batch : early)
      for (const auto& e : batch->events) me->take(e);
  });
}

void run_waiter::deliver(core::event_batch_ptr batch) noexcept {
  bool post = false;
  {
    std::lock_guard lock(mutex_);
    inbox_.push_back(std::move(batch));
    post = !posted_;
    posted_ = true;
  }
  if (post) way_.post([me = shared_from_this()] { me->drain(); });
}

void run_waiter::drain() {
  std::vector<core::event_batch_ptr> batches;
  {
    std::lock_guard lock(mutex_);
    batches.swap(inbox_);
    posted_ = false;
  }
  if (!done_) return;
  if (run_.is_nil()) {
    std::move(batches.begin(), batches.end(), std::back_inserter(early_));
    return;
  }
  for (const auto& batch : batches)
    for (const auto& e : batch->events) take(e);
}

void run_waiter::take(const core::event& e) {
  if (!done_) return;
  turn_.apply(e);
  if (const auto* gone = e.as<core::run_dequeued>(); gone && gone->run == run_)
    return finish(core::error{core::errc::cancelled, "The message was taken out of the queue."});
  if (turn_.run != run_) return;
  if (e.as<core::run_started>()) text_.clear();
  if (e.as<core::step_started>()) step_text_at_ = text_.size();
  if (const auto* delta = e.as<core::text_delta>()) text_ += delta->pieces.text;
  if (e.as<core::message_superseded>()) text_.resize(std::min(step_text_at_, text_.size()));
  bool parked = turn_.is_parked();
  if (turn_.active && !parked) return;
  core::error error{core::errc::ok, {}};
  if (const auto* failed = e.as<core::run_failed>()) error = {failed->code, failed->text};
  if (e.as<core::run_cancelled>()) error = {core::errc::cancelled, "The run was stopped."};
  finish(run_outcome{session_, run_, std::move(turn_), std::move(text_), parked, std::move(error)});
}

void run_waiter::finish(core::result<run_outcome> r) {
  if (!done_) return;
  auto done = std::move(done_);
  done_ = nullptr;
  way_.detach(session_, shared_from_this());
  done(std::move(r));
}

void run_waiter::abandon() {
  done_ = nullptr;
  way_.detach(session_, shared_from_this());
}

}  // namespace troupe::transport
