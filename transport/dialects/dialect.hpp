// What a dialect is: a pure mapping between frames and the session model, one file pair without sockets. An `encoder`
// turns events into frames, once per session and dialect, for all its clients; a `client_protocol` turns one client's
// frames into commands through the `client_port` its connection gives it. Everything runs on the connection's io thread.
#pragma once

#include "core/command.hpp"
#include "core/config.hpp"
#include "core/environment.hpp"
#include "core/event.hpp"
#include "core/query.hpp"
#include "core/records.hpp"
#include "transport/net/framing.hpp"
#include "transport/socketio/socketio.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::transport {

class turn_gate;

/// Collects frames as the bytes of one kind of connection.
class frame_writer {
 public:
  explicit frame_writer(framing f) : framing_(f) {}
  /// `json` is one frame's text; `seq` and `type` serve event streams.
  void frame(std::string_view json, core::seq_t seq, std::string_view type);
  [[nodiscard]] bool empty() const noexcept { return out_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return out_.size(); }
  [[nodiscard]] bytes take() { return std::make_shared<const std::string>(std::move(out_)); }
  void discard() { out_.clear(); }

 private:
  framing framing_;
  std::string out_;
};

/// One frame `{"type": …}` with `fields` behind it.
void put(frame_writer& out, core::seq_t seq, std::string_view type, boost::json::object fields);

/// Events to frames. Its state is a fold of the log, so that any two that saw the same events write the same frames.
class encoder {
 public:
  virtual ~encoder() = default;
  virtual void encode(const core::event& e, frame_writer& out) = 0;
  /// What a client that attaches now must be shown of the past: open approval cards.
  virtual void encode_open_cards(frame_writer& out) = 0;
};

/// The encoders there are; clients of the same kind on one session share one. Those of Socket.IO dialects write whole
/// Engine.IO packets (dialects/socketio_frames.hpp).
enum class encoder_kind : std::uint8_t {
  nexus_a,
  nexus_b,
  nexus_log,  ///< of event streams and lists: style A, and what clients of the dialect are not shown
  conversation,
  agent_stream,
  agent_stream_quiet,  ///< without the model's reasoning
  chat_events,
  chat_room,
};
/// `with_offsets`: Socket.IO events carry their place in the log (`socketio.recovery`).
[[nodiscard]] std::unique_ptr<encoder> make_encoder(encoder_kind kind, core::session_id session, bool with_offsets = true);

/// What a dialect may ask of the connection it serves. Callbacks come on the io thread, never after the client has gone.
class client_port {
 public:
  template <class T>
  using then = std::function<void(core::result<T>)>;

  virtual ~client_port() = default;
  /// One frame to this client only; on Socket.IO one packet, e.g. `2/chat,["name",{…}]`.
  virtual void send(std::string_view json) = 0;
  /// Answers an event that asked for it (Socket.IO).
  virtual void acknowledge(std::uint64_t ack_id, boost::json::array args) = 0;
  /// Ends the connection; the client may come back.
  virtual void close(std::uint16_t code, std::string_view reason) = 0;
  /// Socket.IO: puts the client out of the namespace, after which it does not come back by itself. Elsewhere `close(1008)`.
  virtual void disconnect() = 0;

