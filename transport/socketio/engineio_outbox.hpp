// What waits for a client of long polling, in order: packets that become the answer to its next GET, or frames of the WebSocket
// it moves to. Bytes that were framed for WebSocket are kept shared as they are and unwrapped only when polled. Owned by a
// session, io thread only.
#pragma once

#include "transport/net/framing.hpp"
#include "transport/net/server.hpp"

#include <string>
#include <vector>

namespace troupe::transport {

class engineio_outbox {
 public:
  /// Whole WebSocket text frames whose payloads are packets.
  void push_framed(bytes frames);
  /// One packet with its type, e.g. `4hello`.
  void push_packet(std::string packet);
  void push_binary(std::string data);

  [[nodiscard]] bool empty() const noexcept { return items_.empty(); }
  /// What waits, and a little for each piece: many tiny packets are not free.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  /// The next packets joined to a payload of at most `limit` bytes, but at least one packet.
  [[nodiscard]] std::string take_payload(std::size_t limit);
  /// Everything, as messages of a WebSocket.
  void move_to(peer& websocket);

 private:
  enum class form : std::uint8_t { framed, packet, binary };
  struct item {
    form how;
    std::size_t at;  ///< framed: where the first frame starts that was not polled yet
    bytes data;
  };

  void push(form how, bytes data);

  std::vector<item> items_;
  std::size_t size_ = 0;
};

}  // namespace troupe::transport
