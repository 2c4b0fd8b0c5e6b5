// The transport by itself, for conformance suites: echo over WebSocket, Engine.IO and Socket.IO (README.md). One thread.
#include "transport/net/server.hpp"
#include "transport/socketio/engineio.hpp"
#include "transport/socketio/socketio.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using namespace troupe;
using namespace troupe::transport;

constexpr std::uint32_t largest_message = 8 << 20;

/// What the protocols' own suites expect.
struct settings {
  std::uint32_t port = 3000;
  std::uint32_t ping_interval_ms = 300;
  std::uint32_t ping_timeout_ms = 200;
  std::uint32_t connect_timeout_ms = 1000;
};

/// Sends every message back as it came.
class echo final : public peer_owner {
 public:
  explicit echo(std::shared_ptr<peer> to) : to_(std::move(to)) {}
  void on_message(std::string_view message, bool is_text) override {
    if (is_text)
      to_->send_text(message);
    else
      to_->send_binary(message);
  }
  void on_drained() override {}
  void on_closed() override { to_.reset(); }

 private:
  std::shared_ptr<peer> to_;
};

/// `auth` on connect; in the main namespace `message` comes back as `message-back`, `message-with-ack` as its acknowledgement.
class socketio_echo final : public socketio_owner, public std::enable_shared_from_this<socketio_echo> {
 public:
  socketio_echo(std::shared_ptr<socketio_socket> to, json::object auth, core::timer_service& timers, bool answers)
      : to_(std::move(to)), auth_(std::move(auth)), timers_(timers), answers_(answers) {}

  void on_open() override {
    // A little later than the CONNECT packet: a client that waits for one message, and then for the next, misses the second
    // of two that arrive together.
    auth_timer_ = timers_.after(10ms, [weak = weak_from_this()] {
      if (auto me = weak.lock()) me->send_auth();
    });
  }
  void on_event(socketio_event event) override {
    send_auth();
    if (!to_ || !answers_) return;
    if (event.name == "message") to_->emit("message-back", std::move(event.args), std::move(event.attachments));
    if (event.name == "message-with-ack" && event.ack_id)
      to_->acknowledge(*event.ack_id, std::move(event.args), std::move(event.attachments));
  }
  void on_drained() override {}
  void on_closed() override { to_.reset(); }

 private:
  void send_auth() {
    auth_timer_.reset();
    if (to_ && !std::exchange(said_auth_, true)) to_->emit("auth", json::array{json::value(auth_)});
  }

  std::shared_ptr<socketio_socket> to_;
  json::object auth_;
  core::timer_service& timers_;
  std::unique_ptr<core::timer> auth_timer_;
  bool answers_;
  bool said_auth_ = false;
};

http_response refusal(int status, std::string_view text) {
  http_response out;
  out.status = status;
  out.content_type = "text/plain; charset=UTF-8";
  out.body = std::string(text) + "\n";
  return out;
}

bool is_under(std::string_view path, std::string_view folder) {
  return path == folder || (path.starts_with(folder) && path.substr(folder.size()) == "/");
}

class conformance {
 public:
  conformance(boost::asio::io_context& io, const settings& chosen)
      : timers_(make_timer_service(io)),
        engineio_(
            engineio_server::make(io, engine_options(chosen),
                                  [](std::shared_ptr<engineio_socket> s) { return std::make_shared<echo>(std::move(s)); })),
        socketio_(
            socketio_server::make(io, socket_options(chosen), {{"/", name_space(true)}, {"/custom", name_space(false)}})) {}

  server_handlers handlers() {
    return {[this](http_request r, std::shared_ptr<http_exchange> e) {
              if (is_under(r.path, "/engine.io")) return engineio_->on_request(std::move(r), std::move(e));
              if (is_under(r.path, "/socket.io")) return socketio_->on_request(std::move(r), std::move(e));
              e->respond(refusal(404, "not found; see /echo, /engine.io/ and /socket.io/"));
            },
            [this](const http_request& r) -> upgrade {
              if (is_under(r.path, "/engine.io")) return engineio_->on_upgrade(r);
              if (is_under(r.path, "/socket.io")) return socketio_->on_upgrade(r);
              if (is_under(r.path, "/echo"))
                return {{}, [](std::shared_ptr<peer> p) { return std::make_shared<echo>(std::move(p)); }};
              return {refusal(404, "no WebSocket here; see /echo, /engine.io/ and /socket.io/"), {}};
            },
            [](const core::error& e) { return refusal(core::http_status(e.code), e.text); }};
  }