  struct follow_options {
    encoder_kind kind = encoder_kind::nexus_a;
    std::optional<core::seq_t> after;  ///< absent: the rest of the live run and open cards
    bool must_exist = true;
    bool alongside = false;  ///< true: besides the sessions followed already (`sessions.max_rooms` at most)
    /// Sees every stored event when it is shown to the session's clients, whether this client keeps up or not.
    std::function<void(const core::event&)> observe;
    /// The client may not see the session any more (participants changed, token expired); nothing more comes of it.
    std::function<void(const core::error&)> lost;
  };
  /// Events of `session` go to this client from now on, once, however often it asks. `attached` is told before the first.
  /// NOT_FOUND also where the client may not see the session.
  virtual void follow(core::session_id session, follow_options options, then<core::session_record> attached) = 0;
  virtual void unfollow(core::session_id session) = 0;
  /// Every session made through `chat-events` that this client may read (transport/chat_stream.hpp), from `offset` on where
  /// it is given and can be read.
  virtual void follow_all_chats(std::string_view offset) = 0;
  virtual void unfollow_all_chats() = 0;
  /// `chat-room`: this client is told which conversations change (transport/conversation_watch.hpp). Idempotent.
  virtual void watch_conversations() = 0;
  [[nodiscard]] virtual bool follows(core::session_id session) const = 0;
  virtual void submit(core::session_id session, core::command command, then<core::command_reply> done) = 0;
  virtual void ask(core::query query, then<core::answer> done) = 0;
  virtual void find_approval(core::approval_id approval, then<core::approval_record> found) = 0;
  /// A session by any of its names (core::resolve_session); NOT_FOUND where there is none. Calls back at once for a UUID.
  virtual void resolve(std::string_view text, then<core::session_id> found) = 0;
  virtual void announce(core::session_id session, core::event_payload payload) = 0;

  /// Presence: this client is in the session's room until it leaves or goes; others there are told, this one is not.
  /// Idempotent, counted once per client.
  virtual void enter_room(core::session_id session) = 0;
  virtual void leave_room(core::session_id session) = 0;
  /// Everybody there, this client's user included where it is; one entry per user, in the order they came.
  [[nodiscard]] virtual std::vector<core::presence_changed::user> users_in(core::session_id session) const = 0;

  /// Of the last event this client was sent, or is about to be, of the session it followed last; 0 without one.
  [[nodiscard]] virtual core::seq_t last_seq() const = 0;
  [[nodiscard]] virtual core::session_id new_session_id() = 0;
  [[nodiscard]] virtual core::millis now() const = 0;
  [[nodiscard]] virtual const core::config& config() const = 0;
  /// Who this is now: nobody (core::principal::nobody) where credentials are required and missing, bad or expired.
  [[nodiscard]] virtual const core::principal& principal() const = 0;
  /// Takes a token or API key in the place of what the handshake brought | AUTH_FAILED.
  virtual core::result<void> sign_in(std::string_view credential) = 0;
  /// Tells this client's connection apart from all others of the process; never 0.
  [[nodiscard]] virtual std::uint64_t connection_id() const = 0;
  /// Who may run when (`agent-stream`); one for the whole server.
  [[nodiscard]] virtual turn_gate& turns() = 0;
};

/// The name and id under which a principal is shown to other people: the anonymous one is "anonymous".
[[nodiscard]] core::presence_changed::user shown_user(const core::principal& who);
[[nodiscard]] core::presence_changed::user shown_user(const std::string& id, const std::string& name);

/// One client's frames to commands.
class client_protocol {
 public:
  virtual ~client_protocol() = default;
  virtual void on_open() = 0;
  /// WebSocket dialects.
  virtual void on_message(std::string_view message, bool is_text) = 0;
  /// Socket.IO dialects.
  virtual void on_event(socketio_event) {}
  /// The connection refused a message before it came here (limits): tell the client, stay open.
  virtual void on_refused(const core::error& e) = 0;
  /// The server is about to stop: tell the client, where the dialect can. True where the socket must be dropped without a Close
  /// frame (PROTOCOLS §1.4).
  virtual bool on_drain() { return false; }

  /// Connection state recovery (PROTOCOLS §6): what a client that comes back needs besides its offset; nothing where it
  /// cannot be recovered. Kept for the recovery window after the connection has gone.
  [[nodiscard]] virtual std::optional<std::string> recovery_state() const { return std::nullopt; }
  /// Before on_open: a client that was here before. `state` is absent where the server does not remember it (it restarted
  /// meanwhile); `offset` may be anything. True where on_open will go on from there.
  [[nodiscard]] virtual bool recover(const std::optional<std::string>& state, std::string_view offset) {
    (void)state;
    (void)offset;
    return false;
  }
};

/// Makes the protocol of the dialect that a client speaks.
using protocol_factory = std::function<std::unique_ptr<client_protocol>(client_port&)>;

}  // namespace troupe::transport
