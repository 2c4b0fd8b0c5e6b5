// Compression of WebSocket messages (RFC 7692 §7.2). An inflater belongs to one connection and is made when its first
// compressed message comes (about 45 KiB); one deflater serves all connections of an io thread. Beast's zlib stays behind both.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace troupe::transport {

class message_inflater {
 public:
  enum class outcome : std::uint8_t { ok, bad_data, too_big };

  /// Without context takeover every message starts from nothing.
  explicit message_inflater(bool keeps_context);
  ~message_inflater();
  message_inflater(const message_inflater&) = delete;
  message_inflater& operator=(const message_inflater&) = delete;

  /// Appends to `out` what `piece` holds; `too_big` once `out` is longer than `limit`, by a few KiB at most.
  [[nodiscard]] outcome write(std::string_view piece, std::string& out, std::size_t limit);
  /// The message is complete; also notices one that was cut short.
  [[nodiscard]] outcome finish(std::string& out, std::size_t limit);

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
  bool keeps_context_;
};

class message_deflater {
 public:
  message_deflater();
  ~message_deflater();
  message_deflater(const message_deflater&) = delete;
  message_deflater& operator=(const message_deflater&) = delete;

  /// A compressed payload, without the tail that the frame leaves out. Empty when it would not be shorter than `message`.
  [[nodiscard]] std::string compress(std::string_view message, int window_bits);

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace troupe::transport
