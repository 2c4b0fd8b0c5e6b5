#include "bench/client.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace troupe::bench {
namespace {

constexpr std::size_t max_upgrade_bytes = 16U << 10U;
constexpr std::size_t max_frame_bytes = 1U << 20U;
constexpr std::size_t read_bytes = 64U << 10U;

// The sample key of RFC 6455 §1.3 and the accept value that belongs to it: no hash is needed to check the answer.
constexpr std::string_view key = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr std::string_view accept_value = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

constexpr std::uint8_t opcode_text = 1;
constexpr std::uint8_t opcode_close = 8;
constexpr std::uint8_t opcode_ping = 9;
constexpr std::uint8_t opcode_pong = 10;

std::string errno_text(const char* what) { return std::string{what} + ": " + std::strerror(errno); }

struct frame {
  std::uint8_t first = 0;  ///< FIN, reserved bits, opcode
  std::string_view payload;
  std::size_t size = 0;  ///< with its header; 0: incomplete
  bool broken = false;
};

/// The frame at the front of `bytes`. Server frames are not masked (RFC 6455 §5.1).
frame parse_frame(std::string_view bytes) {
  frame f;
  if (bytes.size() < 2) return f;
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
  f.first = byte(0);
  const bool masked = (byte(1) & 0x80U) != 0;
  std::uint64_t length = byte(1) & 0x7FU;
  std::size_t header = 2;
  const std::size_t extended = length == 126 ? 2 : length == 127 ? 8 : 0;
  if (extended != 0) {
    header += extended;
    if (bytes.size() < header) return f;
    length = 0;
    for (std::size_t i = 2; i < header; ++i) length = length << 8U | byte(i);
  }
  if (masked || length > max_frame_bytes) {
    f.broken = true;
    return f;
  }
  if (bytes.size() - header < length) return f;
  f.payload = bytes.substr(header, static_cast<std::size_t>(length));
  f.size = header + static_cast<std::size_t>(length);
  return f;
}

}  // namespace

bool client::fail(std::string why) {
  close();
  failure_ = std::move(why);
  return false;
}

void client::close() {
  if (fd_ >= 0) {
    const linger reset{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    ::close(fd_);
  }
  fd_ = -1;
  phase_ = phase::closed;
  in_.clear();
  out_.clear();
  parsed_ = 0;
}

bool client::open(const address& to, const std::string& path) {
  close();
  failure_.clear();
  sockaddr_in remote{};
  remote.sin_family = AF_INET;
  remote.sin_port = htons(to.port);
  if (::inet_pton(AF_INET, to.host.c_str(), &remote.sin_addr) != 1) return fail("not a numeric IPv4 address: " + to.host);
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return fail(errno_text("socket"));
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&remote), sizeof remote) != 0 && errno != EINPROGRESS)
    return fail(errno_text("connect"));
  phase_ = phase::upgrading;
  out_ =
      "GET " + path + " HTTP/1.1\r\nHost: " + to.host + ":" + std::to_string(to.port) +
      "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + std::string{key} +
      "\r\n\r\n";
  return true;
}

bool client::flush() {
  while (!out_.empty()) {
    const ssize_t sent = ::send(fd_, out_.data(), out_.size(), MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == ENOTCONN) return true;
      return fail(errno_text("send"));
    }
    out_.erase(0, static_cast<std::size_t>(sent));
  }
  return true;
}

bool client::read(std::vector<std::string_view>& messages) {
  in_.erase(0, parsed_);
  parsed_ = 0;
  // One buffer for all connections: an idle one keeps nothing.
  static thread_local std::array<char, read_bytes> buffer;
  const ssize_t got = ::recv(fd_, buffer.data(), buffer.size(), 0);
  if (got == 0) return fail("the server closed the connection");
  if (got < 0) {
    if (errno == EAGAIN || errno == EINTR) return true;
    return fail(errno_text("recv"));
  }
  in_.append(buffer.data(), static_cast<std::size_t>(got));
  if (phase_ == phase::upgrading && !read_upgrade()) return false;
  return phase_ != phase::open || read_frames(messages);
}

bool client::read_upgrade() {
  const std::size_t end = in_.find("\r\n\r\n");
  if (end == std::string::npos) return in_.size() <= max_upgrade_bytes || fail("the answer to the upgrade is too large");
  const std::string_view head{in_.data(), end};
  if (head.substr(0, 12) != "HTTP/1.1 101") return fail("upgrade refused: " + std::string{head.substr(0, head.find('\r'))});
  if (head.find(accept_value) == std::string_view::npos) return fail("upgrade answered with a wrong Sec-WebSocket-Accept");
  parsed_ = end + 4;
  phase_ = phase::open;
  return true;
}

bool client::read_frames(std::vector<std::string_view>& messages) {
  const std::string_view bytes{in_};
  for (;;) {
    const frame f = parse_frame(bytes.substr(parsed_));
    if (f.broken) return fail("a frame is masked or larger than 1 MiB");
    if (f.size == 0) return true;
    parsed_ += f.size;
    const std::uint8_t opcode = f.first & 0x0FU;
    if ((f.first & 0xF0U) != 0x80U) return fail("a frame is fragmented or has reserved bits set");
    if (opcode == opcode_text) {
      messages.push_back(f.payload);
    } else if (opcode == opcode_ping) {
      append_frame(opcode_pong, f.payload.substr(0, 125));
      if (!flush()) return false;
    } else if (opcode == opcode_close) {
      return fail("the server sent a Close frame");
    }
  }
}

bool client::send_text(std::string_view text) {
  append_frame(opcode_text, text);
  return flush();
}

void client::append_frame(std::uint8_t opcode, std::string_view payload) {
  // A mask is required (RFC 6455 §5.3) but need not be random here: nothing between us and the server reads it.
  constexpr std::array<std::uint8_t, 4> mask{0x37, 0xFA, 0x21, 0x3D};
  const auto put = [this](std::uint64_t byte) { out_.push_back(static_cast<char>(byte & 0xFFU)); };
  put(0x80U | opcode);
  if (payload.size() < 126) {
    put(0x80U | payload.size());
  } else {
    put(0x80U | 126U);
    put(payload.size() >> 8U);
    put(payload.size());
  }
  for (const std::uint8_t byte : mask) put(byte);
  for (std::size_t i = 0; i < payload.size(); ++i) put(static_cast<std::uint8_t>(payload[i]) ^ mask[i % mask.size()]);
}

}  // namespace troupe::bench
