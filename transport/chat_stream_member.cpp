#include "transport/chat_stream_member.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

namespace troupe::transport {

namespace {

constexpr std::size_t member_flush_bytes = 64 << 10;
/// Chats with news for one member; one with more is closed, and begins anew.
constexpr std::size_t max_places = 2'000;
/// Runs of one chat that began while a client was away; earlier ones are not looked for.
constexpr int max_steps_back = 50;
constexpr std::int64_t page_size = 100;

}  // namespace

template <class T>
void chat_stream::member::ask(core::query query, void (member::*then)(core::result<T>)) {
  busy_ = true;
  stream_.way_->ask(std::move(query), [me = shared_from_this(), then, round = round_](core::result<core::answer> r) {
    if (me->gone_ || me->round_ != round) return;
    me->busy_ = false;
    if (r)
      (*me.*then)(std::get<T>(std::move(*r)));
    else
      (*me.*then)(r.error());
  });
}

// ---- live ----

void chat_stream::member::take(news& n) {
  if (live_) {
    if (auto it = ahead_.find(n.session); it != ahead_.end()) {
      if (n.last <= it->second) return;
      ahead_.erase(it);
    }
    if (!n.framed) return;
    peer_->send(stream_.with_places(n, who_()));
    // From here on it keeps only its places, and reads the logs when its queue is empty again.
    if (peer_->is_congested()) resume_from(stream_.places(n.at, who_(), {}), n.at, false);
    return;
  }
  auto& p = places_[n.session];
  if (n.last <= p.seq) return;
  if (p.behind || n.first != p.seq + 1 || peer_->is_congested()) {
    p.again = true;
    if (!p.behind) mark_behind(n.session);
    return go_on();
  }
  p.seq = n.last;
  if (n.framed) send(n.framed, n.session);
}

void chat_stream::member::send(const bytes& framed, core::session_id session) {
  if (!stream_.has_offsets_) return peer_->send(framed);
  chat_stream_place here{{}, at_};
  for (const auto& [chat, p] : places_)
    if (chat != session && p.seq != 0 && here.chats.size() <= chat_stream_places) here.chats.emplace_back(chat, p.seq);
  peer_->send(with_other_offsets(*framed, to_text(here)));
}

void chat_stream::member::resume_from(const offsets& chats, core::millis at, bool was_away) {
  live_ = false;
  busy_ = false;
  discovered_ = !was_away;  // else the stream tells it of every chat that has news
  ++round_;
  at_ = at;
  places_.clear();
  todo_.clear();
  reading_.reset();
  ahead_.clear();
  for (const auto& [session, seq] : chats) {
    places_[session].seq = seq;
    auto c = stream_.chats_.find(session);
    if (c == stream_.chats_.end() || c->second.cursor != seq) mark_behind(session);
  }
  // What was shown a moment ago may not be in the store yet, where the others are looked for.
  for (const auto& [session, c] : stream_.chats_)
    if (was_away && c.last_shown >= since() && places_.try_emplace(session).second) mark_behind(session);
  go_on();
}

// ---- behind ----

void chat_stream::member::mark_behind(core::session_id session) {
  places_[session].behind = true;
  todo_.push_back(session);
  if (places_.size() <= max_places) return;
  gone_ = true;  // what it holds goes with the connection
  peer_->close(1013, "too many chats were missed; connect again");
}

void chat_stream::member::go_on() {
  if (gone_ || live_ || busy_ || peer_->is_congested()) return;
  if (reading_) return read_page();
  if (!discovered_) return discover(0, false);
  if (!todo_.empty()) return read(todo_.front());
  become_live();
}

/// Chats without a place that had events since this member was level with them.
void chat_stream::member::discover(std::int64_t from, bool deleted) {
  core::list_sessions query;
  query.dialect = "chat-events";
  query.updated_since = since();
  query.window = {page_size, from};
  if (deleted) query.status = core::session_status::deleted;
  if (const auto& who = who_(); !who.may(core::scope::admin)) query.visible_to = who.id;
  busy_ = true;
  stream_.way_->ask(std::move(query), [me = shared_from_this(), from, deleted, round = round_](core::result<core::answer> r) {
    if (me->gone_ || me->round_ != round) return;
    me->busy_ = false;
    if (!r) return me->peer_->close(1013, "the chats cannot be read; try again later");
    me->on_discovered(std::get<core::page<core::session_record>>(*r), from, deleted);
  });
}

void chat_stream::member::on_discovered(const core::page<core::session_record>& page, std::int64_t from, bool deleted) {
  for (const auto& s : page.items)
    if (places_.try_emplace(s.id).second) mark_behind(s.id);
  if (gone_) return;
  from += static_cast<std::int64_t>(page.items.size());
  if (!page.items.empty() && from < page.total) return discover(from, deleted);
  if (!deleted) return discover(0, true);
  discovered_ = true;
  go_on();
}

void chat_stream::member::read(core::session_id session) {
  reading_ = reading{session, make_encoder(encoder_kind::chat_events, session, stream_.has_offsets_), 0, 0};
  ask<core::session_record>(core::get_session{session}, &member::on_session);
}

void chat_stream::member::on_session(core::result<core::session_record> r) {
  if (!r && r.error().code != core::errc::not_found) return peer_->close(1013, "a chat cannot be read; try again later");
  // An offset may name whatever its client likes.
  if (!r || r->dialect != "chat-events" || !stream_.may_read(who_(), *r)) return skip_chat();
  constexpr core::seq_t end_of_log = std::numeric_limits<std::int64_t>::max();
  auto seq = places_[reading_->session].seq;
  find_start(seq == 0 ? end_of_log : seq);
}

/// The run that holds `upto` is read from its beginning, so that the encoder knows what came before.
void chat_stream::member::find_start(core::seq_t upto) {
  ask<core::seq_t>(core::find_run_start{reading_->session, upto}, &member::on_start);
}

void chat_stream::member::on_start(core::result<core::seq_t> start) {
  auto seq = places_[reading_->session].seq;
  reading_->from = !start || *start == 0 ? 0 : *start - 1;
  if (seq != 0) reading_->from = std::min(reading_->from, seq);
  read_page();
}

void chat_stream::member::read_page() {
  busy_ = true;
  places_[reading_->session].again = false;
  stream_.way_->read_events(reading_->session, reading_->from,
                            [me = shared_from_this(), round = round_](core::result<actors::event_page> r) {
                              if (me->gone_ || me->round_ != round) return;
                              me->busy_ = false;
                              if (!r) return me->peer_->close(1013, "a log cannot be read; try again later");
                              me->on_page(*r);
                            });
}

void chat_stream::member::on_page(const actors::event_page& page) {
  if (!who_().may(core::scope::read)) return skip_chat();
  auto session = reading_->session;
  auto& p = places_[session];
  if (page.events.empty()) {
    if (!p.again) return on_end_of_log();
    return read_page();
  }
  const auto& oldest = page.events.front();
  bool looks_back = p.seq == 0 && reading_->steps_back < max_steps_back && oldest.first > 1 && oldest.at >= since();
  if (looks_back && reading_->from + 1 == oldest.first) {
    // The run before it may have begun after `since` too.
    ++reading_->steps_back;
    return find_start(oldest.first - 1);
  }
  reading_->steps_back = max_steps_back;  // found
  frame_writer out(framing::websocket);
  frame_writer nowhere(framing::websocket);
  for (const auto& row : page.events) {
    reading_->from = row.seq;
    if (row.seq <= p.seq || (p.seq == 0 && row.at < since())) {
      reading_->own->encode(row, nowhere);
    } else {
      if (row.first <= p.seq) reading_->own->encode(core::head_upto(row, p.seq), nowhere);
      reading_->own->encode(row.first <= p.seq ? core::tail_after(row, p.seq) : row, out);
      p.seq = row.seq;
    }
    nowhere.discard();
    if (out.size() < member_flush_bytes) continue;
    send(out.take(), session);
    // What is left of the page is read again when the queue is empty.
    if (peer_->is_congested()) break;
  }
  if (!out.empty()) send(out.take(), session);
  go_on();
}

void chat_stream::member::on_end_of_log() {
  auto& p = places_[reading_->session];
  p.behind = false;
  p.seq = std::max(p.seq, reading_->from);
  todo_.pop_front();
  reading_.reset();
  go_on();
}

/// One that this member may not see.
void chat_stream::member::skip_chat() {
  places_.erase(reading_->session);
  todo_.pop_front();
  reading_.reset();
  go_on();
}

/// Level with every log; of what was read, some may still be on its way to the stream.
void chat_stream::member::become_live() {
  for (const auto& [session, p] : places_) {
    auto c = stream_.chats_.find(session);
    if (c == stream_.chats_.end() || c->second.cursor < p.seq) ahead_[session] = p.seq;
  }
  places_.clear();
  live_ = true;
}

}  // namespace troupe::transport
