#include "transport/chat_stream_member.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace troupe::transport {

namespace {

constexpr core::millis prune_period{500};

core::session_record made_by(const core::session_created& e, core::session_id session) {
  core::session_record out;
  out.id = session;
  out.dialect = e.dialect;
  out.owner = e.owner;
  return out;
}

}  // namespace

chat_stream::chat_stream(boost::asio::io_context& io) : io_(io) {}

chat_stream::~chat_stream() { stop(); }

void chat_stream::start(gateway& way) {
  way_ = &way;
  has_offsets_ = way.config().socketio.recovery;
  boost::asio::post(io_, [me = shared_from_this()] { me->drain(); });
}

void chat_stream::stop() {
  way_ = nullptr;
  for (const auto& m : members_) m->gone_ = true;
  members_.clear();
}

// ---- members ----

bool chat_stream::can_resume(std::string_view offset) const {
  auto place = chat_stream_place_from(offset);
  if (!place || !way_ || !has_offsets_) return false;
  auto now = way_->environment().now();
  return place->at <= now && now - place->at <= way_->config().socketio.recovery_window + chat_stream_quiet;
}

std::shared_ptr<chat_stream::member> chat_stream::join(std::shared_ptr<peer> to, std::function<const core::principal&()> who,
                                                       std::string_view offset) {
  auto m = std::make_shared<member>(*this, std::move(to), std::move(who));
  if (!way_) {
    m->gone_ = true;
    return m;
  }
  members_.push_back(m);
  if (can_resume(offset)) {
    auto place = chat_stream_place_from(offset);
    m->resume_from(place->chats, place->at, true);
  } else {
    show_open_cards(m);
  }
  return m;
}

void chat_stream::leave(const std::shared_ptr<member>& m) {
  m->gone_ = true;
  std::erase(members_, m);
}

void chat_stream::on_drained(const std::shared_ptr<member>& m) { m->go_on(); }

/// What the past left to decide: one who comes now is shown it first.
void chat_stream::show_open_cards(const std::shared_ptr<member>& m) {
  std::vector<core::session_id> in_run;
  for (const auto& [session, c] : chats_)
    if (c.in_run) in_run.push_back(session);
  for (const auto& session : in_run)
    when_known(session, [this, m, session] {
      auto& c = chat_of(session);
      if (m->gone_ || !may_read(m->who_(), c.record)) return;
      frame_writer cards(framing::websocket);
      c.shown->encode_open_cards(cards);
      if (!cards.empty()) m->peer_->send(cards.take());
    });
}

bool chat_stream::may_read(const core::principal& who, const std::optional<core::session_record>& record) const {
  if (who.is_expired(way_->environment().now()) || !who.may(core::scope::read)) return false;
  return who.may(core::scope::admin) || (record && core::may_see(who, *record));
}

// ---- events ----

void chat_stream::deliver(core::event_batch_ptr batch) noexcept { put({std::move(batch), false}); }
void chat_stream::recall(core::event_batch_ptr live_run) noexcept { put({std::move(live_run), true}); }

void chat_stream::put(arrival a) noexcept {
  bool post = false;
  {
    std::lock_guard lock(mutex_);
    inbox_.push_back(std::move(a));
    post = !posted_;
    posted_ = true;
  }
  if (post) boost::asio::post(io_, [me = shared_from_this()] { me->drain(); });
}

void chat_stream::drain() {
  std::vector<arrival> arrivals;
  {
    std::lock_guard lock(mutex_);
    posted_ = false;
    if (!way_) return;  // not yet: start() comes back for them; not any more: nobody does
    arrivals.swap(inbox_);
  }
  for (const auto& a : arrivals) take(a.batch, a.is_recalled);
}

chat_stream::chat& chat_stream::chat_of(core::session_id session) {
  auto& c = chats_[session];
  if (!c.shown) c.shown = make_encoder(encoder_kind::chat_events, session, has_offsets_);
  return c;
}

void chat_stream::take(const core::event_batch_ptr& batch, bool is_recalled) {
  if (batch->events.empty() || batch->events.back().is_transient()) return;
  auto& c = chat_of(batch->session);
  if (is_recalled) {
    frame_writer nowhere(framing::websocket);
    news unheard;
    return encode(c, *batch, nowhere, unheard);
  }
  if (const auto* made = batch->events.front().as<core::session_created>()) c.record = made_by(*made, batch->session);
  if (members_.empty() && c.waiting.empty()) return show(*batch);
  when_known(batch->session, [this, batch] { show(*batch); });
}

void chat_stream::when_known(core::session_id session, std::function<void()> f) {
  auto& c = chat_of(session);
  if (c.waiting.empty() && (c.record || !way_->auth().is_required())) return f();
  c.waiting.push_back(std::move(f));
  if (c.waiting.size() > 1) return;
  way_->ask(core::get_session{session}, [me = shared_from_this(), session](const core::result<core::answer>& r) {
    if (!me->way_) return;
    auto& known = me->chat_of(session);
    // What cannot be looked up is nobody's but the admins', this time.
    known.record = r ? std::get<core::session_record>(*r) : core::session_record{};
    for (const auto& waiting : std::exchange(known.waiting, {})) waiting();
    if (!r) me->chat_of(session).record.reset();
  });
}

void chat_stream::encode(chat& c, const core::event_batch& batch, frame_writer& frames, news& out) {
  for (const auto& e : batch.events) {
    if (e.is_transient() || e.seq <= c.cursor) continue;
    if (const auto* updated = e.as<core::session_updated>(); updated && updated->participants && c.record)
      c.record->participants = *updated->participants;
    if (e.as<core::run_started>()) c.in_run = true;
    if (e.as<core::run_completed>() || e.as<core::run_failed>() || e.as<core::run_cancelled>()) c.in_run = false;
    c.shown->encode(e, frames);
    if (out.first == 0) out.first = e.first;
    out.last = c.cursor = e.seq;
  }
}

void chat_stream::show(const core::event_batch& batch) {
  auto& c = chat_of(batch.session);
  frame_writer frames(framing::websocket);
  news n{batch.session, 0, 0, nullptr, way_->environment().now()};
  encode(c, batch, frames, n);
  if (n.last == 0) return;
  c.last_shown = n.at;
  if (!frames.empty()) n.framed = frames.take();
  auto members = members_;
  for (const auto& m : members)
    if (!m->gone_ && may_read(m->who_(), c.record)) m->take(n);
  prune(n.at);
}

offsets chat_stream::places(core::millis at, const core::principal& who, core::session_id except) const {
  bool checks = way_->auth().is_required();
  offsets out;
  for (const auto& [session, c] : chats_)
    if (session != except && c.cursor != 0 && at - c.last_shown <= chat_stream_quiet && (!checks || may_read(who, c.record)))
      out.emplace_back(session, c.cursor);
  return out;
}

bytes chat_stream::with_places(news& n, const core::principal& who) const {
  if (!has_offsets_) return n.framed;
  bool sees_all = !way_->auth().is_required() || who.may(core::scope::admin);
  auto& framed = n.by_reader[sees_all ? std::string{} : who.id];
  if (!framed) framed = with_other_offsets(*n.framed, to_text(chat_stream_place{places(n.at, who, n.session), n.at}));
  return framed;
}

void chat_stream::prune(core::millis now) {
  if (now - pruned_at_ < prune_period && now >= pruned_at_) return;
  pruned_at_ = now;
  std::erase_if(chats_, [now](const auto& entry) {
    const auto& c = entry.second;
    return !c.in_run && c.waiting.empty() && now - c.last_shown > chat_stream_quiet;
  });
}

}  // namespace troupe::transport
