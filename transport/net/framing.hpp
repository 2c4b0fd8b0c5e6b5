// How a JSON text becomes bytes on a connection. Server frames are not masked, so the same bytes serve every client of a
// dialect: they are made once and shared. Pure functions, any thread.
#pragma once

#include "core/ids.hpp"

#include <cstdint>
#include <memory>
#include <optional>
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

/// First byte of an unfragmented WebSocket frame: FIN and the opcode (RFC 6455 §5.2).
enum class ws_frame_kind : std::uint8_t { text = 0x81, binary = 0x82, close = 0x88, ping = 0x89, pong = 0x8a };

/// Appends one unfragmented, unmasked WebSocket frame. `is_compressed` sets RSV1 (RFC 7692 §6).
void append_websocket_frame(std::string& out, ws_frame_kind kind, std::string_view payload, bool is_compressed = false);
void append_websocket_text(std::string& out, std::string_view payload);
/// The payload of the server's WebSocket text frame that starts at `at`, which moves behind it. Nothing at the end, and where
/// the bytes are anything but whole unmasked text frames.
[[nodiscard]] std::optional<std::string_view> take_websocket_text(std::string_view frames, std::size_t& at);
void append_websocket_binary(std::string& out, std::string_view payload);
/// Appends one server-sent event as one HTTP chunk: `id` (left out when 0), `event`, `data`. `data` holds no newline.
void append_sse_event(std::string& out, core::seq_t id, std::string_view event, std::string_view data);
/// A comment line that keeps a quiet stream alive, as one HTTP chunk.
void append_sse_comment(std::string& out, std::string_view comment);

}  // namespace troupe::transport
