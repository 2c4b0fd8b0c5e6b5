#include "transport/session_feed.hpp"

#include "transport/conversation_watch.hpp"

#include <algorithm>
#include <utility>

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

feed_hub::feed_hub(gateway& way, std::shared_ptr<chat_stream> chats, std::shared_ptr<conversation_watch> conversations)
    : gateway_(way),
      presence_(way),
      turns_(std::make_shared<turn_gate>(way.config().sessions.agent_stream_turns)),
      recovery_(way.config().socketio.recovery_window),
      chats_(std::move(chats)),
      conversations_(std::move(conversations)) {
  if (conversations_) conversations_->show(presence_);
}

void feed_hub::follow(const std::shared_ptr<follower>& f, follow_request request) {
  f->leave();
  auto kind = request.options.kind;
  auto must_exist = request.options.must_exist;
  f->after_ = request.options.after;
  f->attached_ = std::move(request.attached);
  f->observe_ = std::move(request.options.observe);
  f->lost_ = std::move(request.options.lost);
  auto& slot = feeds_[{request.session, kind, f->peer_->frames_as()}];
  bool is_new = !slot;
  if (is_new) slot = std::make_shared<feed>(*this, request.session, kind, f->peer_->frames_as());
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
    : hub_(hub), session_(session), kind_(kind), framing_(f), encoder_(new_encoder()) {}

std::unique_ptr<encoder> feed::new_encoder() const {
  return make_encoder(kind_, session_, hub_.way().config().socketio.recovery);
}

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
  if (auto refused = f->refusal(record_, hub_.way().environment().now())) {
    auto told = f->attached_;
    f->leave();
    if (told) told(*refused);
    return;
  }
  if (f->attached_) f->attached_(record_);
  if (f->feed_.get() != this) return;  // it left when it was told
  if (f->after_ && *f->after_ < cursor_) return f->start_catching_up(*f->after_, false);
  f->become_live();
  frame_writer cards(framing_);
  encoder_->encode_open_cards(cards);
  if (!cards.empty()) f->peer_->send(cards.take());
}

bool feed::fold(const core::event& e) {
  if (const auto* created = e.as<core::session_created>()) {
    record_.project = created->project;
    record_.agent = created->agent;
    record_.dialect = created->dialect;
    record_.alias = created->alias;
    record_.owner = created->owner;
    record_.parent = created->parent;
    record_.parent_call = created->parent_call;
    record_.depth = created->depth;
    return true;
  }
  const auto* updated = e.as<core::session_updated>();
  if (!updated) return false;
  record_.status = updated->status;
  if (!updated->title.empty()) record_.title = updated->title;
  if (!updated->participants) return false;
  record_.participants = *updated->participants;
  return true;
}

/// Those who may not see what comes next go first.
void feed::evict() {
  auto now = hub_.way().environment().now();
  auto members = members_;
  for (const auto& f : members)
    if (auto refused = f->refusal(record_, now)) f->lose(*refused);
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
  bool check = false;
  for (const auto& e : batch.events) check = (e.seq > cursor_ && fold(e)) || check;
  for (const auto& f : members_) check = check || f->who_.expires_at.count() != 0;
  if (check) evict();
  for (const auto& e : batch.events) {
    if (const auto* typing = e.as<core::typing_changed>()) silent = typing->origin;
    if (const auto* change = e.as<core::presence_changed>()) silent = change->origin;
    if (!e.is_transient()) {
      if (e.seq <= cursor_) continue;
      encoder_->encode(e.first <= cursor_ ? core::tail_after(e, cursor_) : e, out);
      cursor_ = e.seq;
    } else {
      encoder_->encode(e, out);
    }
  }
  if (!out.empty()) send(out.take(), before, silent);
  std::vector<std::shared_ptr<follower>> observers;
  for (const auto& f : members_)
    if (f->observe_) observers.push_back(f);
  for (const auto& f : observers)
    for (const auto& e : batch.events)
      if (!e.is_transient() && e.seq > before && f->feed_.get() == this) {
        auto observe = f->observe_;
        observe(e);
      }
}

void feed::send(const bytes& framed, core::seq_t before, std::uint64_t silent) {
  // A burst that alone would fill a connection's queue is read from the log in parts.
  bool too_big = framed->size() > hub_.way().config().limits.outbound_limit_bytes / 2;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    auto f = members_[i];
    if (!f->live_ || (silent != 0 && f->connection_ == silent)) continue;
    if (!too_big) f->peer_->send(framed);
    // From here on it keeps only its cursor, and reads the log when its queue is empty again (DESIGN §9).
    if (!too_big && !f->peer_->is_congested()) continue;
    f->live_ = false;
    f->reading_ = false;
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
  reading_ = false;
  encoder_ = nullptr;
  attached_ = nullptr;
  observe_ = nullptr;
  lost_ = nullptr;
  when_level_ = nullptr;
  ++stay_;
  if (auto left = std::exchange(feed_, nullptr)) left->remove(this);
}

std::optional<core::error> follower::refusal(const core::session_record& session, core::millis now) const {
  if (who_.is_expired(now)) return core::error{core::errc::auth_failed, "The token has expired; sign in again."};
  // One that is made by its first message belongs to nobody yet.
  bool exists = !session.project.empty();
  if (who_.scopes != 0 && (!exists || core::may_see(who_, session))) return std::nullopt;
  return core::error{core::errc::not_found, "Session not found: " + session.id.str()};
}

void follower::lose(const core::error& e) {
  auto told = lost_;
  leave();
  if (told) told(e);
}

void follower::when_level(std::function<void()> f) {
  if (!feed_ || live_) return f();
  when_level_ = std::move(f);
}

void follower::become_live() {
  live_ = true;
  encoder_ = nullptr;
  if (auto f = std::exchange(when_level_, nullptr)) f();
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
  encoder_ = feed_->new_encoder();
  feed_->hub_.way().ask(core::find_run_start{feed_->session_, cursor},
                        [me = shared_from_this(), stay = stay_](core::result<core::answer> r) {
                          if (me->stay_ != stay) return;
                          me->reading_ = false;
                          auto start = r ? std::get<core::seq_t>(*r) : 0;
                          me->read_from_ = start == 0 ? 0 : std::min(start - 1, me->cursor_);
                          me->catch_up();
                        });
}

void follower::catch_up() {
  if (read_from_ >= feed_->cursor_) {
    // Level: its encoder and the feed's have seen the same events.
    return become_live();
  }
  reading_ = true;
  // A stored row may reach beyond what the feed has shown: it is cut here, where both are known.
  auto upto = feed_->cursor_;
  feed_->hub_.way().read_events(feed_->session_, read_from_,
                                [me = shared_from_this(), stay = stay_, upto](core::result<actors::event_page> r) {
                                  if (me->stay_ == stay) me->on_page(r, upto);
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
