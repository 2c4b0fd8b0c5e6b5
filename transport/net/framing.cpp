#include "transport/net/framing.hpp"

#include <array>
#include <charconv>

namespace troupe::transport {

namespace {

template <class Int>
std::string_view digits(std::array<char, 24>& space, Int value, int base) {
  auto end = std::to_chars(space.data(), space.data() + space.size(), value, base).ptr;
  return {space.data(), static_cast<std::size_t>(end - space.data())};
}

/// Chunk header (RFC 9112 §7.1) for `size` bytes; the caller appends the bytes and a CRLF.
void begin_chunk(std::string& out, std::size_t size) {
  std::array<char, 24> space{};
  out.reserve(out.size() + size + 24);
  out.append(digits(space, size, 16)).append("\r\n");
}

}  // namespace

void append_websocket_frame(std::string& out, ws_frame_kind kind, std::string_view payload, bool is_compressed) {
  constexpr int rsv1 = 0x40;
  const auto size = payload.size();
  out.reserve(out.size() + size + 10);
  out.push_back(static_cast<char>(static_cast<int>(kind) | (is_compressed ? rsv1 : 0)));
  auto big_endian = [&](int count) {
    for (int shift = (count - 1) * 8; shift >= 0; shift -= 8)
      out.push_back(static_cast<char>((static_cast<std::uint64_t>(size) >> shift) & 0xff));
  };
  if (size < 126) {
    out.push_back(static_cast<char>(size));
  } else if (size <= 0xffff) {
    out.push_back(126);
    big_endian(2);
  } else {
    out.push_back(127);
    big_endian(8);
  }
  out.append(payload);
}

void append_websocket_text(std::string& out, std::string_view payload) {
  append_websocket_frame(out, ws_frame_kind::text, payload);
}

void append_websocket_binary(std::string& out, std::string_view payload) {
  append_websocket_frame(out, ws_frame_kind::binary, payload);
}

std::optional<std::string_view> take_websocket_text(std::string_view frames, std::size_t& at) {
  if (frames.size() < 2 || at > frames.size() - 2 || frames[at] != '\x81') return std::nullopt;
  const auto byte_at = [&](std::size_t i) { return static_cast<std::uint8_t>(frames[i]); };
  std::uint64_t size = byte_at(at + 1);
  std::size_t start = at + 2;
  if (size > 127) return std::nullopt;  // masked
  if (size >= 126) {
    const std::size_t digits = size == 126 ? 2 : 8;
    if (frames.size() - start < digits) return std::nullopt;
    size = 0;
    for (std::size_t i = 0; i < digits; ++i) size = size << 8 | byte_at(start + i);
    start += digits;
  }
  if (size > frames.size() - start) return std::nullopt;
  at = start + static_cast<std::size_t>(size);
  return frames.substr(start, static_cast<std::size_t>(size));
}

void append_sse_event(std::string& out, core::seq_t id, std::string_view event, std::string_view data) {
  std::array<char, 24> space{};
  auto number = id == 0 ? std::string_view{} : digits(space, id, 10);
  // `id: N\n`, `event: E\n`, `data: D\n\n`
  const auto size = (number.empty() ? 0 : number.size() + 5) + event.size() + 8 + data.size() + 8;
  begin_chunk(out, size);
  if (!number.empty()) out.append("id: ").append(number).append("\n");
  out.append("event: ").append(event).append("\ndata: ").append(data).append("\n\n\r\n");
}

void append_sse_comment(std::string& out, std::string_view comment) {
  begin_chunk(out, comment.size() + 4);
  out.append(": ").append(comment).append("\n\n\r\n");
}

}  // namespace troupe::transport
