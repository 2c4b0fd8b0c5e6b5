// What a dialect is: a pure mapping between frames and the session model, one file pair without sockets. An `encoder`
// turns events into frames, once per session and dialect, for all its clients; a `client_protocol` turns one client's
// frames into commands through the `client_port` its connection gives it. Everything runs on the connection's io thread.
#pragma once

#include "core/command.hpp"
#include "core/config.hpp"
#include "core/event.hpp"
#include "core/records.hpp"
#include "transport/framing.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::transport {

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

/// Events to frames. Its state is a fold of the log, so that any two that saw the same events write the same frames.
class encoder {
 public:
  virtual ~encoder() = default;
  virtual void encode(const core::event& e, frame_writer& out) = 0;
  /// What a client that attaches now must be shown of the past: open approval cards.
  virtual void encode_open_cards(frame_writer& out) = 0;
};

/// The encoders there are; clients of the same kind on one session share one.
enum class encoder_kind : std::uint8_t { nexus_a, nexus_b, conversation };
[[nodiscard]] std::unique_ptr<encoder> make_encoder(encoder_kind kind, core::session_id session);

/// What a dialect may ask of the connection it serves.
class client_port {
 public:
  template <class T>
  using then = std::function<void(core::result<T>)>;

  virtual ~client_port() = default;
  /// One frame to this client only.
  virtual void send(std::string_view json) = 0;
  virtual void close(std::uint16_t code, std::string_view reason) = 0;

  struct follow_options {
    encoder_kind kind = encoder_kind::nexus_a;
    std::optional<core::seq_t> after;  ///< absent: the rest of the live run and open cards
    bool must_exist = true;
  };
  /// Events of `session` go to this client from now on, instead of another session's. `attached` is told before the first.
  virtual void follow(core::session_id session, follow_options options, then<core::session_record> attached) = 0;
  virtual void submit(core::session_id session, core::command command, then<core::command_reply> done) = 0;
  virtual void find_approval(core::approval_id approval, then<core::approval_record> found) = 0;
  virtual void announce(core::session_id session, core::event_payload payload) = 0;

  /// Of the last event this client was sent, or is about to be; 0 when it follows no session.
  [[nodiscard]] virtual core::seq_t last_seq() const = 0;
  [[nodiscard]] virtual core::session_id new_session_id() = 0;
  [[nodiscard]] virtual const core::config& config() const = 0;
  [[nodiscard]] virtual const core::principal& principal() const = 0;
  /// Tells this client's connection apart from all others of the process; never 0.
  [[nodiscard]] virtual std::uint64_t connection_id() const = 0;
};

/// One client's frames to commands.
class client_protocol {
 public:
  virtual ~client_protocol() = default;
  virtual void on_open() = 0;
  virtual void on_message(std::string_view message, bool is_text) = 0;
  /// The connection refused a message before it came here (limits): tell the client, stay open.
  virtual void on_refused(const core::error& e) = 0;
  /// The server is about to stop: tell the client, where the dialect can. True where the socket must be dropped without a Close
  /// frame (PROTOCOLS §1.4).
  virtual bool on_drain() { return false; }
};

}  // namespace troupe::transport
