// One client: its connection, its credentials, its dialect's protocol and its places in the sessions' feeds, tied together.
// Owned by its connection (a WebSocket, or a Socket.IO namespace) until that is closed. Runs on the connection's io thread.
#pragma once

#include "transport/chat_stream.hpp"
#include "transport/conversation_watch.hpp"
#include "transport/session_feed.hpp"
#include "transport/socketio/socketio.hpp"

#include <utility>
#include <vector>

namespace troupe::transport {

struct client_identity {
  core::principal who;
  /// Where credentials are required and `who` is nobody, messages are refused here; false: the dialect sees to it.
  bool refuse_nobody = false;
};

class client final : public peer_owner, public client_port, public std::enable_shared_from_this<client> {
 public:
  /// Opens the protocol before it returns.
  static std::shared_ptr<client> make(feed_hub& hub, std::shared_ptr<peer> p, client_identity identity,
                                      const protocol_factory& factory);
  /// In a namespace: `open` follows when the client knows that it is connected. `pid` is its private id, or empty.
  static std::shared_ptr<client> make(feed_hub& hub, std::shared_ptr<socketio_socket> socket, client_identity identity,
                                      const protocol_factory& factory);
  ~client() override;

  void open() { protocol_->on_open(); }
  void on_message(std::string_view message, bool is_text) override;
  void on_event(socketio_event event);
  void on_drained() override;
  void on_closed() override;
  /// Gives this client the private id under which it may come back; tells whether it goes on from where it was.
  bool recover(const std::string& pid, std::string_view offset);
  void set_pid(std::string pid) { pid_ = std::move(pid); }

  void send(std::string_view json) override;
  void acknowledge(std::uint64_t ack_id, boost::json::array args) override;
  void close(std::uint16_t code, std::string_view reason) override;
  void disconnect() override;
  void follow(core::session_id session, follow_options options, then<core::session_record> attached) override;
  void unfollow(core::session_id session) override;
  [[nodiscard]] bool follows(core::session_id session) const override;
  void follow_all_chats(std::string_view offset) override;
  void unfollow_all_chats() override;
  void watch_conversations() override;
  void submit(core::session_id session, core::command command, then<core::command_reply> done) override;
  void ask(core::query query, then<core::answer> done) override;
  void find_approval(core::approval_id approval, then<core::approval_record> found) override;
  void resolve(std::string_view text, then<core::session_id> found) override;
  void announce(core::session_id session, core::event_payload payload) override;
  void enter_room(core::session_id session) override;
  void leave_room(core::session_id session) override;
  [[nodiscard]] std::vector<core::presence_changed::user> users_in(core::session_id session) const override;
  [[nodiscard]] core::seq_t last_seq() const override;
  core::session_id new_session_id() override;
  [[nodiscard]] core::millis now() const override;
  [[nodiscard]] const core::config& config() const override;
  [[nodiscard]] const core::principal& principal() const override;
  core::result<void> sign_in(std::string_view credential) override;
  [[nodiscard]] std::uint64_t connection_id() const override { return id_; }
  [[nodiscard]] turn_gate& turns() override { return hub_.turns(); }

  /// The server is about to stop.
  void drain(std::uint16_t code, std::string_view reason);

  /// Where this client is in every session it follows but `except`, as offsets; for those that follow several.
  [[nodiscard]] std::string other_offsets(core::session_id except) const;

 private:
  client(feed_hub& hub, std::shared_ptr<peer> p, std::shared_ptr<socketio_socket> socket, client_identity identity);
  [[nodiscard]] bool is_open() const noexcept { return protocol_ != nullptr; }
  /// False where the message was refused, and the client told.
  [[nodiscard]] bool admits_message();
  [[nodiscard]] std::shared_ptr<follower> find(core::session_id session) const;
  /// Wraps a callback so that it does not outlive the client.
  template <class T>
  then<T> while_open(then<T> f) {
    return [me = weak_from_this(), f = std::move(f)](core::result<T> r) {
      if (auto self = me.lock(); self && self->is_open()) f(std::move(r));
    };
  }

  feed_hub& hub_;
  std::shared_ptr<peer> peer_;
  std::shared_ptr<socketio_socket> socket_;  ///< the same, or null
  std::vector<std::pair<core::session_id, std::shared_ptr<follower>>> followed_;
  std::vector<core::session_id> rooms_;
  std::shared_ptr<chat_stream::member> all_chats_;
  std::shared_ptr<void> conversations_;
  mutable core::principal who_;  ///< becomes nobody when it expires
  std::string pid_;
  std::uint64_t id_;
  std::unique_ptr<client_protocol> protocol_;
  std::chrono::steady_clock::time_point window_start_{};
  std::uint32_t messages_in_window_ = 0;
  bool refuse_nobody_ = false;
};

/// The socket's side of a client in a namespace.
[[nodiscard]] std::shared_ptr<socketio_owner> owner_of(std::shared_ptr<client> c);

}  // namespace troupe::transport
