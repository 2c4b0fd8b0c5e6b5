#include "transport/endpoints.hpp"

#include "transport/auth.hpp"
#include "transport/dialects/agent_stream.hpp"
#include "transport/dialects/chat_events.hpp"
#include "transport/dialects/chat_room.hpp"
#include "transport/dialects/conversation.hpp"
#include "transport/dialects/nexus.hpp"
#include "transport/rest/rest.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <charconv>

namespace troupe::transport {

namespace json = boost::json;
using core::errc;

namespace {

/// `host[:port]` without the port; IPv6 without its brackets.
std::string_view host_of(std::string_view authority) {
  if (authority.starts_with('[')) return authority.substr(1, std::min(authority.find(']'), authority.size()) - 1);
  return authority.substr(0, authority.find(':'));
}

std::string_view authority_of(std::string_view origin) {
  auto scheme = origin.find("://");
  return scheme == std::string_view::npos ? origin : origin.substr(scheme + 3);
}

/// A page under another name cannot have been served by an address: DNS rebinding needs a name.
bool is_address(std::string_view host) {
  return host.find(':') != std::string_view::npos ||
         (!host.empty() && host.find_first_not_of("0123456789.") == std::string_view::npos);
}

/// `127.0.0.1.example.com` is a name of somebody else's.
bool is_loopback_name(std::string_view host) {
  return host == "localhost" || host == "::1" || (host.starts_with("127.") && is_address(host));
}

bool is_listed(const core::config& config, std::string_view origin) {
  return std::find(config.cors_origins.begin(), config.cors_origins.end(), origin) != config.cors_origins.end();
}

bool is_listed_host(const core::config& config, std::string_view host) {
  return std::any_of(config.cors_origins.begin(), config.cors_origins.end(),
                     [&](const std::string& origin) { return host_of(authority_of(origin)) == host; });
}

http_response error_response(const core::error& e, int status) {
  http_response r;
  r.status = status;
  r.body = json::serialize(
      json::object{{"error", json::object{{"code", core::to_string(e.code)}, {"message", e.text}}}, {"message", e.text}});
  return r;
}

http_response unauthorized(const core::error& e) {
  auto r = error_response(e, 401);
  r.headers.emplace_back("WWW-Authenticate", "Bearer");
  return r;
}

constexpr std::string_view socketio_path = "/socket.io";

/// What stands behind `prefix`, where that is one segment; else nothing.
std::string_view last_segment(std::string_view path, std::string_view prefix) {
  constexpr std::size_t longest_id = 200;
  if (!path.starts_with(prefix)) return {};
  auto id = path.substr(prefix.size());
  return id.size() <= longest_id && id.find('/') == std::string_view::npos ? id : std::string_view{};
}

/// A number in the query; anything else counts as absent.
std::optional<core::seq_t> seq_value(const http_request& request, std::string_view name) {
  auto text = request.query_value(name);
  core::seq_t seq = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seq);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return seq;
}

/// Adds the CORS headers of an allowed origin to whatever a route answers.
class cors_exchange final : public http_exchange {
 public:
  cors_exchange(std::shared_ptr<http_exchange> inner, std::string origin)
      : inner_(std::move(inner)), origin_(std::move(origin)) {}

  void respond(http_response response) override {
    for (auto& h : headers()) response.headers.push_back(std::move(h));
    inner_->respond(std::move(response));
  }
  std::shared_ptr<peer> start_stream(std::shared_ptr<peer_owner> owner,
                                     std::vector<std::pair<std::string, std::string>> more) override {
    for (auto& h : headers()) more.push_back(std::move(h));
    return inner_->start_stream(std::move(owner), std::move(more));
  }
  void on_abandoned(std::function<void()> f) override { inner_->on_abandoned(std::move(f)); }
  void post(std::function<void()> f) override { inner_->post(std::move(f)); }

 private:
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> headers() const {
    return {{"Access-Control-Allow-Origin", origin_},
            {"Access-Control-Allow-Credentials", "true"},
            {"Access-Control-Expose-Headers", "Content-Disposition, Retry-After"},
            {"Vary", "Origin"}};
  }

  std::shared_ptr<http_exchange> inner_;
  std::string origin_;
};

}  // namespace

std::optional<core::error> refuse_foreign(const core::config& config, const http_request& request) {
  auto host = request.header("host");
  auto name = host_of(host);
  if (request.is_loopback && !host.empty() && !is_loopback_name(name) && !is_address(name) && !is_listed_host(config, name))
    return core::error{errc::forbidden, "Host " + std::string(name.substr(0, 100)) +
                                            " is not this server's; list its origin in cors.origins to allow it."};
  auto origin = request.header("origin");
  if (origin.empty() || is_listed(config, origin) || authority_of(origin) == host) return std::nullopt;
  if (request.is_loopback && is_loopback_name(host_of(authority_of(origin)))) return std::nullopt;
  return core::error{errc::forbidden,
                     "Origin " + std::string(origin.substr(0, 100)) + " is not allowed; list it in cors.origins."};
}

server_handlers endpoints::handlers() {
  return {[this](http_request r, std::shared_ptr<http_exchange> e) { on_request(std::move(r), std::move(e)); },
          [this](const http_request& r) { return on_upgrade(r); },
          [](core::error e) { return error_response(e, core::http_status(e.code)); }};
}

