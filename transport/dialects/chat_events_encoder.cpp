#include "transport/dialects/chat_events.hpp"

#include "transport/dialects/nexus_fields.hpp"
#include "transport/json_text.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <charconv>

namespace troupe::transport {

namespace json = boost::json;
using core::errc;

namespace {

constexpr std::size_t chat_id_digits = 24;

/// Length in UTF-16 units, as JavaScript counts; `text` is UTF-8.
std::size_t utf16_length(std::string_view text) {
  std::size_t units = 0;
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0) != 0x80) units += byte >= 0xF0 ? 2 : 1;
  }
  return units;
}

}  // namespace

std::string chat_id_of(core::session_id session) { return session.value.hex().substr(0, chat_id_digits); }

json::object chat_json(core::session_id session, const std::string& owner, core::millis created_at, core::millis updated_at,
                       json::array messages) {
  return {{"id", chat_id_of(session)},
          {"userId", owner},
          {"messages", std::move(messages)},
          {"createdAt", iso_time(created_at)},
          {"updatedAt", iso_time(updated_at)}};
}

json::object exchange_json(std::string_view question, std::string_view answer, core::millis at) {
  return {{"content", question}, {"answer", answer}, {"timestamp", iso_time(at)}};
}

// ---- events to frames ----

struct chat_events_frames {
  chat_events_encoder& c;
  const core::event& e;
  frame_writer& out;

  void operator()(const core::session_created& m) const {
    json::object payload{{"userId", m.owner}, {"chat", chat_json(c.session_, m.owner, e.at, e.at, {})}};
    put_event(out, "/", "chat-created", json::serialize(payload), c.session_, c.offsets_ ? e.seq : 0);
  }
  void operator()(const core::session_updated& m) const {
    if (m.status == core::session_status::deleted) c.put(out, e.seq, "chat-deleted", {});
  }
  void operator()(const core::run_started& m) const {
    c.question_ = m.question;
    c.answer_.clear();
    c.step_text_at_ = 0;
    c.chunk_index_ = 0;
    c.put(out, e.seq, "ai-response-start", {{"timestamp", iso_time(e.at)}});
  }
  void operator()(const core::step_started&) const { c.step_text_at_ = c.answer_.size(); }
  void operator()(const core::text_delta& m) const {
    c.answer_ += m.pieces.text;
    std::string_view text = m.pieces.text;
    // Merged deltas are one piece over several seqs: its frame carries the last, and counts for all.
    auto merged = e.seq - e.first + 1 - m.pieces.lengths.size();
    auto seq = e.first + merged;
    for (auto length : m.pieces.lengths) {
      if (length != 0) c.put_chunk(out, seq, text.substr(0, length));
      text.remove_prefix(length);
      ++seq;
    }
    c.chunk_index_ += merged;
  }
  // Clients clear what they show: the text of earlier steps, which stays, comes again.
  void operator()(const core::message_superseded& m) const {
    if (m.message.is_nil()) return;
    c.answer_.resize(std::min(c.step_text_at_, c.answer_.size()));
    c.chunk_index_ = 0;
    c.put(out, c.answer_.empty() ? e.seq : 0, "ai-response-start", {{"timestamp", iso_time(e.at)}});
    if (!c.answer_.empty()) c.put_chunk(out, e.seq, c.answer_);
  }
  void operator()(const core::message_completed&) const { c.answered_at_ = e.at; }
  void operator()(const core::approval_requested& m) const { c.put(out, e.seq, "approval-required", approval_card_fields(m)); }
  void operator()(const core::approval_endorsed& m) const {
    c.put(out, e.seq, "approval-endorsed", approval_endorsed_fields(c.turn_, m));
  }
  void operator()(const core::approval_decided& m) const { c.put(out, e.seq, "approval-decided", approval_decided_fields(m)); }
  void operator()(const core::run_completed&) const {
    c.put(out, e.seq, "ai-response-end",
          {{"message", exchange_json(c.question_, c.answer_, c.answered_at_)},
           {"completedSuccessfully", true},
           {"totalCharacters", utf16_length(c.answer_)}});
  }
  void operator()(const core::run_failed& m) const {
    c.put(out, e.seq, "error", {{"error", m.text}, {"errorCode", core::to_string(m.code)}});
  }
  void operator()(const core::run_cancelled& m) const {
    if (m.run == c.turn_.run)
      c.put(out, e.seq, "error", {{"error", "The run was stopped."}, {"errorCode", core::to_string(errc::cancelled)}});
  }
  template <class Other>
  void operator()(const Other&) const {}
};

chat_events_encoder::chat_events_encoder(core::session_id session, bool with_offsets)
    : session_(session),
      session_text_(session.str()),
      chat_id_(chat_id_of(session)),
      chunk_head_(R"(42["ai-response-chunk",{"chatId":")" + chat_id_ + R"(","chunk":)"),
      offsets_(with_offsets) {}

void chat_events_encoder::encode(const core::event& e, frame_writer& out) {
  turn_.apply(e);
  std::visit(chat_events_frames{*this, e, out}, e.payload);
}

void chat_events_encoder::encode_open_cards(frame_writer& out) {
  for (const auto& open : turn_.open_approvals) put(out, 0, "approval-required", open_card_fields(turn_, open));
}

void chat_events_encoder::put(frame_writer& out, core::seq_t seq, std::string_view name, json::object fields) const {
  json::object payload;
  payload.reserve(fields.size() + 1);
  payload["chatId"] = chat_id_;
  for (auto& [key, value] : fields) payload[key] = std::move(value);
  put_event(out, "/", name, json::serialize(payload), session_, offsets_ ? seq : 0);
}

/// The hot path: one small frame per piece, written straight into the shared bytes.
void chat_events_encoder::put_chunk(frame_writer& out, core::seq_t seq, std::string_view text) {
  std::string packet;
  packet.reserve(chunk_head_.size() + text.size() + 96);
  packet = chunk_head_;
  append_json_string(packet, text);
  packet += R"(,"chunkIndex":)";
  append_number(packet, chunk_index_++);
  packet += '}';
  if (offsets_) append_offset(packet, session_text_, seq);
  packet += ']';
  out.frame(packet, seq, "ai-response-chunk");
}

// ---- offsets of clients that listen to every chat ----

std::optional<chat_stream_place> chat_stream_place_from(std::string_view offset) {
  constexpr std::string_view mark = "at:";
  auto comma = offset.rfind(',');
  auto last = comma == std::string_view::npos ? offset : offset.substr(comma + 1);
  if (!last.starts_with(mark)) return std::nullopt;
  last.remove_prefix(mark.size());
  chat_stream_place out;
  std::int64_t at = 0;
  auto [end, error] = std::from_chars(last.data(), last.data() + last.size(), at);
  if (error != std::errc{} || end != last.data() + last.size() || at < 0) return std::nullopt;
  out.at = core::millis{at};
  if (comma == std::string_view::npos) return out;
  auto chats = offsets_from(offset.substr(0, comma));
  // One more than may be listed: the event's own place.
  if (!chats || chats->size() > chat_stream_places + 1) return std::nullopt;
  out.chats = std::move(*chats);
  return out;
}

std::string to_text(const chat_stream_place& place) {
  if (place.chats.size() > chat_stream_places) return "-";
  auto out = to_text(place.chats);
  if (!out.empty()) out.push_back(',');
  out += "at:";
  append_number(out, static_cast<std::uint64_t>(place.at.count()));
  return out;
}

}  // namespace troupe::transport
