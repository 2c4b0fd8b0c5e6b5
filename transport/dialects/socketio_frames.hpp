// How the Socket.IO dialects write their events: as whole Engine.IO packets, with the place in the session's log as the last
// argument, from which a client that comes back goes on (PROTOCOLS §6, state recovery). Pure.
#pragma once

#include "transport/dialects/dialect.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::transport {

/// `4` + `2<nsp>,["<name>",<payload>,"<session>:<seq>"]` as one frame. Events that are not stored (`seq` 0) carry no offset:
/// they must not move the client's.
void put_event(frame_writer& out, std::string_view nsp, std::string_view name, std::string_view payload,
               core::session_id session, core::seq_t seq);

/// The same as a packet for client_port::send, without an offset.
[[nodiscard]] std::string event_packet(std::string_view nsp, std::string_view name, std::string_view payload);

/// `,"<session>:<seq>"`, for encoders that write a hot event themselves; `session` is the UUID's text.
void append_offset(std::string& out, std::string_view session, core::seq_t seq);

/// `<session>:<seq>,<session>:<seq>…`, of several places in one session the first; what cannot be read, or names more than a
/// thousand, gives nothing.
using offsets = std::vector<std::pair<core::session_id, core::seq_t>>;
[[nodiscard]] std::string to_text(const offsets& places);
[[nodiscard]] std::optional<offsets> offsets_from(std::string_view text);

/// WebSocket-framed packets of put_event, each with `others` (as to_text gives them) put behind its own offset. For clients
/// that follow several sessions at once: the last event they saw must tell where they are in all of them.
[[nodiscard]] bytes with_other_offsets(const std::string& framed, std::string_view others);

}  // namespace troupe::transport
