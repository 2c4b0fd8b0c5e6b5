#include "transport/dialects/dialect.hpp"

#include "transport/dialects/agent_stream.hpp"
#include "transport/dialects/chat_events.hpp"
#include "transport/dialects/chat_room.hpp"
#include "transport/dialects/conversation.hpp"
#include "transport/dialects/nexus.hpp"

#include <boost/json/serialize.hpp>

namespace troupe::transport {

namespace json = boost::json;

void put(frame_writer& out, core::seq_t seq, std::string_view type, json::object fields) {
  json::object frame;
  frame.reserve(fields.size() + 1);
  frame["type"] = type;
  for (auto& [key, value] : fields) frame[key] = std::move(value);
  out.frame(json::serialize(frame), seq, type);
}

void frame_writer::frame(std::string_view json, core::seq_t seq, std::string_view type) {
  switch (framing_) {
    case framing::websocket:
      return append_websocket_text(out_, json);
    case framing::sse:
      return append_sse_event(out_, seq, type, json);
    case framing::lines:
      out_.append(json).push_back('\n');
  }
}

std::unique_ptr<encoder> make_encoder(encoder_kind kind, core::session_id session, bool with_offsets) {
  switch (kind) {
    case encoder_kind::nexus_a:
      return std::make_unique<nexus_encoder>(session, nexus_style::a);
    case encoder_kind::nexus_b:
      return std::make_unique<nexus_encoder>(session, nexus_style::b);
    case encoder_kind::nexus_log:
      return std::make_unique<nexus_encoder>(session, nexus_style::log);
    case encoder_kind::conversation:
      return std::make_unique<conversation_encoder>();
    case encoder_kind::agent_stream:
      return std::make_unique<agent_stream_encoder>(true);
    case encoder_kind::agent_stream_quiet:
      return std::make_unique<agent_stream_encoder>(false);
    case encoder_kind::chat_events:
      return std::make_unique<chat_events_encoder>(session, with_offsets);
    case encoder_kind::chat_room:
      return std::make_unique<chat_room_encoder>(session, with_offsets);
  }
  return nullptr;
}

core::presence_changed::user shown_user(const std::string& id, const std::string& name) {
  if (id.empty()) return {"anonymous", name.empty() ? "Anonymous" : name};
  return {id, name.empty() ? id : name};
}

core::presence_changed::user shown_user(const core::principal& who) { return shown_user(who.id, who.name); }

}  // namespace troupe::transport
