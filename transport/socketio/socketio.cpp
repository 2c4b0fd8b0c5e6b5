#include "transport/socketio/socketio.hpp"

#include "transport/socketio/socketio_connection.hpp"

namespace troupe::transport {

namespace {

class socketio_server_impl final : public socketio_server {
 public:
  socketio_server_impl(boost::asio::io_context& io, socketio_options options,
                       std::map<std::string, socketio_namespace> namespaces)
      : engine_(engineio_server::make(io, options.engine,
                                      [registry = std::make_shared<socketio_registry>(io, options, std::move(namespaces))](
                                          std::shared_ptr<engineio_socket> socket) -> std::shared_ptr<peer_owner> {
                                        return std::make_shared<socketio_connection>(registry, std::move(socket));
                                      })) {}

  void on_request(http_request request, std::shared_ptr<http_exchange> exchange) override {
    engine_->on_request(std::move(request), std::move(exchange));
  }
  upgrade on_upgrade(const http_request& request) override { return engine_->on_upgrade(request); }
  void close_all() override { engine_->close_all(); }
  std::size_t size() const noexcept override { return engine_->size(); }

 private:
  std::unique_ptr<engineio_server> engine_;
};

}  // namespace

std::unique_ptr<socketio_server> socketio_server::make(boost::asio::io_context& io, socketio_options options,
                                                       std::map<std::string, socketio_namespace> namespaces) {
  return std::make_unique<socketio_server_impl>(io, options, std::move(namespaces));
}

}  // namespace troupe::transport
