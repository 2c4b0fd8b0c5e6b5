// The socket side of a server-sent event stream: the answer of one HTTP request that goes on until either side ends it.
// Created by the HTTP connection, which hands over its socket; io thread only.
#pragma once

#include "transport/net/connection.hpp"
#include "transport/net/http_parser.hpp"
#include "transport/net/server.hpp"

#include <functional>
#include <memory>

namespace troupe::transport {

class sse_connection final : public peer, public connection {
 public:
  /// `is_commented`: comments keep it alive while nothing else is sent.
  sse_connection(connection_parts parts, const request_traits& to, std::shared_ptr<peer_owner> owner, bool is_commented);

  /// Once, after the registry knows this object.
  void start(std::string head);

  [[nodiscard]] framing frames_as() const noexcept override { return framing::sse; }
  void send(bytes framed) override;
  void send_text(std::string_view text) override;
  [[nodiscard]] std::size_t queued_bytes() const noexcept override { return out().size(); }
  [[nodiscard]] bool is_congested() const noexcept override { return !is_closed() && is_congested_now(); }
  void close(std::uint16_t code, std::string_view reason) override;
  void drop() override { end_after_flush(); }
  /// There is nothing to pause: a stream is read only to see its end.
  void pause_reading(bool) override {}
  void post(std::function<void()> f) override;

  void shut_down(std::uint16_t code, const std::string& reason) override { close(code, reason); }

 private:
  std::shared_ptr<connection> self() override { return std::static_pointer_cast<sse_connection>(shared_from_this()); }
  bool has_outbound_limit() const noexcept override { return true; }
  void on_readable() override;
  void on_outbox_empty() override;
  void on_slow() override { finish(); }
  time_point on_tick(time_point now) override;
  void on_finished() override { notify_closed(); }
  void notify_closed();

  std::shared_ptr<peer_owner> owner_;
  boost::asio::io_context::executor_type executor_;
  std::chrono::milliseconds comment_period_;
  bool chunked_;
  bool commented_;
  bool has_body_;
  bool was_congested_ = false;
};

/// For a client that has gone already: nothing is sent, the owner hears of the end from the loop.
[[nodiscard]] std::shared_ptr<peer> make_closed_stream(const boost::asio::io_context::executor_type& executor,
                                                       std::shared_ptr<peer_owner> owner);

/// The payloads of a sequence of HTTP chunks as `append_sse_event` makes them, for clients that do not know chunks.
[[nodiscard]] std::string without_chunks(std::string_view chunks);

}  // namespace troupe::transport
