// The order in which a session's events get their seqs, reach the disk and reach the eyes of clients. Part of the session
// actor, without CAF in it: storing and showing are hooks. Keeps three promises (DESIGN §5):
// seqs have no gaps and are never given twice; what must be durable is shown only after its commit; nothing is shown
// above a durably reserved seq.
#pragma once

#include "core/event.hpp"
#include "storage/store.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

namespace troupe::actors {

class session_log {
 public:
  using stored_fn = std::function<void(const core::error*)>;  ///< null: it is on disk
  struct hooks {
    /// Must answer in the order of the calls.
    std::function<void(storage::append, stored_fn)> store;
    std::function<void(const core::event_batch_ptr&)> show;
    std::function<core::millis()> now;
  };

  void open(core::session_id id, core::seq_t last, core::seq_t reserved, hooks h);

  /// Numbers the facts and has them stored; `stored`, where given, is always told. Shown after that, or at once where none
  /// of them must be durable first. Returns them as numbered.
  core::event_batch_ptr append(std::vector<core::event_payload> facts, stored_fn stored = {});
  /// One fact that accounts for every seq up to `upto`: what a crash left unused.
  core::event_batch_ptr append_spanning(core::event_payload fact, core::seq_t upto);
  /// Text: shown as soon as what stands before it is, stored at the next append or flush.
  void stream(const core::message_id& message, core::text_pieces text, core::text_pieces reasoning);
  /// True where text waits to be stored.
  [[nodiscard]] bool has_unsaved_text() const noexcept { return !unsaved_.empty(); }
  void save_text();
  /// Calls `f` when everything given so far is stored, or with the error that prevents it.
  void when_stored(stored_fn f);
  /// Gives the unused seqs back, so that a clean stop leaves no gap. Nothing may be appended until it is told.
  void release(stored_fn told);

  [[nodiscard]] core::seq_t published() const noexcept { return published_; }
  [[nodiscard]] core::seq_t last() const noexcept { return next_ - 1; }
  [[nodiscard]] bool has_failed() const noexcept { return failed_.code != core::errc::ok; }

 private:
  struct outgoing {
    core::event_batch_ptr batch;
    bool must_be_stored = false;
    bool stored = false;
  };

  void push_text(core::event e);
  [[nodiscard]] core::event_batch_ptr merged_text() const;
  core::event_batch_ptr put(std::vector<core::event> events, bool must_be_stored, stored_fn stored);
  void store(core::event_batch_ptr rows, stored_fn stored, std::uint64_t serial);
  void show_ready();
  void answer_waiters();

  core::session_id id_;
  hooks hooks_;
  core::seq_t next_ = 1;
  core::seq_t published_ = 0;
  core::seq_t reserved_ = 0;  ///< durable
  core::seq_t reserve_asked_ = 0;
  std::deque<outgoing> outbox_;
  std::uint64_t outbox_front_serial_ = 0;       ///< serial of outbox_.front()
  std::vector<core::event_batch_ptr> unsaved_;  ///< one event each: adjacent deltas of one message and kind
  std::size_t under_way_ = 0;
  std::vector<stored_fn> waiters_;
  core::error failed_{core::errc::ok, {}};
};

}  // namespace troupe::actors
