#include "transport/rest/run_waiter.hpp"

#include "transport/rest/idempotency.hpp"

#include <algorithm>

namespace troupe::transport {

std::shared_ptr<run_waiter> run_waiter::start(gateway& way, request what, done_fn done) {
  std::shared_ptr<run_waiter> w(new run_waiter(way, std::move(what), std::move(done)));
  // The run goes on after the restart; who waits here is told at once.
  w->at_close_ = way.on_close([weak = std::weak_ptr(w)] {
    if (auto me = weak.lock())
      me->finish(core::error{core::errc::shutting_down, "The server is shutting down; the run goes on when it is back."});
  });
  way.attach(w->what_.session, w, !w->what_.open, [w](core::result<actors::attached> r) {
    if (!r) return w->finish(r.error());
    for (const auto& batch : r->live_run)
      for (const auto& e : batch->events) w->turn_.apply(e);
    w->open_then_send(!r->session.project.empty());
  });
  return w;
}

run_waiter::run_waiter(gateway& way, request what, done_fn done) : way_(way), what_(std::move(what)), done_(std::move(done)) {}

void run_waiter::open_then_send(bool exists) {
  if (exists || !what_.open) return send();
  way_.submit(what_.session, what_.who, *what_.open, [me = shared_from_this()](core::result<core::command_reply> r) {
    if (!r) return me->finish(r.error());
    me->send();
  });
}

void run_waiter::send() {
  way_.submit(what_.session, what_.who, what_.message, [me = shared_from_this()](core::result<core::command_reply> r) {
    if (!r) return me->finish(r.error());
    const auto& accepted = std::get<core::message_accepted>(*r);
    me->run_ = accepted.run;
    if (accepted.repeated) return me->read_again();
    me->take_early();
  });
}

/// The run began before this caller looked: the log knows it from its message on.
void run_waiter::read_again() {
  turn_ = {};
  core::find_client_message question{what_.session, what_.message.client_message_id};
  way_.ask(std::move(question), [me = shared_from_this()](core::result<core::answer> r) {
    if (!r) return me->finish(r.error());
    const auto& known = std::get<core::message_record>(*r);
    if (!is_same_message(known, me->what_.message)) return me->finish(reused_key());
    me->read_page(known.seq);
  });
}

void run_waiter::read_page(core::seq_t after) {
  way_.read_events(what_.session, after, [me = shared_from_this()](core::result<actors::event_page> r) {
    if (!r) return me->finish(r.error());
    for (const auto& e : r->events) me->take(e);
    if (!me->done_) return;
    if (r->events.empty()) return me->take_early();
    me->read_page(r->events.back().seq);
  });
}

void run_waiter::take_early() {
  ready_ = true;
  auto early = std::move(early_);
  for (const auto& batch : early)
    for (const auto& e : batch->events) take(e);
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
  if (!ready_) {
    std::move(batches.begin(), batches.end(), std::back_inserter(early_));
    return;
  }
  for (const auto& batch : batches)
    for (const auto& e : batch->events) take(e);
}

void run_waiter::take(const core::event& e) {
  if (!done_ || e.is_transient() || e.seq <= taken_) return;
  taken_ = e.seq;
  turn_.apply(e);
  if (const auto* gone = e.as<core::run_dequeued>(); gone && gone->run == run_)
    return finish(core::error{core::errc::cancelled, "The message was taken out of the queue."});
  if (turn_.run != run_) return;
  if (e.as<core::run_started>()) text_.clear();
  if (e.as<core::step_started>()) step_text_at_ = text_.size();
  if (e.as<core::message_completed>()) answered_at_ = e.at;
  if (const auto* delta = e.as<core::text_delta>()) text_ += delta->pieces.text;
  if (e.as<core::message_superseded>()) text_.resize(std::min(step_text_at_, text_.size()));
  bool parked = turn_.is_parked() && !what_.waits_for_people;
  if (turn_.active && !parked) return;
  core::error error{core::errc::ok, {}};
  if (const auto* failed = e.as<core::run_failed>()) error = {failed->code, failed->text};
  if (e.as<core::run_cancelled>()) error = {core::errc::cancelled, "The run was stopped."};
  finish(run_outcome{what_.session, run_, std::move(turn_), std::move(text_), parked, std::move(error), answered_at_});
}

void run_waiter::finish(core::result<run_outcome> r) {
  if (!done_) return;
  auto done = std::move(done_);
  done_ = nullptr;
  way_.forget(at_close_);
  way_.detach(what_.session, shared_from_this());
  done(std::move(r));
}

void run_waiter::abandon() {
  done_ = nullptr;
  way_.forget(at_close_);
  way_.detach(what_.session, shared_from_this());
}

}  // namespace troupe::transport
