// The server side of a WebSocket (RFC 6455) as bytes, for upstreams that a test writes itself. Pure but for what reads.
#pragma once

#include "providers/attachments.hpp"
#include "providers/utf8.hpp"
#include "tests/support/raw_http_server.hpp"

#include <openssl/sha.h>

#include <array>
#include <string>
#include <string_view>

namespace troupe::testing {

inline std::string frame_head(unsigned opcode, std::uint64_t size) {
  std::string out{static_cast<char>(0x80U | opcode)};
  int more = size < 126 ? 0 : size < 65'536 ? 2 : 8;
  out += static_cast<char>(more == 0 ? size : more == 2 ? 126U : 127U);
  for (int i = more - 1; i >= 0; --i) out += static_cast<char>((size >> (8 * i)) & 0xFFU);
  return out;
}
inline std::string frame(unsigned opcode, std::string_view payload) {
  return frame_head(opcode, payload.size()) + std::string(payload);
}
/// A text message where the bytes may be one, else a binary one.
inline std::string message_frame(std::string_view payload) {
  return frame(providers::scan_utf8(payload).valid == payload.size() ? 1 : 2, payload);
}
inline std::string close_frame(unsigned code, std::string_view words = {}) {
  return frame(8, std::string{static_cast<char>(code >> 8U), static_cast<char>(code & 0xFFU)} + std::string(words));
}

/// The answer to the client's handshake.
inline std::string switching_protocols(const std::string& request) {
  const std::string field = "Sec-WebSocket-Key: ";
  auto at = request.find(field);
  if (at == std::string::npos) return "HTTP/1.1 400 Bad Request\r\n\r\n";
  at += field.size();
  auto key = request.substr(at, request.find("\r\n", at) - at) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(key.data()), key.size(), digest.data());
  return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
         providers::base64({reinterpret_cast<const char*>(digest.data()), digest.size()}) + "\r\n\r\n";
}

struct client_frame {
  unsigned opcode = 0;  ///< 0: the peer closed
  std::string payload;
};
inline client_frame read_frame(raw_connection& c) {
  auto head = c.read_bytes(2);
  if (head.size() < 2) return {};
  std::uint64_t size = static_cast<unsigned char>(head[1]) & 0x7FU;
  if (size > 125) {
    auto more = c.read_bytes(size == 126 ? 2 : 8);
    size = 0;
    for (char byte : more) size = size << 8U | static_cast<unsigned char>(byte);
  }
  auto mask = c.read_bytes(4);
  auto payload = c.read_bytes(size);
  if (mask.size() < 4 || payload.size() < size) return {};
  for (std::size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<char>(payload[i] ^ mask[i % 4]);
  return {static_cast<unsigned char>(head[0]) & 0x0FU, std::move(payload)};
}

/// Takes the handshake and the first message, which it returns.
inline std::string accept_websocket(raw_connection& c) {
  c.send(switching_protocols(c.read_request()));
  return read_frame(c).payload;
}

}  // namespace troupe::testing
