// What the sockets are plugged into: which WebSocket path speaks which dialect, who may connect from where, and the way
// into the REST routes. One per io thread, made before its server and closed after it. Runs on the io thread.
#pragma once

#include "transport/client.hpp"
#include "transport/dialect_watchers.hpp"
#include "transport/net/server.hpp"
#include "transport/socketio/socketio.hpp"

#include <memory>
#include <vector>

namespace troupe::transport {

class endpoints {
 public:
  explicit endpoints(gateway& way, const dialect_watchers& watchers);

  /// For server::listen. This object outlives the server.
  [[nodiscard]] server_handlers handlers();
  /// Tells every WebSocket client that the server stops, and closes it (PROTOCOLS §1.4).
  void drain();
  [[nodiscard]] feed_hub& hub() noexcept { return hub_; }

 private:
  [[nodiscard]] upgrade on_upgrade(const http_request& request);
  void on_request(http_request request, std::shared_ptr<http_exchange> exchange);
  [[nodiscard]] upgrade accept_with(client_identity who, protocol_factory factory);
  [[nodiscard]] socketio_welcome welcome(const std::shared_ptr<socketio_socket>& socket, const boost::json::object& auth,
                                         const protocol_factory& factory);

  gateway& way_;
  feed_hub hub_;
  std::unique_ptr<socketio_server> socketio_;
  std::vector<std::weak_ptr<client>> clients_;
  std::size_t sweep_at_ = 64;
};

/// What keeps other people's web pages away (PROTOCOLS §7): nothing where the request may go on, else a 403.
[[nodiscard]] std::optional<core::error> refuse_foreign(const core::config& config, const http_request& request);

}  // namespace troupe::transport
