// What a client of Socket.IO sends, put together: a packet and the binary messages that were announced with it. No sockets.
// Owned by a connection, io thread only.
#pragma once

#include "transport/socketio/socketio.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::transport {

struct socketio_message {
  socketio_packet packet;
  std::vector<std::string> attachments;
};

class socketio_decoder {
 public:
  /// `max_bytes` bounds a packet's text and attachments together.
  socketio_decoder(std::uint32_t max_attachments, std::size_t max_bytes)
      : max_attachments_(max_attachments), max_bytes_(max_bytes) {}

  /// The message that is complete now, or nothing while attachments are missing. After an error the decoder is of no use.
  [[nodiscard]] core::result<std::optional<socketio_message>> add_text(std::string_view text);
  [[nodiscard]] core::result<std::optional<socketio_message>> add_binary(std::string_view data);

 private:
  std::uint32_t max_attachments_;
  std::size_t max_bytes_;
  std::optional<socketio_message> pending_;
  std::size_t pending_bytes_ = 0;
};

}  // namespace troupe::transport