 private:
  static engineio_options engine_options(const settings& chosen) {
    engineio_options out;
    out.ping_interval = std::chrono::milliseconds(chosen.ping_interval_ms);
    out.ping_timeout = std::chrono::milliseconds(chosen.ping_timeout_ms);
    out.max_payload = 1'000'000;
    return out;
  }
  static socketio_options socket_options(const settings& chosen) {
    socketio_options out;
    out.engine = engine_options(chosen);
    out.connect_timeout = std::chrono::milliseconds(chosen.connect_timeout_ms);
    return out;
  }
  socketio_namespace name_space(bool answers) {
    return [this, answers](std::shared_ptr<socketio_socket> s, const json::object& auth) {
      return socketio_welcome{std::make_shared<socketio_echo>(std::move(s), auth, *timers_, answers), {}, {}};
    };
  }

  std::unique_ptr<core::timer_service> timers_;
  std::unique_ptr<engineio_server> engineio_;
  std::unique_ptr<socketio_server> socketio_;
};

/// Room for the largest messages of a suite and for its bursts; nobody is too slow here.
core::transport_limits limits() {
  core::transport_limits out;
  out.max_frame_bytes = largest_message;
  out.max_body_bytes = largest_message;
  out.permessage_deflate = true;
  out.idle_timeout = 1h;
  out.slow_client_timeout = 10min;
  out.connections_per_address = out.max_connections;
  out.outbound_high_water_bytes = 4 * largest_message;
  out.outbound_limit_bytes = 16 * largest_message;
  return out;
}

/// `--name N` or `--name=N`, in any order; nothing where anything else is said.
std::optional<settings> settings_of(int argc, char** argv) {
  settings out;
  const std::pair<std::string_view, std::uint32_t*> known[] = {{"--port", &out.port},
                                                               {"--ping-interval", &out.ping_interval_ms},
                                                               {"--ping-timeout", &out.ping_timeout_ms},
                                                               {"--connect-timeout", &out.connect_timeout_ms}};
  for (int i = 1; i < argc; ++i) {
    const std::string_view said = argv[i];
    const auto equals = said.find('=');
    const auto* option = std::ranges::find(known, said.substr(0, equals), &std::pair<std::string_view, std::uint32_t*>::first);
    if (option == std::end(known) || (equals == said.npos && ++i == argc)) return std::nullopt;
    const std::string_view text = equals == said.npos ? std::string_view(argv[i]) : said.substr(equals + 1);
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), *option->second);
    if (ec != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  }
  if (out.port > 65535) return std::nullopt;
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  const auto chosen = settings_of(argc, argv);
  if (!chosen) {
    const settings d;
    std::fprintf(stderr,
                 "usage: %s [--port N] [--ping-interval MS] [--ping-timeout MS] [--connect-timeout MS]\n"
                 "port 0 picks a free one; defaults: %u, %u, %u, %u\n",
                 argv[0], d.port, d.ping_interval_ms, d.ping_timeout_ms, d.connect_timeout_ms);
    return 2;
  }
  boost::asio::io_context io{1};
  conformance endpoints(io, *chosen);
  auto listening = server::listen(io, "127.0.0.1:" + std::to_string(chosen->port), limits(), endpoints.handlers());
  if (!listening) {
    std::fprintf(stderr, "%s\n", listening.error().text.c_str());
    return 1;
  }
  const auto url = (*listening)->url();
  // Where `localhost` means ::1 first; a machine without IPv6 does without.
  const auto over_ipv6 = server::listen(io, "[::1]" + url.substr(url.rfind(':')), limits(), endpoints.handlers());
  boost::asio::signal_set signals(io, SIGINT, SIGTERM);
  signals.async_wait([&](boost::system::error_code, int) { io.stop(); });
  std::printf("listening on %s\n", url.c_str());
  std::fflush(stdout);
  io.run();
  return 0;
}
