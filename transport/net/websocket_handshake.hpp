// The answer to a WebSocket handshake (RFC 6455 §4.2.2) and the negotiation of permessage-deflate (RFC 7692 §5). Pure, any
// thread; http_parser has checked the request before.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace troupe::transport {

/// What was agreed. Our own messages never refer to earlier ones, whatever was agreed about that.
struct deflate_parameters {
  int server_window_bits = 15;  ///< 9 to 15; of what we send
  bool server_no_context_takeover = false;
  bool client_no_context_takeover = false;
  std::optional<int> client_window_bits;  ///< as the client offered; what we read may use 15 in any case
};

/// The first acceptable offer in the joined values of Sec-WebSocket-Extensions; none where there is none, or bad syntax.
[[nodiscard]] std::optional<deflate_parameters> negotiate_deflate(std::string_view offers);

/// Head of the 101 answer. No subprotocol is ever selected.
[[nodiscard]] std::string switching_protocols(const std::string& key, const std::optional<deflate_parameters>& deflate);

}  // namespace troupe::transport
