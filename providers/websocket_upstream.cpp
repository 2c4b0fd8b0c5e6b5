#include "providers/websocket_upstream.hpp"

#include "providers/call_failure.hpp"
#include "providers/websocket_call.hpp"
#include "providers/websocket_message.hpp"
#include "providers/websocket_proxy.hpp"

#include <boost/asio/compose.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/role.hpp>
#include <boost/beast/core/stream_traits.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/websocket/error.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <array>
#include <charconv>
#include <utility>

namespace troupe::providers {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;
using tcp = asio::ip::tcp;

constexpr std::size_t upstream_buffer_bytes = 4096;
constexpr std::size_t max_refusal_body = 16 << 10;

/// An upstream that takes nothing more may have said why, or have said everything: what it said is read first, so a write
/// that fails is told by the read that finds the end. Beast would give up both.
struct plain_layer : tcp::socket {
  using tcp::socket::socket;

  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return asio::async_compose<Token, void(error_code, std::size_t)>(
        [this, buffers, is_sent = false](auto& self, error_code ec = {}, std::size_t n = 0) mutable {
          auto own = buffers;
          if (!std::exchange(is_sent, true)) return tcp::socket::async_write_some(own, std::move(self));
          if (!ec || ec == asio::error::operation_aborted) return self.complete(ec, n);
          self.complete({}, asio::buffer_size(own));
        },
        token, *this);
  }
};
struct tls_layer : asio::ssl::stream<plain_layer> {
  using asio::ssl::stream<plain_layer>::stream;
};

// Beast ends a connection by waiting until the peer closes it, and forgets why it ended should that fail. Here the socket is
// closed by who owns it, at once: there is nothing to tear down.
template <class Layer, class Handler>
void end_layer(Layer& layer, Handler&& handler) {
  asio::post(layer.get_executor(), beast::bind_front_handler(std::forward<Handler>(handler), error_code{}));
}
template <class Handler>
void async_teardown(beast::role_type, plain_layer& layer, Handler&& handler) {
  end_layer(layer, std::forward<Handler>(handler));
}
template <class Handler>
void async_teardown(beast::role_type, tls_layer& layer, Handler&& handler) {
  end_layer(layer, std::forward<Handler>(handler));
}

using plain_stream = websocket::stream<plain_layer, false>;
using tls_stream = websocket::stream<tls_layer, false>;

struct upstream {
  http_api api;
  websocket_url url;
  message_template message;
  std::shared_ptr<asio::ssl::context> tls;  ///< null: ws://
  std::optional<websocket_proxy> proxy;     ///< absent: straight there
};

/// One connection. Each step keeps the call alive until it is done; closing the socket ends them all.
template <class Stream>
class call final : public websocket_call {
 public:
  call(std::shared_ptr<const upstream> to, asio::io_context& io, std::string message, stream_options options, model_sink sink)
      : websocket_call({to, &to->api}, io, std::move(options), std::move(sink)),
        to_(std::move(to)),
        resolver_(io),
        stream_(make_stream(*to_, io)),
        message_(std::move(message)) {}

 private:
  static constexpr bool is_secure = std::is_same_v<Stream, tls_stream>;

  static Stream make_stream(const upstream& to, asio::io_context& io) {
    if constexpr (is_secure)
      return Stream(io, *to.tls);
    else
      return Stream(io);
  }
  auto self() { return std::static_pointer_cast<call>(shared_from_this()); }
  auto& socket() { return beast::get_lowest_layer(stream_); }

  void close_socket() noexcept override {
    resolver_.cancel();
    error_code ignored;
    socket().close(ignored);
  }

  void connect() override {
    const auto& host = to_->proxy ? to_->proxy->host : to_->url.host;
    const auto& port = to_->proxy ? to_->proxy->port : to_->url.port;
    resolver_.async_resolve(host, port, [me = self()](error_code ec, const tcp::resolver::results_type& found) {
      if (me->is_over()) return;
      if (ec) return me->fail(transfer_result::unreachable, me->first_hop() + ": " + ec.message());
      asio::async_connect(me->socket(), found, [me](error_code failed, const tcp::endpoint&) { me->on_connected(failed); });
    });
  }
  [[nodiscard]] std::string first_hop() const {
    return to_->proxy ? "the proxy " + to_->proxy->host + ":" + to_->proxy->port : to_->url.authority;
  }

  void on_connected(error_code ec) {
    if (is_over()) return;
    if (ec) return fail(transfer_result::unreachable, first_hop() + ": " + ec.message());
    socket().set_option(tcp::no_delay(true), ec);
    if (to_->proxy) return ask_proxy();
    secure();
  }

