#include "transport/session_feed.hpp"

#include <algorithm>

namespace troupe::transport {

namespace {
constexpr std::size_t flush_bytes = 64 << 10;

/// Adjacent deltas as one piece, whose frame carries the seq of the last.
void merge_pieces(core::event& e) {
  auto merge = [](core::text_pieces& p) { p.lengths.assign(1, static_cast<std::uint32_t>(p.text.size())); };
  if (auto* text = std::get_if<core::text_delta>(&e.payload)) merge(text->pieces);
  if (auto* reasoning = std::get_if<core::reasoning_delta>(&e.payload)) merge(reasoning->pieces);
}
}  // namespace

// ---- hub ----

void feed_hub::follow(const std::shared_ptr<follower>& f, core::session_id session, encoder_kind kind,
                      std::optional<core::seq_t> after, bool must_exist, follower::attached_fn attached) {
  f->leave();
  f->after_ = after;
  f->attached_ = std::move(attached);
  auto& slot = feeds_[{session, kind, f->peer_->frames_as()}];
  bool is_new = !slot;
  if (is_new) slot = std::make_shared<feed>(*this, session, kind, f->peer_->frames_as());
  auto joined = slot;  // the slot may go while the follower is told
  f->feed_ = joined;
  joined->members_.push_back(f);
  if (is_new)
    joined->start(must_exist);
  else if (joined->attached_)
    joined->admit(f);
}

// ---- feed ----

feed::feed(feed_hub& hub, core::session_id session, encoder_kind kind, framing f)
    : hub_(hub), session_(session), kind_(kind), framing_(f), encoder_(make_encoder(kind, session)) {}

void feed::deliver(core::event_batch_ptr batch) noexcept {
  bool post = false;
  {
    std::lock_guard lock(mutex_);
    inbox_.push_back(std::move(batch));
    post = !posted_;
    posted_ = true;
  }
  if (post) hub_.gateway_.post([me = shared_from_this()] { me->drain(); });
}

void feed::start(bool must_exist) {
  hub_.gateway_.attach(session_, shared_from_this(), must_exist,
                       [me = shared_from_this()](core::result<actors::attached> r) { me->on_attached(std::move(r)); });
}

void feed::on_attached(core::result<actors::attached> r) {
  auto waiting = members_;
  if (!r) {
    for (auto& f : waiting) {
      auto told = f->attached_;
      f->leave();
      if (told) told(r.error());
    }
    return;
  }
  attached_ = true;
  record_ = std::move(r->session);
  record_.id = session_;
  cursor_ = r->published;
  frame_writer nowhere(framing_);
  for (const auto& batch : r->live_run)
    for (const auto& e : batch->events) encoder_->encode(e, nowhere);
  for (auto& f : waiting)
    if (f->feed_.get() == this) admit(f);
  auto early = std::move(early_);
  early_.clear();
  for (const auto& batch : early) take(*batch);
}

void feed::admit(const std::shared_ptr<follower>& f) {
  record_.last_seq = cursor_;
  if (f->attached_) f->attached_(record_);
  if (f->feed_.get() != this) return;  // it left when it was told
  if (f->after_ && *f->after_ < cursor_) return f->start_catching_up(*f->after_, false);
  f->live_ = true;
  frame_writer cards(framing_);
  encoder_->encode_open_cards(cards);
  if (!cards.empty()) f->peer_->send(cards.take());
}

void feed::drain() {
  std::vector<core::event_batch_ptr> batches;
  {
    std::lock_guard lock(mutex_);
    batches.swap(inbox_);
    posted_ = false;
  }
  if (members_.empty()) return;
  auto me = shared_from_this();
  for (const auto& batch : batches)
    if (attached_)
      take(*batch);
    else
      early_.push_back(batch);
}

void feed::take(const core::event_batch& batch) {
  frame_writer out(framing_);
  std::uint64_t silent = 0;
  auto before = cursor_;
  for (const auto& e : batch.events) {
    if (const auto* typing = e.as<core::typing_changed>()) silent = typing->origin;
    if (!e.is_transient()) {
      if (e.seq <= cursor_) continue;
      if (const auto* created = e.as<core::session_created>()) {
        record_.project = created->project;
        record_.agent = created->agent;
      }
      if (const auto* updated = e.as<core::session_updated>()) record_.status = updated->status;
      encoder_->encode(e.first <= cursor_ ? core::tail_after(e, cursor_) : e, out);
      cursor_ = e.seq;
    } else {
      encoder_->encode(e, out);
    }
  }
  if (out.empty()) return;
  auto framed = out.take();
  // A burst that alone would fill a connection's queue is read from the log in parts.
  bool too_big = framed->size() > hub_.way().config().limits.outbound_limit_bytes / 2;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    auto f = members_[i];
    if (!f->live_ || (silent != 0 && f->connection_ == silent)) continue;
    if (!too_big) f->peer_->send(framed);
    // From here on it keeps only its cursor, and reads the log when its queue is empty again (DESIGN §9).
    if (!too_big && !f->peer_->is_congested()) continue;
    f->live_ = false;
    f->cursor_ = too_big ? before : cursor_;
    f->encoder_ = nullptr;
    if (!f->peer_->is_congested()) f->on_drained();
  }
}

