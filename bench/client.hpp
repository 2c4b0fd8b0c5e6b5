// One WebSocket connection of the load generator: non-blocking, plain TCP to a numeric IPv4 address, text messages only. Owned
// by load.cpp, which waits on `fd()` with epoll. Bounded: an upgrade answer or a frame that is too large ends the connection.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::bench {

struct address {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8080;
};

class client {
 public:
  enum class phase : std::uint8_t { closed, upgrading, open };

  client() = default;
  ~client() { close(); }
  client(const client&) = delete;
  client& operator=(const client&) = delete;

  /// Starts to connect; `failure()` says what went wrong when it returns false.
  bool open(const address& to, const std::string& path);
  /// Reads once and appends the messages that are complete to `messages`, valid until the next call. Answers pings. False
  /// when the connection has ended.
  bool read(std::vector<std::string_view>& messages);
  /// Sends what is queued; false when the connection has ended.
  bool flush();
  /// Queues one masked text frame and tries to send it.
  bool send_text(std::string_view text);
  /// Resets the connection, so that the port is free again at once.
  void close();

  [[nodiscard]] int fd() const noexcept { return fd_; }
  [[nodiscard]] phase state() const noexcept { return phase_; }
  [[nodiscard]] bool wants_write() const noexcept { return !out_.empty(); }
  [[nodiscard]] const std::string& failure() const noexcept { return failure_; }

 private:
  bool fail(std::string why);
  bool read_upgrade();
  bool read_frames(std::vector<std::string_view>& messages);
  void append_frame(std::uint8_t opcode, std::string_view payload);

  int fd_ = -1;
  phase phase_ = phase::closed;
  std::string in_;
  std::size_t parsed_ = 0;  ///< bytes at the front of in_ that were handed out by the last read
  std::string out_;
  std::string failure_;
};

}  // namespace troupe::bench
