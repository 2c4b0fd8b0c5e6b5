// A blocking TCP client for tests: raw bytes, HTTP text and WebSocket frames as they are on the wire, so that a test can also
// send what no library would. Every wait ends after a minute with an exception. Header only; the test's thread.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace troupe::testing {

struct ws_frame {
  bool fin = true;
  int opcode = 1;
  std::string payload;

  /// Of a Close frame; 0 without one.
  [[nodiscard]] int close_code() const {
    if (opcode != 8 || payload.size() < 2) return 0;
    return static_cast<unsigned char>(payload[0]) * 256 + static_cast<unsigned char>(payload[1]);
  }
};

struct http_answer {
  int status = 0;
  std::string head;
  std::string body;
  [[nodiscard]] bool has(std::string_view text) const { return head.find(text) != std::string::npos; }
};

/// A client frame, masked as RFC 6455 wants it unless told otherwise.
inline std::string masked_frame(int opcode, std::string_view payload, bool fin = true, bool mask = true) {
  std::string out(1, static_cast<char>((fin ? 0x80 : 0) | opcode));
  const auto mask_bit = mask ? 0x80 : 0;
  if (payload.size() < 126) {
    out.push_back(static_cast<char>(mask_bit | static_cast<int>(payload.size())));
  } else {
    const bool is_short = payload.size() <= 0xffff;
    out.push_back(static_cast<char>(mask_bit | (is_short ? 126 : 127)));
    for (int shift = is_short ? 8 : 56; shift >= 0; shift -= 8)
      out.push_back(static_cast<char>((payload.size() >> shift) & 0xff));
  }
  if (!mask) return out.append(payload);
  constexpr std::string_view key = "\x37\xfa\x21\x3d";
  out.append(key);
  for (std::size_t i = 0; i < payload.size(); ++i) out.push_back(static_cast<char>(payload[i] ^ key[i % 4]));
  return out;
}

class tcp_client {
 public:
  /// `url` is `http://127.0.0.1:PORT`. A small `receive_buffer` makes the client slow at the TCP level; `from` is the source
  /// address.
  explicit tcp_client(const std::string& url, int receive_buffer = 0, const char* from = "127.0.0.1") {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd_ < 0) throw std::runtime_error("tcp_client: no socket");
    if (receive_buffer > 0) ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in local{};
    local.sin_family = AF_INET;
    ::inet_pton(AF_INET, from, &local.sin_addr);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1))));
    ::inet_pton(AF_INET, from, &to.sin_addr);
    if (::bind(fd_, reinterpret_cast<sockaddr*>(&local), sizeof local) != 0 ||
        ::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
      ::close(fd_);
      throw std::runtime_error("tcp_client: cannot connect to " + url);
    }
  }
  tcp_client(const tcp_client&) = delete;
  tcp_client& operator=(const tcp_client&) = delete;
  ~tcp_client() { ::close(fd_); }

  void send(std::string_view data) {
    while (!data.empty()) {
      const auto n = ::send(fd_, data.data(), data.size(), MSG_NOSIGNAL);
      if (n <= 0) throw std::runtime_error("tcp_client: the server closed while we were sending");
      data.remove_prefix(static_cast<std::size_t>(n));
    }
  }

  void shut_down_sending() { ::shutdown(fd_, SHUT_WR); }
  /// The next close resets the connection instead of ending it.
  void reset_on_close() {
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }

  [[nodiscard]] bool is_readable_within(std::chrono::milliseconds limit) {
    pollfd p{fd_, POLLIN, 0};
    return !input_.empty() || ::poll(&p, 1, static_cast<int>(limit.count())) > 0;
  }

  /// One recv into the buffer; false at the end of the stream, however it ended.
  bool fill() {
    pollfd p{fd_, POLLIN, 0};
    if (::poll(&p, 1, 60'000) <= 0) throw std::runtime_error("tcp_client: nothing came for 60 s");
    char space[65536];
    const auto n = ::recv(fd_, space, sizeof space, 0);
    if (n <= 0) return false;
    input_.append(space, static_cast<std::size_t>(n));
    ++receives_;
    return true;
  }
  [[nodiscard]] int receives() const noexcept { return receives_; }

  std::string read_exactly(std::size_t size) {
    while (input_.size() < size)
      if (!fill()) throw std::runtime_error("tcp_client: the server closed early");
    auto out = input_.substr(0, size);
    input_.erase(0, size);
    return out;
  }
  /// Up to and including `mark`.
  std::string read_until(std::string_view mark) {
    std::size_t at = 0;
    while ((at = input_.find(mark)) == std::string::npos)
      if (!fill()) throw std::runtime_error("tcp_client: the server closed early");
    return read_exactly(at + mark.size());
  }
  /// Everything until the server closes.
  std::string read_to_end() {
    while (fill()) {
    }
    return std::exchange(input_, {});
  }
  /// True when the server has closed and nothing is left to read.
  bool is_at_end() { return input_.empty() && !fill(); }

  http_answer read_answer(bool has_body = true) {
    http_answer out;
    out.head = read_until("\r\n\r\n");
    out.status = std::stoi(out.head.substr(9, 3));
    const auto length = out.head.find("Content-Length: ");
    if (has_body && length != std::string::npos) out.body = read_exactly(std::stoul(out.head.substr(length + 16)));
    return out;
  }

  http_answer get(const std::string& path, const std::string& more_headers = {}) {
    send("GET " + path + " HTTP/1.1\r\nHost: test\r\n" + more_headers + "\r\n");
    return read_answer();
  }

  void open_websocket(const std::string& path = "/ws") {
    send(upgrade_request(path));
    const auto head = read_until("\r\n\r\n");
    if (head.find(" 101 ") == std::string::npos) throw std::runtime_error("tcp_client: no upgrade: " + head);
  }
  static std::string upgrade_request(const std::string& path = "/ws") {
    return "GET " + path +
           " HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  }
  void send_text(std::string_view text) { send(masked_frame(1, text)); }

  /// The next frame, control frames included.
  ws_frame read_frame() {
    const auto start = static_cast<unsigned char>(read_exactly(1)[0]);
    return {(start & 0x80) != 0, start & 0x0f, read_payload()};
  }
  /// A frame behind its first byte.
  std::string read_payload() {
    auto byte = [](char c) { return static_cast<unsigned char>(c); };
    const auto length = byte(read_exactly(1)[0]);
    if (length & 0x80) throw std::runtime_error("tcp_client: the server masked a frame");
    std::uint64_t size = length;
    if (size >= 126) {
      const auto more = read_exactly(size == 126 ? 2 : 8);
      size = 0;
      for (char c : more) size = size * 256 + byte(c);
    }
    return read_exactly(size);
  }

 private:
  int fd_ = -1;
  int receives_ = 0;
  std::string input_;
};

}  // namespace troupe::testing
