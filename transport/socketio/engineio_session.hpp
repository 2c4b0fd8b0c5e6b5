// One client of Engine.IO, from its handshake until it is gone, over long polling, over WebSocket, or on its way from the one
// to the other. Held by the registry of its server and by the WebSockets it has; io thread only.
#pragma once

#include "transport/socketio/engineio_deadlines.hpp"
#include "transport/socketio/engineio_outbox.hpp"
#include "transport/socketio/engineio_packet.hpp"

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe::transport {

class engineio_session;

/// What the sessions of one server share.
struct engineio_registry : std::enable_shared_from_this<engineio_registry> {
  engineio_registry(boost::asio::io_context& context, engineio_options given);

  /// The session with this id, if it still answers.
  [[nodiscard]] std::shared_ptr<engineio_session> find(const std::string& sid) const;
  void add(std::shared_ptr<engineio_session> session);
  void remove(const engineio_session& session);
  /// Its owner is told in a later turn of the loop: never from inside its own call.
  void tell_ended(std::shared_ptr<engineio_session> session);
  void tell_now();

  boost::asio::io_context::executor_type executor;
  const engineio_options options;
  std::shared_ptr<engineio_deadlines> deadlines;
  std::unordered_map<std::string, std::shared_ptr<engineio_session>> sessions;

 private:
  std::vector<std::shared_ptr<engineio_session>> ended_;
};

class engineio_session final : public engineio_socket, private engineio_deadlines::sleeper {
 public:
  engineio_session(std::shared_ptr<engineio_registry> registry, http_request handshake);

  // How it opens, once: its transport answers the handshake, then it gets its owner. Without one it is closed.
  void open_polling(http_exchange& answer);
  void open_websocket(std::shared_ptr<peer> websocket);
  void start(std::shared_ptr<peer_owner> owner);

  /// What arrives for its sid.
  void on_get(std::shared_ptr<http_exchange> exchange);
  void on_post(std::string body, std::shared_ptr<http_exchange> exchange);
  /// Takes a WebSocket that may become the transport. False where there is one already.
  [[nodiscard]] bool probe(std::shared_ptr<peer> websocket);

  // From its WebSockets.
  void on_websocket_message(const peer& from, std::string_view message, bool is_text);
  void on_websocket_drained(const peer& from);
  void on_websocket_closed(const peer& which);

  void tell_owner_closed();
  /// Ends at once, without waiting for anybody.
  void end_now();

  // engineio_socket
  [[nodiscard]] const std::string& id() const noexcept override { return id_; }
  [[nodiscard]] const http_request& handshake() const noexcept override { return handshake_; }
  [[nodiscard]] framing frames_as() const noexcept override { return framing::websocket; }
  void send(bytes framed) override;
  void send_text(std::string_view text) override;
  void send_binary(std::string_view data) override;
  [[nodiscard]] std::size_t queued_bytes() const noexcept override;
  [[nodiscard]] bool is_congested() const noexcept override;
  void close(std::uint16_t code, std::string_view reason) override;
  void drop() override;
  void pause_reading(bool paused) override;
  void post(std::function<void()> f) override;

 private:
  enum class phase : std::uint8_t {
    polling,
    probing,  ///< polling, with a WebSocket that has not said `5` yet
    websocket,
    leaving,  ///< closed by its owner; the next GET is told
    ended,
  };
  struct farewell {
    engineio_type poll = engineio_type::close;  ///< what a waiting GET gets
    std::uint16_t code = 1000;                  ///< what a WebSocket gets
    std::string_view reason{};
  };

  std::shared_ptr<engineio_session> self() { return std::static_pointer_cast<engineio_session>(shared_from_this()); }
  [[nodiscard]] bool is_open() const noexcept { return phase_ < phase::leaving; }

  void on_time(time_point now) override;
  void beat(time_point now);
  void wake();

  void queue_packet(std::string packet);
  void after_queueing();
  void restart_patience();
  void after_draining();
  void end(farewell words);

  // Polling.
  void answer_poll();
  /// The waiting GET gets what there is, or a packet that says nothing.
  void send_poll_away();
  void take_leave(std::shared_ptr<http_exchange> poll);
  void on_poll_abandoned(const http_exchange* which);
  void take_post();

  // WebSocket.
  void on_probe_message(std::string_view message, bool is_text);
  void complete_upgrade();
  void drop_probe(std::uint16_t code, std::string_view reason);

  // Packets, whatever brought them. False where the client broke the protocol; the session has ended then.
  [[nodiscard]] bool take_packet(std::string_view text);
  void deliver(std::string_view message, bool is_text);

  std::shared_ptr<engineio_registry> registry_;
  const std::string id_;
  const http_request handshake_;
  std::shared_ptr<peer_owner> owner_;

  phase phase_ = phase::polling;
  engineio_outbox outbox_;               ///< unused over WebSocket
  std::shared_ptr<http_exchange> poll_;  ///< the GET that waits
  std::shared_ptr<http_exchange> post_;  ///< the POST whose packets are being handed over
  std::string posted_;
  std::size_t posted_at_ = 0;
  std::shared_ptr<peer> websocket_;
  std::shared_ptr<peer> probe_;

  time_point ping_at_ = never;
  time_point pong_due_ = never;
  time_point congested_until_ = never;  ///< then the client counts as too slow
  time_point probe_until_ = never;
  time_point noop_at_ = never;  ///< a GET that came while probing is sent away
  time_point leaving_until_ = never;
  bool has_probed_ = false;
  bool is_paused_ = false;
  bool is_taking_post_ = false;
  bool answer_is_posted_ = false;
  bool was_congested_ = false;
};

/// What a GET is answered with.
[[nodiscard]] http_response engineio_poll_answer(std::string payload);

/// The owner of one WebSocket of a session.
[[nodiscard]] std::shared_ptr<peer_owner> make_engineio_link(std::shared_ptr<engineio_session> session, const peer& websocket);

}  // namespace troupe::transport
