// One connection of Socket.IO and the namespaces it has joined. It owns an Engine.IO session's messages; the session holds it
// until on_closed. io thread only.
#pragma once

#include "transport/socketio/engineio_deadlines.hpp"
#include "transport/socketio/socketio.hpp"
#include "transport/socketio/socketio_decoder.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace troupe::transport {

/// What the connections of one server share.
struct socketio_registry {
  socketio_registry(boost::asio::io_context& io, socketio_options given, std::map<std::string, socketio_namespace> all)
      : options(given), namespaces(std::move(all)), deadlines(std::make_shared<engineio_deadlines>(io)) {}

  const socketio_options options;
  const std::map<std::string, socketio_namespace> namespaces;
  std::shared_ptr<engineio_deadlines> deadlines;
};

class joined_namespace;

class socketio_connection final : public peer_owner,
                                  public std::enable_shared_from_this<socketio_connection>,
                                  private engineio_deadlines::sleeper {
 public:
  socketio_connection(std::shared_ptr<socketio_registry> registry, std::shared_ptr<engineio_socket> engine);
  ~socketio_connection() override;

  // peer_owner
  void on_message(std::string_view message, bool is_text) override;
  void on_drained() override;
  void on_closed() override;

  // For its namespaces.
  [[nodiscard]] engineio_socket& engine() noexcept { return *engine_; }
  void send(const socketio_packet& packet, const std::vector<std::string>& attachments = {});
  /// Says DISCONNECT; the owner hears of it in a later turn of the loop.
  void dismiss(const joined_namespace& which);
  /// Reading stops while any namespace wants it to.
  void pause_reading(bool paused);

 private:
  void on_time(time_point now) override;
  void handle(socketio_message message);
  void connect(socketio_packet packet);
  void refuse(std::string nsp, std::string_view why);
  void break_off(std::string_view why);
  void end_leaving();
  [[nodiscard]] std::vector<std::shared_ptr<joined_namespace>> all() const;

  std::shared_ptr<socketio_registry> registry_;
  const std::shared_ptr<engineio_socket> engine_;
  socketio_decoder decoder_;
  std::map<std::string, std::shared_ptr<joined_namespace>, std::less<>> joined_;
  std::vector<std::shared_ptr<joined_namespace>> leaving_;  ///< dismissed, their owners not told yet
  std::set<std::string> dismissed_;                         ///< what still arrives for them was under way
  int pauses_ = 0;
  bool is_open_ = true;
};

/// A connection in a namespace. The connection holds it while it is joined.
class joined_namespace final : public socketio_socket {
 public:
  joined_namespace(std::shared_ptr<socketio_connection> connection, std::string nsp);

  /// After the namespace has welcomed it: nothing is sent before.
  void open(std::shared_ptr<socketio_owner> owner);
  void on_event(socketio_event event);
  void on_drained();
  /// It has left, whoever wanted it.
  void end();

  // socketio_socket
  [[nodiscard]] const std::string& id() const noexcept override { return id_; }
  [[nodiscard]] const http_request& handshake() const noexcept override { return connection_->engine().handshake(); }
  void emit(std::string_view name, boost::json::array args, std::vector<std::string> attachments) override;
  void acknowledge(std::uint64_t ack_id, boost::json::array args, std::vector<std::string> attachments) override;
  void disconnect() override;

  // peer
  [[nodiscard]] framing frames_as() const noexcept override { return framing::websocket; }
  void send(bytes framed) override;
  void send_text(std::string_view text) override;
  void send_binary(std::string_view data) override;
  [[nodiscard]] std::size_t queued_bytes() const noexcept override { return connection_->engine().queued_bytes(); }
  [[nodiscard]] bool is_congested() const noexcept override { return is_open_ && connection_->engine().is_congested(); }
  void close(std::uint16_t code, std::string_view reason) override;
  void drop() override;
  void pause_reading(bool paused) override;
  void post(std::function<void()> f) override { connection_->engine().post(std::move(f)); }

  [[nodiscard]] const std::string& nsp() const noexcept { return nsp_; }

 private:
  using kind = socketio_packet::kind;
  void put(kind type, kind with_attachments, std::optional<std::uint64_t> id, boost::json::array args,
           const std::vector<std::string>& attachments);

  const std::shared_ptr<socketio_connection> connection_;
  const std::string nsp_;
  const std::string id_;
  std::shared_ptr<socketio_owner> owner_;
  bool is_open_ = false;
  bool has_ended_ = false;
  bool is_paused_ = false;
};

}  // namespace troupe::transport
