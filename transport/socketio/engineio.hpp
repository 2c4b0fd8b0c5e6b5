// Engine.IO v4 (PROTOCOLS §6): a connection over long polling or WebSocket that may move from the one to the other, with
// heartbeats from the server. Knows nothing of what travels in its messages. Plugged into a `server` through its two calls;
// everything runs on the io thread.
#pragma once

#include "transport/net/server.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace troupe::transport {

struct engineio_options {
  std::chrono::milliseconds ping_interval{25'000};
  std::chrono::milliseconds ping_timeout{20'000};
  std::uint32_t max_payload = 1'000'000;
  std::uint32_t max_sessions = 20'000;             ///< of this server object; one more is refused with 503
  std::uint32_t outbound_limit_bytes = 4 << 20;    ///< waiting for a poll; more closes the session
  std::uint32_t high_water_bytes = 64 << 10;       ///< the same for `peer::is_congested`
  std::chrono::milliseconds drop_timeout{30'000};  ///< longest time above the high-water mark
};

/// One client. As a `peer` its messages are Engine.IO messages: `send_text("x")` is the packet `4x`; `send` takes bytes that
/// hold whole WebSocket text frames whose payloads are packets, so that one encoding serves every client; over polling they
/// are unwrapped. `close` ends the transport; its code and reason matter over WebSocket only.
class engineio_socket : public peer {
 public:
  [[nodiscard]] virtual const std::string& id() const noexcept = 0;
  /// The request that opened the session.
  [[nodiscard]] virtual const http_request& handshake() const noexcept = 0;
};

class engineio_server {
 public:
  /// Gives the owner of a client that has just opened; its on_message gets the messages (text or binary) without the `4`.
  using accept_fn = std::function<std::shared_ptr<peer_owner>(std::shared_ptr<engineio_socket>)>;

  virtual ~engineio_server() = default;
  /// GET, POST and OPTIONS at the path of this server.
  virtual void on_request(http_request request, std::shared_ptr<http_exchange> exchange) = 0;
  virtual upgrade on_upgrade(const http_request& request) = 0;
  /// Closes every transport without a word of the layers above, so that clients reconnect (PROTOCOLS §6, drain).
  virtual void close_all() = 0;
  [[nodiscard]] virtual std::size_t size() const noexcept = 0;

  [[nodiscard]] static std::unique_ptr<engineio_server> make(boost::asio::io_context& io, engineio_options options,
                                                             accept_fn accept);
};

}  // namespace troupe::transport
