#include "transport/dialects/chat_room_input.hpp"

#include "transport/dialects/socketio_frames.hpp"
#include "transport/json_text.hpp"
#include "transport/rest/attachments.hpp"

#include <boost/json/serialize.hpp>

namespace troupe::transport {

namespace json = boost::json;

namespace {

constexpr std::size_t longest_client_message_id = 200;

core::error wrong(std::string_view field, std::string_view what) {
  return {core::errc::validation_error, "Field \"" + std::string(field) + "\" " + std::string(what)};
}

/// Absent: empty.
core::result<std::string> text_of(const room_event& e, std::string_view key) {
  const auto* v = e.field(key);
  if (!v) return std::string{};
  if (!v->is_string()) return wrong(key, "must be a string.");
  return std::string(v->get_string());
}

}  // namespace

const json::value* room_event::field(std::string_view key) const {
  const auto* o = payload.if_object();
  const auto* v = o ? o->if_contains(key) : nullptr;
  return v && !v->is_null() ? v : nullptr;
}

core::result<std::string> conversation_of(const room_event& e) {
  auto id = text_of(e, "conversationId");
  if (!id || id->empty()) return wrong("conversationId", "must be a non-empty string.");
  return id;
}

core::result<bool> flag_of(const room_event& e, std::string_view key) {
  const auto* v = e.field(key);
  if (!v || !v->is_bool()) return wrong(key, "must be true or false.");
  return v->get_bool();
}

core::result<core::send_message> message_of(const room_event& e) {
  core::send_message out;
  auto content = text_of(e, "content");
  if (!content || content->empty()) return wrong("content", "must be a non-empty string.");
  out.content = std::move(*content);
  auto role = text_of(e, "role");
  if (!role || (!role->empty() && *role != "user")) return wrong("role", "must be \"user\".");
  auto id = text_of(e, "clientMessageId");
  if (!id || id->size() > longest_client_message_id) return wrong("clientMessageId", "must be a string of at most 200 bytes.");
  out.client_message_id = std::move(*id);
  auto files = attachments_field(e.payload.get_object());
  if (!files) return files.error();
  out.attachments = std::move(*files);
  return out;
}

core::result<given_decision> decision_of(const room_event& e) {
  auto text = text_of(e, "approvalId");
  if (!text || text->empty()) return wrong("approvalId", "must be a non-empty string.");
  field_problem problem;
  auto given = read_decision(e.payload.get_object(), problem);
  if (!given) return to_error(problem);
  auto id = core::approval_id::parse(*text);
  if (!id) return core::error{core::errc::not_found, "Approval not found: " + text->substr(0, 64)};
  given->what.approval = *id;
  return std::move(*given);
}

core::result<core::react> reaction_of(const room_event& e) {
  auto text = text_of(e, "messageId");
  auto message = text ? core::message_id::parse(*text) : std::nullopt;
  if (!message) return wrong("messageId", "must be the id of a message.");
  auto emoji = text_of(e, "emoji");
  if (!emoji || emoji->empty()) return wrong("emoji", "must be a non-empty string.");
  if (!e.field("added")) return core::react{*message, std::move(*emoji), true};
  auto added = flag_of(e, "added");
  if (!added) return added.error();
  return core::react{*message, std::move(*emoji), *added};
}

std::string to_text(const room_states& rooms) {
  json::array all;
  for (const auto& [id, room] : rooms) {
    json::object entry{{"id", id.str()}, {"joined", room.joined}};
    if (room.seq) entry["seq"] = *room.seq;
    all.push_back(std::move(entry));
  }
  return json::serialize(all);
}

std::optional<room_states> recovered_rooms(const std::optional<std::string>& state, std::string_view offset,
                                           std::size_t limit) {
  auto places = offsets_from(offset);
  room_states rooms;
  if (!state) {
    if (!places || places->empty()) return std::nullopt;
    for (const auto& [id, seq] : *places)
      if (rooms.size() < limit) rooms[id] = {true, false, seq, 0};
    return rooms;
  }
  auto known = parse_json(*state);
  if (!known || !known->is_array()) return std::nullopt;
  for (const auto& v : known->get_array()) {
    room_event entry{{}, v, {}, {}};
    auto text = text_of(entry, "id");
    auto id = text ? core::session_id::parse(*text) : std::nullopt;
    if (!id || rooms.size() >= limit) continue;
    const auto* joined = entry.field("joined");
    const auto* seq = entry.field("seq");
    auto& room = rooms[*id];
    room.joined = joined && joined->is_bool() && joined->get_bool();
    if (seq && seq->is_int64() && seq->get_int64() >= 0) room.seq = static_cast<core::seq_t>(seq->get_int64());
  }
  // What is not among the client's places has sent it nothing since it came.
  if (places)
    for (const auto& [id, seq] : *places)
      if (auto room = rooms.find(id); room != rooms.end()) room->second.seq = seq;
  return rooms;
}

}  // namespace troupe::transport
