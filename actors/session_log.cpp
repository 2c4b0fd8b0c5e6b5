#include "actors/session_log.hpp"

#include <algorithm>

namespace troupe::actors {

namespace {

// A crash revokes at most this many seqs per session; one extra write in so many deltas pays for it.
constexpr core::seq_t reserve_step = 8192;

/// Of rows that hold several batches of the outbox: those were shown, or will be, on their own account.
constexpr auto no_serial = static_cast<std::uint64_t>(-1);

bool same_text(const core::event& a, const core::event& b) {
  if (const auto* x = a.as<core::text_delta>(), *y = b.as<core::text_delta>(); x && y) return x->message == y->message;
  if (const auto* x = a.as<core::reasoning_delta>(), *y = b.as<core::reasoning_delta>(); x && y)
    return x->message == y->message;
  return false;
}

}  // namespace

void session_log::open(core::session_id id, core::seq_t last, core::seq_t reserved, hooks h) {
  id_ = id;
  hooks_ = std::move(h);
  next_ = last + 1;
  published_ = last;
  reserved_ = reserve_asked_ = reserved;
}

core::event_batch_ptr session_log::append(std::vector<core::event_payload> facts, stored_fn stored) {
  std::vector<core::event> events;
  events.reserve(facts.size());
  bool must_be_stored = false;
  auto at = hooks_.now();
  for (auto& f : facts) {
    must_be_stored = must_be_stored || core::is_durable_before_visible(f);
    events.push_back({next_, next_, at, std::move(f)});
    ++next_;
  }
  return put(std::move(events), must_be_stored, std::move(stored));
}

core::event_batch_ptr session_log::append_spanning(core::event_payload fact, core::seq_t upto) {
  core::event e{next_, upto, hooks_.now(), std::move(fact)};
  next_ = upto + 1;
  return put({std::move(e)}, true, {});
}

core::event_batch_ptr session_log::put(std::vector<core::event> events, bool must_be_stored, stored_fn stored) {
  save_text();  // what is stored keeps the order of the log
  auto batch = std::make_shared<core::event_batch>();
  batch->session = id_;
  batch->events = std::move(events);
  outbox_.push_back({batch, must_be_stored, false});
  auto serial = outbox_front_serial_ + outbox_.size() - 1;
  store(batch, std::move(stored), serial);
  show_ready();
  return batch;
}

void session_log::stream(const core::message_id& message, core::text_pieces text, core::text_pieces reasoning) {
  auto at = hooks_.now();
  auto number = [&](std::size_t pieces) {
    auto first = next_;
    next_ += pieces;
    return first;
  };
  // Reasoning precedes the answer it led to.
  if (!reasoning.empty()) {
    auto first = number(reasoning.lengths.size());
    push_text({first, next_ - 1, at, core::reasoning_delta{message, std::move(reasoning)}});
  }
  if (!text.empty()) {
    auto first = number(text.lengths.size());
    push_text({first, next_ - 1, at, core::text_delta{message, std::move(text)}});
  }
  show_ready();
}

void session_log::push_text(core::event e) {
  if (!unsaved_.empty() && !same_text(unsaved_.back()->events.front(), e)) save_text();
  auto batch = std::make_shared<core::event_batch>();
  batch->session = id_;
  batch->events.push_back(std::move(e));
  unsaved_.push_back(batch);
  outbox_.push_back({std::move(batch), false, false});
  if (next_ + reserve_step / 4 > reserve_asked_) save_text();  // raises the reserve with it
}

core::event_batch_ptr session_log::merged_text() const {
  if (unsaved_.size() == 1) return unsaved_.front();
  auto out = std::make_shared<core::event_batch>(*unsaved_.front());
  auto& row = out->events.front();
  for (auto it = unsaved_.begin() + 1; it != unsaved_.end(); ++it) {
    const auto& next = (*it)->events.front();
    row.seq = next.seq;
    if (auto* d = std::get_if<core::text_delta>(&row.payload))
      d->pieces.add(next.as<core::text_delta>()->pieces);
    else if (auto* r = std::get_if<core::reasoning_delta>(&row.payload))
      r->pieces.add(next.as<core::reasoning_delta>()->pieces);
  }
  return out;
}

void session_log::save_text() {
  if (unsaved_.empty()) return;
  auto rows = merged_text();
  unsaved_.clear();
  store(std::move(rows), {}, no_serial);
}

void session_log::store(core::event_batch_ptr rows, stored_fn stored, std::uint64_t serial) {
  if (has_failed()) {
    if (stored) stored(&failed_);
    return;
  }
  storage::append a{std::move(rows), std::nullopt};
  if (next_ + reserve_step / 4 > reserve_asked_) a.reserve = reserve_asked_ = next_ + reserve_step;
  ++under_way_;
  auto reserve = a.reserve;
  hooks_.store(std::move(a), [this, reserve, serial, stored = std::move(stored)](const core::error* error) {
    --under_way_;
    if (error && !has_failed()) failed_ = *error;
    if (!has_failed()) {
      if (reserve) reserved_ = std::max(reserved_, *reserve);
      if (serial != no_serial && serial >= outbox_front_serial_ && serial - outbox_front_serial_ < outbox_.size())
        outbox_[serial - outbox_front_serial_].stored = true;
    }
    if (stored) stored(has_failed() ? &failed_ : nullptr);
    show_ready();
    answer_waiters();
  });
}

void session_log::show_ready() {
  if (has_failed()) return;
  while (!outbox_.empty()) {
    auto& front = outbox_.front();
    auto last = front.batch->events.back().seq;
    if (!front.stored && (front.must_be_stored || last > reserved_)) return;
    published_ = last;
    auto batch = std::move(front.batch);
    outbox_.pop_front();
    ++outbox_front_serial_;
    hooks_.show(batch);
  }
}

void session_log::when_stored(stored_fn f) {
  save_text();
  waiters_.push_back(std::move(f));
  answer_waiters();
}

void session_log::answer_waiters() {
  if (under_way_ != 0 || waiters_.empty()) return;
  auto waiters = std::move(waiters_);
  waiters_.clear();
  for (auto& w : waiters) w(has_failed() ? &failed_ : nullptr);
}

void session_log::release(stored_fn told) {
  save_text();
  auto nothing = std::make_shared<core::event_batch>();
  nothing->session = id_;
  ++under_way_;
  reserve_asked_ = last();
  hooks_.store({std::move(nothing), last()}, [this, told = std::move(told)](const core::error* error) {
    --under_way_;
    if (error) {
      if (!has_failed()) failed_ = *error;
    } else {
      reserved_ = reserve_asked_;
    }
    told(error);
    answer_waiters();
  });
}

}  // namespace troupe::actors
