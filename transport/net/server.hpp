// Sockets: accept, HTTP/1.1, WebSocket and event streams on one port, with limits and time-outs. Knows nothing of agents:
// routes and dialects plug in through the three interfaces below. Beast is confined to server.cpp and its neighbours.
// Everything here runs on the io thread of the connection unless it says otherwise.
#pragma once

#include "core/config.hpp"
#include "core/environment.hpp"
#include "core/error.hpp"
#include "transport/net/framing.hpp"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::transport {

struct http_request {
  std::string method;  ///< upper case
  std::string path;    ///< percent-decoded, without query; no NUL, valid UTF-8
  std::string query;   ///< raw, without `?`
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::string remote_address;  ///< without port
  bool is_loopback = false;

  /// Case-insensitive; empty when absent; the first of several.
  [[nodiscard]] std::string_view header(std::string_view name) const noexcept;
  /// Percent-decoded value of a query parameter; empty when absent.
  [[nodiscard]] std::string query_value(std::string_view name) const;
  [[nodiscard]] bool has_query(std::string_view name) const;
};

struct http_response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

class peer;

/// What a WebSocket or event-stream connection tells its owner. The connection holds its owner until on_closed.
class peer_owner {
 public:
  virtual ~peer_owner() = default;
  /// A complete message, valid UTF-8 where `is_text`. Never called for event streams.
  virtual void on_message(std::string_view message, bool is_text) = 0;
  /// The outbound queue, once above the high-water mark, is empty again.
  virtual void on_drained() = 0;
  /// Once, last; whatever closed it.
  virtual void on_closed() = 0;
};

/// The outbound side of one connection.
class peer : public std::enable_shared_from_this<peer> {
 public:
  virtual ~peer() = default;
  [[nodiscard]] virtual framing frames_as() const noexcept = 0;
  /// Queues bytes that are framed already. All that is queued in one turn of the loop leaves in one syscall.
  virtual void send(bytes framed) = 0;
  /// Queues one text message, framed here.
  virtual void send_text(std::string_view text) = 0;
  /// Queues one binary message, framed here. Event streams have none: nothing is sent.
  virtual void send_binary(std::string_view) {}
  [[nodiscard]] virtual std::size_t queued_bytes() const noexcept = 0;
  /// True while more than `outbound_high_water_bytes` are queued; on_drained follows.
  [[nodiscard]] virtual bool is_congested() const noexcept = 0;
  /// WebSocket: a Close frame after what is queued, then the handshake with a time limit. Event stream: its regular end.
  virtual void close(std::uint16_t code, std::string_view reason) = 0;
  /// Sends what is queued, then closes TCP without a Close frame (PROTOCOLS §1.4, drain).
  virtual void drop() = 0;
  /// Stops and starts reading; a paused peer still answers control frames that were read before.
  virtual void pause_reading(bool paused) = 0;
  /// Runs `f` on this peer's io thread. Any thread.
  virtual void post(std::function<void()> f) = 0;
};

/// One request waiting for its answer. Exactly one of the two answers is given; a dropped exchange answers 500.
class http_exchange : public std::enable_shared_from_this<http_exchange> {
 public:
  virtual ~http_exchange() = default;
  virtual void respond(http_response response) = 0;
  /// Starts a chunked `text/event-stream` answer that `owner` hears of; `headers` are added to it (CORS). A Content-Type
  /// among them takes the place of ours, and no comments are sent then: the body is what `owner` makes it.
  virtual std::shared_ptr<peer> start_stream(std::shared_ptr<peer_owner> owner,
                                             std::vector<std::pair<std::string, std::string>> headers = {}) = 0;
  /// The client went away before the answer; called at most once.
  virtual void on_abandoned(std::function<void()> f) = 0;
  /// Runs `f` on this connection's io thread. Any thread.
  virtual void post(std::function<void()> f) = 0;
};

/// What an upgrade request gets: a refusal, or an owner for the WebSocket that is about to open.
struct upgrade {
  http_response refusal;  ///< sent when `accept` is empty
  /// Called once the handshake is done.
  std::function<std::shared_ptr<peer_owner>(std::shared_ptr<peer>)> accept;
  /// Permessage-deflate is agreed on where the limits and the client want it.
  bool may_compress = true;
};

struct server_handlers {
  std::function<void(http_request, std::shared_ptr<http_exchange>)> on_request;
  std::function<upgrade(const http_request&)> on_upgrade;
  /// The answer to what never becomes a request (bad HTTP, too large, too slow, too many connections).
  std::function<http_response(core::error)> on_http_error;
};

struct server_counters {
  std::uint64_t accepted = 0;
  std::uint64_t open = 0;
  std::uint64_t refused = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t writes = 0;  ///< system calls that sent them
};

/// A listening port. One io_context per server object; it must outlive the server. Destroy it on the io thread or after the
/// loop has stopped: then the connections still open are closed hard and their owners told before the destructor returns.
class server {
 public:
  virtual ~server() = default;
  /// `http://HOST:PORT` with the port that was really bound.
  [[nodiscard]] virtual std::string url() const = 0;
  /// Any thread.
  virtual void stop_accepting() = 0;
  /// Closes every connection: WebSockets with `code`, streams and idle HTTP at once, requests under way after their answer.
  /// Any thread.
  virtual void close_all(std::uint16_t code, std::string_view reason) = 0;
  /// Any thread.
  [[nodiscard]] virtual server_counters counters() const = 0;

  /// `address` is HOST:PORT (IPv6 in brackets; port 0 picks one). Errors name the address, the cause and the remedy.
  [[nodiscard]] static core::result<std::unique_ptr<server>> listen(boost::asio::io_context& io, const std::string& address,
                                                                    const core::transport_limits& limits,
                                                                    server_handlers handlers);
};

/// Timers on the io thread.
[[nodiscard]] std::unique_ptr<core::timer_service> make_timer_service(boost::asio::io_context& io);

}  // namespace troupe::transport