endpoints::endpoints(gateway& way, const dialect_watchers& watchers)
    : way_(way), hub_(way, watchers.chats, watchers.conversations) {
  const auto& config = way.config();
  socketio_options options;
  options.engine.ping_interval = config.socketio.ping_interval;
  options.engine.ping_timeout = config.socketio.ping_timeout;
  options.engine.max_payload = config.socketio.max_payload;
  options.engine.max_sessions = config.limits.max_connections;
  options.engine.outbound_limit_bytes = config.limits.outbound_limit_bytes;
  options.engine.high_water_bytes = config.limits.outbound_high_water_bytes;
  options.engine.drop_timeout = config.limits.slow_client_timeout;
  options.connect_timeout = config.socketio.connect_timeout;
  auto speaking = [this](protocol_factory factory) -> socketio_namespace {
    return [this, factory = std::move(factory)](const std::shared_ptr<socketio_socket>& socket, const json::object& auth) {
      return welcome(socket, auth, factory);
    };
  };
  socketio_ =
      socketio_server::make(way.io(), options, {{"/", speaking(make_chat_events)}, {"/chat", speaking(make_chat_room)}});
}

upgrade endpoints::on_upgrade(const http_request& request) {
  const auto& config = way_.config();
  if (auto refused = refuse_foreign(config, request)) return {error_response(*refused, 403), {}};
  std::string_view path = request.path;
  if (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  if (path == socketio_path) return socketio_->on_upgrade(request);
  core::agent_id agent{request.query_value("agent")};
  auto who = way_.auth().of_request(request);
  if (path == "/ws" || path == "/api/v1/ws") {
    // Its clients send their credentials in the first frame.
    nexus_connect connect{{request.query_value("projectId")}, agent, path == "/api/v1/ws"};
    return accept_with({who ? *who : core::principal::nobody(), false},
                       [connect](client_port& port) { return make_nexus(port, connect); });
  }
  auto after = seq_value(request, "afterSeq");
  if (auto id = last_segment(path, "/ws/chat/"); !id.empty()) {
    if (!who) return {unauthorized(who.error()), {}};
    conversation_connect connect{std::string(id), config.default_project, agent, after};
    return accept_with({*who, config.auth.required}, [connect](client_port& port) { return make_conversation(port, connect); });
  }
  if (auto id = last_segment(path, "/api/v1/ws/chat/"); !id.empty()) {
    if (!who) return {unauthorized(who.error()), {}};
    agent_stream_connect connect{std::string(id), config.default_project, request.query_value("session"), after};
    return accept_with({*who, config.auth.required}, [connect](client_port& port) { return make_agent_stream(port, connect); });
  }
  core::error unknown{errc::not_found, "No WebSocket at " + request.path.substr(0, 200) +
                                           "; try /ws, /ws/chat/{conversation_id}, /api/v1/ws/chat/{agent_id} or /socket.io/."};
  return {error_response(unknown, 404), {}};
}

upgrade endpoints::accept_with(client_identity who, protocol_factory factory) {
  return {{},
          [this, who = std::move(who), factory = std::move(factory)](std::shared_ptr<peer> p) -> std::shared_ptr<peer_owner> {
            auto c = client::make(hub_, std::move(p), who, factory);
            if (clients_.size() >= sweep_at_) {
              std::erase_if(clients_, [](const auto& weak) { return weak.expired(); });
              sweep_at_ = std::max<std::size_t>(64, clients_.size() * 2);
            }
            clients_.push_back(c);
            return c;
          }};
}

/// A bad token does not refuse the namespace: its first event does (PROTOCOLS §5).
socketio_welcome endpoints::welcome(const std::shared_ptr<socketio_socket>& socket, const json::object& auth,
                                    const protocol_factory& factory) {
  auto text = [&](std::string_view name) {
    const auto* v = auth.if_contains(name);
    return v && v->is_string() ? std::string(v->get_string()) : std::string{};
  };
  auto token = text("token");
  bool by_header = !socket->handshake().header("authorization").empty();
  auto who = by_header || token.empty() ? way_.auth().of_request(socket->handshake()) : way_.auth().of_token(token);
  auto c = client::make(hub_, socket, {who ? *who : core::principal::nobody(), false}, factory);
  if (!way_.config().socketio.recovery) return {owner_of(c), {}, {}};
  auto pid = text("pid");
  constexpr std::size_t longest_pid = 64;
  if (pid.empty() || pid.size() > longest_pid || !c->recover(pid, text("offset"))) {
    pid = way_.environment().random_uuid().hex();
    c->set_pid(pid);
  }
  return {owner_of(c), pid, {}};
}

void endpoints::on_request(http_request request, std::shared_ptr<http_exchange> exchange) {
  if (auto refused = refuse_foreign(way_.config(), request)) return exchange->respond(error_response(*refused, 403));
  std::string origin(request.header("origin"));
  if (!origin.empty()) exchange = std::make_shared<cors_exchange>(std::move(exchange), origin);
  if (request.method == "OPTIONS") {
    http_response r;
    r.status = 204;
    r.headers = {{"Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE"},
                 {"Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, Last-Event-ID"},
                 {"Access-Control-Max-Age", "600"}};
    return exchange->respond(std::move(r));
  }
  if (request.path == "/socket.io/" || request.path == socketio_path)
    return socketio_->on_request(std::move(request), std::move(exchange));
  dispatch(hub_, std::move(request), std::move(exchange));
}

void endpoints::drain() {
  auto clients = std::move(clients_);
  clients_.clear();
  for (const auto& weak : clients)
    if (auto c = weak.lock()) c->drain(1012, "the server restarts");
  socketio_->close_all();
}

}  // namespace troupe::transport
