// Engine.IO v4 on the wire: packets, the payloads of long polling, the handshake and the refusals. Pure functions without
// sockets; any thread. What the numbers mean: the protocol document of Engine.IO, revision 4.
#pragma once

#include "transport/socketio/engineio.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace troupe::transport {

enum class engineio_type : char { open = '0', close, ping, pong, message, upgrade, noop };

struct engineio_packet {
  engineio_type type = engineio_type::message;
  bool is_text = true;
  std::string_view data;  ///< of the text that was decoded, or of `storage` where it was binary
};

/// One packet as text: its type and its data, or `b` and base64. Nothing where it is not a packet.
[[nodiscard]] std::optional<engineio_packet> decode_engineio(std::string_view text, std::string& storage);
void append_engineio_binary(std::string& out, std::string_view data);

/// The packet of a payload that starts at `at`, which moves to the next one, or behind the end after the last.
[[nodiscard]] std::string_view take_engineio_packet(std::string_view payload, std::size_t& at);
inline constexpr char engineio_separator = '\x1e';

/// `0{"sid":…}`.
[[nodiscard]] std::string engineio_handshake(std::string_view sid, bool can_upgrade, const engineio_options& options);

/// The numbers are the protocol's.
enum class engineio_refusal : int {
  unknown_transport = 0,
  unknown_sid = 1,
  bad_method = 2,
  bad_request = 3,
  unsupported_version = 5,
};
/// 400 with `{"code":n,"message":"…"}`.
[[nodiscard]] http_response refuse_engineio(engineio_refusal why);

/// 128 bits from the operating system as 22 characters of base64url.
[[nodiscard]] std::string random_engineio_id();

}  // namespace troupe::transport
