// The WebSocket side of an upgrade: frames in and out of one socket, its pings, its close handshake. Created by the HTTP
// connection, which hands over its socket; io thread only.
#pragma once

#include "transport/net/connection.hpp"
#include "transport/net/server.hpp"
#include "transport/net/websocket_handshake.hpp"
#include "transport/net/websocket_parser.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace troupe::transport {

class websocket_connection final : public peer, public connection {
 public:
  websocket_connection(connection_parts parts, const std::optional<deflate_parameters>& deflate);

  /// Queues the 101 answer. `early` is what the client sent behind its request. Once, after the registry knows this object.
  void accept(const std::string& key, std::string early);
  /// Starts reading. Without an owner (refused late, or failed) the connection is closed with 1011.
  void start(std::shared_ptr<peer_owner> owner);

  [[nodiscard]] framing frames_as() const noexcept override { return framing::websocket; }
  void send(bytes framed) override;
  void send_text(std::string_view text) override { send_message(ws_frame_kind::text, text); }
  void send_binary(std::string_view data) override { send_message(ws_frame_kind::binary, data); }
  [[nodiscard]] std::size_t queued_bytes() const noexcept override { return out().size(); }
  [[nodiscard]] bool is_congested() const noexcept override { return !is_closed() && is_congested_now(); }
  void close(std::uint16_t code, std::string_view reason) override;
  void drop() override;
  void pause_reading(bool paused) override;
  void post(std::function<void()> f) override;

  void shut_down(std::uint16_t code, const std::string& reason) override { close(code, reason); }

 private:
  std::shared_ptr<websocket_connection> me() { return std::static_pointer_cast<websocket_connection>(shared_from_this()); }
  std::shared_ptr<connection> self() override { return me(); }
  bool has_outbound_limit() const noexcept override { return true; }
  void on_readable() override;
  void on_outbox_empty() override;
  void on_slow() override;
  time_point on_tick(time_point now) override;
  void on_finished() override { notify_closed(); }

  void send_message(ws_frame_kind kind, std::string_view message);
  [[nodiscard]] bytes compressed(bytes framed);
  void take(std::string_view input);
  void deliver();
  void resume();
  void read();
  void begin_closing();
  void end_reading();
  void notify_closed();

  std::shared_ptr<peer_owner> owner_;
  boost::asio::io_context::executor_type executor_;
  websocket_parser parser_;
  std::string unread_;  ///< came and was not parsed: the owner has paused
  time_point last_read_;
  time_point pinged_at_{};
  std::optional<deflate_parameters> deflate_;
  bool read_ended_ = false;
  bool paused_ = false;
  bool held_ = false;     ///< a complete message waits for the end of the pause
  bool closing_ = false;  ///< the owner hears of no message any more
  bool dropping_ = false;
  bool was_congested_ = false;
};

}  // namespace troupe::transport
