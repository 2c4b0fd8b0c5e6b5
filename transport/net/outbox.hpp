// What waits to be written to one socket: a queue of shared, immutable pieces that leaves in gather writes. Owned by its
// connection, io thread only.
#pragma once

#include "transport/net/framing.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace troupe::transport {

class outbox {
 public:
  enum class outcome : std::uint8_t {
    empty,    ///< everything went out
    blocked,  ///< the kernel's buffer is full: wait until the socket is writable
    more,     ///< enough for one turn; call again in the next
    failed    ///< the connection is broken
  };
  struct written {
    outcome result = outcome::empty;
    std::size_t bytes = 0;
    std::uint32_t calls = 0;
  };

  /// Ignored once sealed; so are empty pieces.
  void push(bytes piece);
  /// Writes without blocking, IOV_MAX pieces a call and a few calls at most.
  [[nodiscard]] written write_to(int fd);
  /// Nothing is accepted any more; what is queued still goes out.
  void seal() noexcept { sealed_ = true; }
  [[nodiscard]] bool sealed() const noexcept { return sealed_; }
  /// Forgets all that has not begun to leave. The rest of a half-sent piece stays, or the stream would be corrupt.
  void discard_unsent();
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  /// About what the queue costs in memory: a peer that sends pings and reads nothing makes many tiny pieces.
  [[nodiscard]] std::size_t footprint() const noexcept { return size_ + (pieces_.size() - head_) * 64; }

 private:
  void consume(std::size_t count);

  std::vector<bytes> pieces_;  ///< those before head_ are sent and released
  std::size_t head_ = 0;
  std::size_t offset_ = 0;  ///< bytes of pieces_[head_] that are sent
  std::size_t size_ = 0;    ///< bytes that are not sent
  bool sealed_ = false;
};

}  // namespace troupe::transport
