// What the sockets are plugged into: which WebSocket path speaks which dialect, who may connect from where, and the way
// into the REST routes. One per io thread, made before its server and closed after it. Runs on the io thread.
#pragma once

#include "transport/client.hpp"
#include "transport/server.hpp"

#include <memory>
#include <unordered_set>

namespace troupe::transport {

class endpoints {
 public:
  explicit endpoints(gateway& way) : way_(way), hub_(way) {}

  /// For server::listen. This object outlives the server.
  [[nodiscard]] server_handlers handlers();
  /// Tells every WebSocket client that the server stops, and closes it (PROTOCOLS §1.4).
  void drain();
  [[nodiscard]] feed_hub& hub() noexcept { return hub_; }

 private:
  [[nodiscard]] upgrade on_upgrade(const http_request& request);
  void on_request(http_request request, std::shared_ptr<http_exchange> exchange);
  [[nodiscard]] std::function<std::shared_ptr<peer_owner>(std::shared_ptr<peer>)> accept_with(protocol_factory factory);

  gateway& way_;
  feed_hub hub_;
  std::vector<std::weak_ptr<client>> clients_;
  std::size_t sweep_at_ = 64;
};

/// What keeps other people's web pages away (PROTOCOLS §7): nothing where the request may go on, else a 403.
[[nodiscard]] std::optional<core::error> refuse_foreign(const core::config& config, const http_request& request);

}  // namespace troupe::transport
