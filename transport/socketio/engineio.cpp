#include "transport/socketio/engineio.hpp"

#include "transport/net/connection.hpp"
#include "transport/socketio/engineio_session.hpp"

namespace troupe::transport {

namespace {

/// Like the reference. It also keeps the order between a client's WebSocket and its requests: clients compress in the
/// background, and an upgrade packet would arrive behind a GET that was sent after it.
constexpr bool compresses = false;

/// Of a WebSocket that has no business here.
class nobody final : public peer_owner {
 public:
  void on_message(std::string_view, bool) override {}
  void on_drained() override {}
  void on_closed() override {}
};

http_response too_many_sessions() {
  http_response out;
  out.status = 503;
  out.body = "{\"code\":3,\"message\":\"Too many sessions\"}";
  out.headers = {{"Retry-After", "5"}};
  return out;
}

class engineio_server_impl final : public engineio_server {
 public:
  engineio_server_impl(boost::asio::io_context& io, engineio_options options, accept_fn accept)
      : registry_(std::make_shared<engineio_registry>(io, options)),
        accept_(std::make_shared<const accept_fn>(std::move(accept))) {}

  ~engineio_server_impl() override {
    for (const auto& session : all()) session->end_now();
    registry_->tell_now();
  }

  void on_request(http_request request, std::shared_ptr<http_exchange> exchange) override;
  upgrade on_upgrade(const http_request& request) override;

  void close_all() override {
    for (const auto& session : all()) session->close(1012, "the server restarts");
  }
  std::size_t size() const noexcept override { return registry_->sessions.size(); }

 private:
  [[nodiscard]] std::vector<std::shared_ptr<engineio_session>> all() const {
    std::vector<std::shared_ptr<engineio_session>> out;
    for (const auto& [sid, session] : registry_->sessions) out.push_back(session);
    return out;
  }
  /// Why a new session is refused, if it is.
  [[nodiscard]] std::optional<http_response> refuse_handshake(const http_request& request) const {
    if (request.query_value("EIO") != "4") return refuse_engineio(engineio_refusal::unsupported_version);
    if (registry_->sessions.size() >= registry_->options.max_sessions) return too_many_sessions();
    return std::nullopt;
  }

  std::shared_ptr<engineio_registry> registry_;
  std::shared_ptr<const accept_fn> accept_;
};

void give_owner(const std::shared_ptr<engineio_session>& session, const engineio_server::accept_fn& accept) {
  std::shared_ptr<peer_owner> owner;
  guarded([&] { owner = accept(session); });
  session->start(std::move(owner));
}

/// The checks come in the order of the reference, so that each mistake gets the number it gets there.
void engineio_server_impl::on_request(http_request request, std::shared_ptr<http_exchange> exchange) {
  auto refuse = [&](engineio_refusal why) { exchange->respond(refuse_engineio(why)); };
  if (request.method == "OPTIONS") {
    http_response answer;
    answer.status = 204;
    answer.headers = {{"Access-Control-Allow-Methods", "GET, POST"}, {"Access-Control-Allow-Headers", "Content-Type"}};
    return exchange->respond(std::move(answer));
  }
  const auto transport = request.query_value("transport");
  if (transport != "polling" && transport != "websocket") return refuse(engineio_refusal::unknown_transport);
  if (const auto sid = request.query_value("sid"); !sid.empty()) {
    const auto session = registry_->find(sid);
    if (!session) return refuse(engineio_refusal::unknown_sid);
    if (transport != "polling") return refuse(engineio_refusal::bad_request);
    if (request.method == "GET") return session->on_get(std::move(exchange));
    if (request.method == "POST") return session->on_post(std::move(request.body), std::move(exchange));
    return refuse(engineio_refusal::bad_request);
  }
  if (request.method != "GET") return refuse(engineio_refusal::bad_method);
  if (transport != "polling") return refuse(engineio_refusal::bad_request);
  if (auto refusal = refuse_handshake(request)) return exchange->respond(std::move(*refusal));
  auto session = std::make_shared<engineio_session>(registry_, std::move(request));
  registry_->add(session);
  session->open_polling(*exchange);
  give_owner(session, *accept_);
}

upgrade engineio_server_impl::on_upgrade(const http_request& request) {
  auto refuse = [](engineio_refusal why) { return upgrade{refuse_engineio(why), {}}; };
  const auto transport = request.query_value("transport");
  if (transport == "polling") return refuse(engineio_refusal::bad_request);
  if (transport != "websocket") return refuse(engineio_refusal::unknown_transport);
  if (const auto sid = request.query_value("sid"); !sid.empty()) {
    const auto session = registry_->find(sid);
    if (!session) return refuse(engineio_refusal::unknown_sid);
    auto accept = [session](const std::shared_ptr<peer>& websocket) -> std::shared_ptr<peer_owner> {
      if (session->probe(websocket)) return make_engineio_link(session, *websocket);
      websocket->close(1008, "this session has a WebSocket already");
      return std::make_shared<nobody>();
    };
    return {{}, std::move(accept), compresses};
  }
  if (auto refusal = refuse_handshake(request)) return {std::move(*refusal), {}};
  auto accept = [registry = registry_, accept = accept_, request](const std::shared_ptr<peer>& websocket) {
    auto session = std::make_shared<engineio_session>(registry, request);
    registry->add(session);
    session->open_websocket(websocket);
    give_owner(session, *accept);
    return make_engineio_link(session, *websocket);
  };
  return {{}, std::move(accept), compresses};
}

}  // namespace

std::unique_ptr<engineio_server> engineio_server::make(boost::asio::io_context& io, engineio_options options,
                                                       accept_fn accept) {
  return std::make_unique<engineio_server_impl>(io, options, std::move(accept));
}

}  // namespace troupe::transport