  void ask_proxy() {
    proxy_text_ = to_->proxy->request_to(to_->url);
    asio::async_write(socket(), asio::buffer(proxy_text_), [me = self()](error_code ec, std::size_t) {
      if (me->is_over()) return;
      if (ec) return me->fail(transfer_result::unreachable, me->first_hop() + ": " + ec.message());
      me->proxy_text_.clear();
      asio::async_read_until(me->socket(), asio::dynamic_buffer(me->proxy_text_, max_proxy_head), "\r\n\r\n",
                             [me](error_code failed, std::size_t n) { me->on_proxy_answer(failed, n); });
    });
  }

  void on_proxy_answer(error_code ec, std::size_t head) {
    if (is_over()) return;
    if (ec) return fail(transfer_result::unreachable, first_hop() + ": " + ec.message());
    if (auto refusal = refusal_of_proxy(std::string_view(proxy_text_).substr(0, head)))
      return fail(transfer_result::unreachable, first_hop() + " " + *refusal);
    // Nobody may speak in the tunnel before we do.
    if (proxy_text_.size() > head) return fail(transfer_result::unreachable, first_hop() + " sent more than its answer");
    std::string().swap(proxy_text_);
    secure();
  }

  void secure() {
    if constexpr (is_secure) {
      auto& tls = stream_.next_layer();
      error_code is_name;
      asio::ip::make_address(to_->url.host, is_name);
      // An address is no server name (RFC 6066 §3). OpenSSL only reads the name.
      auto* name = const_cast<char*>(to_->url.host.c_str());
      if (is_name && SSL_ctrl(tls.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name) != 1)
        return fail(transfer_result::bad_request, "the host has no name that TLS takes");
      tls.set_verify_callback(asio::ssl::host_name_verification(to_->url.host));
      tls.async_handshake(asio::ssl::stream_base::client, [me = self()](error_code failed) { me->on_secured(failed); });
    } else {
      on_secured({});
    }
  }

  void on_secured(error_code ec) {
    if (is_over()) return;
    if (ec)
      return fail(ec.category() == asio::error::get_ssl_category() ? transfer_result::untrusted : transfer_result::broken,
                  ec.message());
    enter(phase::waiting);
    stream_.set_option(websocket::stream_base::decorator([this](websocket::request_type& request) {
      request.set(http::field::user_agent, "troupe");
      if (!to_->api.key.empty()) request.set(http::field::authorization, "Bearer " + to_->api.key);
    }));
    // Pings of an upstream that thinks are signs of life.
    stream_.control_callback([this](websocket::frame_type, beast::string_view) { note_bytes(); });
    stream_.read_message_max(0);  // the parser counts; Beast would go on reading what it refuses
    stream_.auto_fragment(false);
    stream_.text(true);
    stream_.async_handshake(response_, to_->url.authority, to_->url.target,
                            [me = self()](error_code failed) { me->on_open(failed); });
  }

  void on_open(error_code ec) {
    if (is_over()) return;
    if (ec == websocket::error::upgrade_declined) return on_declined();
    if (ec.category() == make_error_code(websocket::error::closed).category() ||
        ec.category() == make_error_code(http::error::bad_version).category()) {
      bool is_cut = ec == http::error::end_of_stream || ec == http::error::partial_message;
      if (is_cut) return fail(transfer_result::broken, ec.message());
      return refuse("does not speak WebSocket at this address: " + ec.message() + "; check base_url");
    }
    if (ec) return fail(transfer_result::broken, ec.message());
    response_ = {};
    stream_.async_write(asio::buffer(message_), [me = self()](error_code failed, std::size_t) {
      if (failed) return me->fail(transfer_result::broken, failed.message());
      std::string().swap(me->message_);
    });
    read();
  }

