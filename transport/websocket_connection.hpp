// The WebSocket side of an upgrade, as the HTTP connection sees it; Beast stays behind it. io thread only.
#pragma once

#include "transport/connection.hpp"
#include "transport/server.hpp"

#include <memory>
#include <string>

namespace troupe::transport {

class websocket_connection : public peer, public connection {
 public:
  using connection::connection;
  /// Queues the 101 answer. `early` is what the client sent behind its request. Once, after the registry knows this object.
  virtual void accept(const std::string& key, std::string early) = 0;
  /// Starts reading. Without an owner (refused late, or failed) the connection is closed with 1011.
  virtual void start(std::shared_ptr<peer_owner> owner) = 0;
};

[[nodiscard]] std::shared_ptr<websocket_connection> make_websocket_connection(connection_parts parts);

}  // namespace troupe::transport
