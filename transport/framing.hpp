// How a JSON text becomes bytes on a connection. Server frames are not masked, so the same bytes serve every client of a
// dialect: they are made once and shared. Pure functions, any thread.
#pragma once

#include "core/ids.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace troupe::transport {

/// Immutable and shared between connections.
using bytes = std::shared_ptr<const std::string>;

enum class framing : std::uint8_t {
  websocket,
  sse,
  lines,  ///< the JSON text and a newline: for answers that are not sent frame by frame
};

/// Appends one unfragmented WebSocket text frame (RFC 6455 §5.2, FIN, opcode 1, no mask).
void append_websocket_text(std::string& out, std::string_view payload);
/// Appends one server-sent event as one HTTP chunk: `id` (left out when 0), `event`, `data`. `data` holds no newline.
void append_sse_event(std::string& out, core::seq_t id, std::string_view event, std::string_view data);
/// A comment line that keeps a quiet stream alive, as one HTTP chunk.
void append_sse_comment(std::string& out, std::string_view comment);

}  // namespace troupe::transport
