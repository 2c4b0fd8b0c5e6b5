// Socket.IO v5 on Engine.IO v4 (PROTOCOLS §6): namespaces, events, acknowledgements, binary attachments. Knows nothing of
// agents. State recovery belongs to the namespace: it sees the handshake's auth and chooses the `pid`. io thread only.
#pragma once

#include "transport/socketio/engineio.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::transport {

struct socketio_options {
  engineio_options engine;
  std::chrono::milliseconds connect_timeout{45'000};  ///< for the first CONNECT of a connection
  std::uint32_t max_namespaces = 16;                  ///< joined by one connection; more are refused with CONNECT_ERROR
  std::uint32_t max_attachments = 64;                 ///< of one packet; their bytes count towards max_payload
};

/// One packet as it stands behind the Engine.IO `4`; attachments follow it as binary messages.
struct socketio_packet {
  enum class kind : std::uint8_t { connect = 0, disconnect, event, ack, connect_error, binary_event, binary_ack };
  kind type = kind::event;
  std::string nsp = "/";
  std::optional<std::uint64_t> id;  ///< of the acknowledgement
  boost::json::value data;          ///< null: none
  std::uint32_t attachments = 0;    ///< announced
};
/// Strict: what the reference decoder refuses is an error (`parse_error`).
[[nodiscard]] core::result<socketio_packet> decode_socketio(std::string_view text);
/// The error of such a packet: `what` is wrong with it, and what to do.
[[nodiscard]] core::error broken_packet(std::string_view what);
[[nodiscard]] std::string encode_socketio(const socketio_packet& packet);
/// An EVENT as text, e.g. `2/chat,["name",{…}]`: for encoders that frame it themselves. `payload` is JSON text or empty.
void append_socketio_event(std::string& out, std::string_view nsp, std::string_view name, std::string_view payload);

/// A client's event. Attachments stand in `args` as `{"_placeholder":true,"num":n}` and in `attachments[n]`.
struct socketio_event {
  std::string name;
  boost::json::array args;
  std::vector<std::string> attachments;
  std::optional<std::uint64_t> ack_id;  ///< it waits for socketio_socket::acknowledge
};

/// One client in one namespace. As a `peer`: `send` takes WebSocket-framed packets (see engineio_socket), `send_text` one
/// packet as text; `close` and `drop` end the whole connection without a DISCONNECT packet, so that the client comes back.
class socketio_socket : public peer {
 public:
  [[nodiscard]] virtual const std::string& id() const noexcept = 0;
  [[nodiscard]] virtual const http_request& handshake() const noexcept = 0;
  virtual void emit(std::string_view name, boost::json::array args, std::vector<std::string> attachments = {}) = 0;
  virtual void acknowledge(std::uint64_t ack_id, boost::json::array args, std::vector<std::string> attachments = {}) = 0;
  /// Leaves the namespace with a DISCONNECT packet (the client does not come back by itself); the connection stays.
  virtual void disconnect() = 0;
};

class socketio_owner {
 public:
  virtual ~socketio_owner() = default;
  /// The client knows that it is connected; called before any event.
  virtual void on_open() = 0;
  virtual void on_event(socketio_event event) = 0;
  /// peer_owner's, for this namespace.
  virtual void on_drained() = 0;
  /// Once, last: the client left the namespace, was disconnected, or its connection ended.
  virtual void on_closed() = 0;
};

/// What a namespace says to a CONNECT.
struct socketio_welcome {
  std::shared_ptr<socketio_owner> owner;  ///< null: CONNECT_ERROR with `error`
  std::string pid;                        ///< empty: the answer holds only `sid`
  std::string error;
};
/// `auth` is what the client sent with CONNECT, an object; empty where it sent none.
using socketio_namespace =
    std::function<socketio_welcome(std::shared_ptr<socketio_socket> socket, const boost::json::object& auth)>;

class socketio_server {
 public:
  virtual ~socketio_server() = default;
  virtual void on_request(http_request request, std::shared_ptr<http_exchange> exchange) = 0;
  virtual upgrade on_upgrade(const http_request& request) = 0;
  virtual void close_all() = 0;
  [[nodiscard]] virtual std::size_t size() const noexcept = 0;

  /// `namespaces` by name, `/` and `/chat` say.
  [[nodiscard]] static std::unique_ptr<socketio_server> make(boost::asio::io_context& io, socketio_options options,
                                                             std::map<std::string, socketio_namespace> namespaces);
};

}  // namespace troupe::transport
