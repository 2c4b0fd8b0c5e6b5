#include "transport/dialects/dialect.hpp"

#include "transport/dialects/conversation.hpp"
#include "transport/dialects/nexus.hpp"

namespace troupe::transport {

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

std::unique_ptr<encoder> make_encoder(encoder_kind kind, core::session_id session) {
  switch (kind) {
    case encoder_kind::nexus_a:
      return std::make_unique<nexus_encoder>(session, false);
    case encoder_kind::nexus_b:
      return std::make_unique<nexus_encoder>(session, true);
    case encoder_kind::conversation:
      return std::make_unique<conversation_encoder>();
  }
  return nullptr;
}

}  // namespace troupe::transport