void feed::remove(follower* f) {
  auto keep = shared_from_this();
  std::erase_if(members_, [f](const auto& m) { return m.get() == f; });
  if (!members_.empty()) return;
  hub_.gateway_.detach(session_, keep);
  auto it = hub_.feeds_.find({session_, kind_, framing_});
  if (it != hub_.feeds_.end() && it->second.get() == this) hub_.feeds_.erase(it);
}

// ---- follower ----

void follower::leave() {
  live_ = false;
  encoder_ = nullptr;
  attached_ = nullptr;
  if (auto left = std::move(feed_)) left->remove(this);
  feed_ = nullptr;
}

core::seq_t follower::last_seq() const noexcept { return !feed_ ? 0 : live_ ? feed_->cursor_ : cursor_; }

void follower::on_drained() {
  if (!feed_ || !feed_->attached_ || live_ || reading_) return;
  if (encoder_)
    catch_up();
  else
    start_catching_up(cursor_, true);
}

/// The run that holds the cursor is read from its beginning, so that the encoder knows what came before.
void follower::start_catching_up(core::seq_t cursor, bool merge_deltas) {
  cursor_ = cursor;
  merge_deltas_ = merge_deltas;
  reading_ = true;
  encoder_ = make_encoder(feed_->kind_, feed_->session_);
  feed_->hub_.way().ask(core::find_run_start{feed_->session_, cursor},
                        [me = shared_from_this(), joined = feed_](core::result<core::answer> r) {
                          if (me->feed_ != joined) return;
                          me->reading_ = false;
                          auto start = r ? std::get<core::seq_t>(*r) : 0;
                          me->read_from_ = start == 0 ? 0 : std::min(start - 1, me->cursor_);
                          me->catch_up();
                        });
}

void follower::catch_up() {
  if (read_from_ >= feed_->cursor_) {
    // Level: its encoder and the feed's have seen the same events.
    live_ = true;
    encoder_ = nullptr;
    return;
  }
  reading_ = true;
  // A stored row may reach beyond what the feed has shown: it is cut here, where both are known.
  auto upto = feed_->cursor_;
  feed_->hub_.way().read_events(feed_->session_, read_from_,
                                [me = shared_from_this(), joined = feed_, upto](core::result<actors::event_page> r) {
                                  if (me->feed_ == joined) me->on_page(r, upto);
                                });
}

void follower::on_page(const core::result<actors::event_page>& page, core::seq_t upto) {
  reading_ = false;
  if (!page) return peer_->close(1013, "the log cannot be read; try again later");
  frame_writer out(feed_->framing_);
  frame_writer nowhere(feed_->framing_);
  bool level = page->events.empty();
  for (const auto& row : page->events) {
    level = row.seq >= upto;
    if (row.first > upto) break;
    auto e = core::head_upto(row, upto);
    if (e.first <= cursor_) encoder_->encode(core::head_upto(e, cursor_), nowhere);
    nowhere.discard();
    read_from_ = e.seq;
    if (e.seq > cursor_) {
      auto rest = core::tail_after(e, cursor_);
      cursor_ = e.seq;
      if (merge_deltas_) merge_pieces(rest);
      encoder_->encode(rest, out);
    }
    if (out.size() < flush_bytes) continue;
    peer_->send(out.take());
    // What is left of the page is read again when the queue is empty.
    if (peer_->is_congested()) break;
  }
  if (level) read_from_ = upto;
  cursor_ = std::max(cursor_, read_from_);
  if (!out.empty()) peer_->send(out.take());
  if (!peer_->is_congested()) catch_up();  // else on_drained goes on
}

}  // namespace troupe::transport