  void on_declined() {
    auto seconds = std::string_view(response_[http::field::retry_after].data(), response_[http::field::retry_after].size());
    int delay = 0;
    if (std::from_chars(seconds.data(), seconds.data() + seconds.size(), delay).ec == std::errc{} && delay > 0)
      retry_after_ = std::chrono::seconds{std::min(delay, 86'400)};
    const auto& body = response_.body();
    auto status = static_cast<long>(response_.result_int());
    if (status < 300) return refuse("answered HTTP " + std::to_string(status) + " and no WebSocket; check base_url");
    fail(failure_of_status(status, std::string_view(body).substr(0, max_refusal_body)));
  }

  void refuse(const std::string& what) {
    parser_.malformed(what, pending_);
    deliver();
  }

  void read() {
    stream_.async_read_some(asio::buffer(buffer_), [me = self()](error_code ec, std::size_t n) { me->on_read(ec, n); });
  }

  void on_read(error_code ec, std::size_t n) {
    if (is_over()) return;
    if (n > 0) note_bytes();
    parser_.feed({buffer_.data(), n}, pending_);
    if (ec)
      on_lost(ec);
    else if (stream_.is_message_done())
      parser_.finish_message(pending_);
    deliver();
    if (!is_over()) return read();
    if (parser_.has_ended() && socket().is_open()) say_goodbye();
  }

  void on_lost(error_code ec) {
    // Also where our answer to the close did not reach it any more.
    if (const auto& reason = stream_.reason(); ec == websocket::error::closed || reason.code != websocket::close_code::none) {
      auto code = reason.code == websocket::close_code::no_status ? 0U : static_cast<unsigned>(reason.code);
      return parser_.close(code, {reason.reason.data(), reason.reason.size()}, pending_);
    }
    if (ec == websocket::error::bad_frame_payload) return parser_.malformed("sent text that is not UTF-8", pending_);
    if (ec == websocket::condition::protocol_violation)
      return parser_.malformed("broke the WebSocket protocol: " + ec.message(), pending_);
    auto failure = failure_of({transfer_result::broken, ec.message()}, to_->api.timeouts);
    parser_.fail(std::move(failure.error), failure.retryable, pending_);
  }

  void say_goodbye() {
    enter(phase::closing);
    stream_.async_close(websocket::close_code::normal, [me = self()](error_code) { me->drop(); });
  }

  std::shared_ptr<const upstream> to_;
  tcp::resolver resolver_;
  Stream stream_;
  websocket::response_type response_;
  std::string message_;
  std::string proxy_text_;
  std::array<char, upstream_buffer_bytes> buffer_;
};

/// What the caller holds; the call itself lives by what it waits for, and goes with its io_context.
class call_handle final : public model_stream {
 public:
  explicit call_handle(const std::shared_ptr<websocket_call>& c) : call_(c) {}
  void cancel() override {
    if (auto c = call_.lock()) c->cancel();
  }

 private:
  std::weak_ptr<websocket_call> call_;
};

class websocket_model final : public model_client {
 public:
  websocket_model(upstream to, asio::io_context& io) : to_(std::make_shared<const upstream>(std::move(to))), io_(io) {}

  std::shared_ptr<model_stream> start(model_request request, model_sink sink) override {
    auto message = to_->message.fill(request);
    stream_options options;
    options.tools = std::move(request.tools);
    options.call_number = request.call_number;
    std::shared_ptr<websocket_call> c;
    if (to_->tls)
      c = std::make_shared<call<tls_stream>>(to_, io_, std::move(message), std::move(options), std::move(sink));
    else
      c = std::make_shared<call<plain_stream>>(to_, io_, std::move(message), std::move(options), std::move(sink));
    auto handle = std::make_shared<call_handle>(c);
    asio::dispatch(io_, [c = std::move(c)] { c->begin(); });
    return handle;
  }

 private:
  std::shared_ptr<const upstream> to_;
  asio::io_context& io_;
};

}  // namespace

core::result<std::unique_ptr<model_client>> make_websocket(const core::provider_config& config, curl_loop& loop,
                                                           const environment_lookup& environment) {
  constexpr std::string_view example = "wss://model.example/chat";
  auto wrong = [&](const std::string& text) {
    return core::error{core::errc::configuration_error, "provider \"" + config.id.str() + "\": " + text};
  };
  auto api = http_api_of(config, environment, example);
  if (!api) return api.error();
  // A path's last slash counts here: the URL is used as it stands.
  auto url = websocket_url::parse(config.base_url);
  if (!url) return wrong("base_url is not of the form ws://HOST[:PORT][/PATH], as in \"" + std::string(example) + "\"");
  auto proxy = proxy_for(*url, api->proxy, environment);
  if (!proxy) return wrong(proxy.error().text);
  auto message = message_template::parse(config.message);
  if (!message) return wrong("message: " + message.error().text);
  std::shared_ptr<asio::ssl::context> tls;
  if (url->is_secure) {
    tls = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
    tls->set_options(asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1);
    error_code ec;
    tls->set_verify_mode(asio::ssl::verify_peer, ec);
    if (!ec && api->ca_file.empty()) tls->set_default_verify_paths(ec);
    if (!ec && !api->ca_file.empty()) tls->load_verify_file(api->ca_file, ec);
    if (ec) return wrong("ca_file " + api->ca_file + " holds no certificates that can be read: " + ec.message());
  }
  return std::make_unique<websocket_model>(
      upstream{std::move(*api), std::move(*url), std::move(*message), std::move(tls), std::move(*proxy)}, loop.context());
}

}  // namespace troupe::providers
