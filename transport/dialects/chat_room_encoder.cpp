#include "transport/dialects/chat_room.hpp"

#include "transport/dialects/chat_room_json.hpp"
#include "transport/dialects/nexus_fields.hpp"
#include "transport/dialects/socketio_frames.hpp"
#include "transport/json_text.hpp"

#include <boost/json/serialize.hpp>

namespace troupe::transport {

namespace json = boost::json;

struct chat_room_frames {
  chat_room_encoder& c;
  const core::event& e;
  frame_writer& out;

  void put(std::string_view name, json::object fields) const { c.put(out, name, e.seq, std::move(fields)); }
  void think() const { put("chat:thinking", {{"status", "processing"}}); }

  void operator()(const core::message_added& m) const {
    auto who = shown_user(m.author, m.author_name);
    put("chat:message", {{"message", room_message_json(c.session_, m.message, m.role, m.content, e.at, &who,
                                                       room_metadata(m.attachments, m.client_message_id), {})}});
  }
  void operator()(const core::run_started&) const {
    c.carried_.clear();
    c.cut_.reset();
    think();
  }
  // Its clients clear the text on this.
  void operator()(const core::message_superseded& m) const {
    if (!m.message.is_nil()) think();
  }
  void operator()(const core::text_delta& m) const {
    // The hot path: one small packet per piece, written by hand.
    std::string payload = R"({"conversationId":")" + c.id_ + R"(","messageId":")" + m.message.str() + R"(","chunk":)";
    auto head = payload.size();
    std::string_view text = m.pieces.text;
    // Merged deltas are one piece over several seqs: its packet carries the last.
    auto seq = e.seq - m.pieces.lengths.size() + 1;
    for (auto length : m.pieces.lengths) {
      payload.resize(head);
      append_json_string(payload, text.substr(0, length));
      payload += R"(,"isComplete":false})";
      put_event(out, chat_room_namespace, "chat:streaming", payload, c.session_, c.offsets_ ? seq : 0);
      text.remove_prefix(length);
      ++seq;
    }
  }
  void operator()(const core::message_completed& m) const {
    if (m.cut) {
      c.cut_ = m;
      return;
    }
    c.show_message(m, e.at, e.seq, out);
  }
  void operator()(const core::tool_started& m) const { put("chat:tool-start", tool_start_fields(m)); }
  void operator()(const core::tool_completed& m) const { put("chat:tool-complete", tool_complete_fields(m)); }
  void operator()(const core::approval_requested& m) const { put("chat:approval-required", approval_card_fields(m)); }
  void operator()(const core::approval_endorsed& m) const {
    put("chat:approval-endorsed", approval_endorsed_fields(c.turn_, m));
  }
  void operator()(const core::approval_decided& m) const { put("chat:approval-decided", approval_decided_fields(m)); }
  void operator()(const core::run_completed& m) const { put("chat:complete", {{"messageId", m.message.str()}}); }
  void operator()(const core::run_failed& m) const {
    c.cut_.reset();
    put("chat:error", {{"error", m.text}, {"code", core::to_string(m.code)}});
  }
  void operator()(const core::run_cancelled&) const {
    if (c.cut_) c.show_message(*std::exchange(c.cut_, std::nullopt), e.at, e.seq, out);
    put("chat:error", {{"error", "The run was stopped."}, {"code", core::to_string(core::errc::cancelled)}});
  }
  void operator()(const core::reaction_changed& m) const {
    auto who = shown_user(m.by, m.by_name);
    put("chat:reaction",
        {{"messageId", m.message.str()}, {"emoji", m.emoji}, {"added", m.added}, {"userId", who.id}, {"username", who.name}});
  }
  void operator()(const core::typing_changed& m) const {
    auto who = shown_user(m.user_id, m.username);
    put("chat:user-typing", {{"userId", who.id}, {"username", who.name}, {"isTyping", m.is_typing}});
  }
  void operator()(const core::presence_changed& m) const {
    put(m.change == core::presence_changed::what::joined ? "chat:user-joined" : "chat:user-left",
        {{"userId", m.who.id}, {"username", m.who.name}});
    put("chat:presence-update", {{"activeUsers", room_users_json(m.users)}});
  }
  template <class Other>
  void operator()(const Other&) const {}
};

chat_room_encoder::chat_room_encoder(core::session_id session, bool with_offsets)
    : session_(session), id_(session.str()), offsets_(with_offsets) {}

void chat_room_encoder::encode(const core::event& e, frame_writer& out) {
  turn_.apply(e);
  std::visit(chat_room_frames{*this, e, out}, e.payload);
}

void chat_room_encoder::put(frame_writer& out, std::string_view name, core::seq_t seq, json::object fields) const {
  json::object payload;
  payload.reserve(fields.size() + 1);
  payload["conversationId"] = id_;
  for (auto& [key, value] : fields) payload[key] = std::move(value);
  put_event(out, chat_room_namespace, name, json::serialize(payload), session_, offsets_ ? seq : 0);
}

void chat_room_encoder::show_message(const core::message_completed& m, core::millis at, core::seq_t seq, frame_writer& out) {
  if (!is_shown(m.content, !m.calls.empty())) {
    carried_.insert(carried_.end(), m.calls.begin(), m.calls.end());
    return;
  }
  json::array calls;
  for (const auto& call : carried_) {
    const auto* done = turn_.find_call(call.id);
    bool settled = done && done->settled;
    calls.push_back(room_call_json(call, settled ? &done->ok : nullptr, settled ? std::string_view(done->output) : "",
                                   settled ? done->ms : 0));
  }
  carried_.clear();
  for (const auto& call : m.calls) calls.push_back(room_call_json(call, nullptr, {}, 0));
  json::object metadata;
  if (m.cut) metadata["cut"] = true;
  // Without a place in the log: a client that is cut off between the two gets both again.
  put(out, "chat:streaming", 0, {{"messageId", m.message.str()}, {"chunk", ""}, {"isComplete", true}});
  put(out, "chat:message", seq,
      {{"message", room_message_json(session_, m.message, core::role::assistant, m.content, at, nullptr, std::move(metadata),
                                     std::move(calls))}});
}

void chat_room_encoder::encode_open_cards(frame_writer& out) {
  for (const auto& open : turn_.open_approvals) put(out, "chat:approval-required", 0, open_card_fields(turn_, open));
}

}  // namespace troupe::transport
