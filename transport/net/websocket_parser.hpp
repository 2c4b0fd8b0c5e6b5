// Bytes in, WebSocket messages and control frames out: the server's half of RFC 6455 with permessage-deflate (RFC 7692), no
// sockets. Strict, and it fails at the first byte that cannot be right. Owned by a WebSocket connection, io thread only.
#pragma once

#include "transport/net/utf8.hpp"
#include "transport/net/websocket_deflate.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace troupe::transport {

/// Codes of ours in a Close frame (RFC 6455 §7.4.1).
enum class close_code : std::uint16_t {
  protocol_error = 1002,
  bad_payload = 1007,
  too_big = 1009,
  internal_error = 1011,
  try_again = 1013
};

class websocket_parser {
 public:
  enum class event : std::uint8_t { need_more, message, ping, pong, close, failed };
  struct step {
    event what = event::need_more;
    std::size_t consumed = 0;
  };
  struct failure {
    close_code code = close_code::protocol_error;
    std::string_view reason;
  };
  enum class compression : std::uint8_t { none, with_context, without_context };

  /// `message_limit` counts the bytes of a message after it was inflated.
  websocket_parser(std::size_t message_limit, compression agreed) noexcept : limit_(message_limit), compression_(agreed) {}

  /// Up to the next event. After `close` and `failed` it is not called again.
  [[nodiscard]] step feed(std::string_view input);

  /// After `message`, until the next feed or release.
  [[nodiscard]] std::string_view message() const noexcept { return message_; }
  [[nodiscard]] bool is_text() const noexcept { return is_text_; }
  /// Payload after `ping`, `pong` and `close`. That of a Close is empty, or holds a valid code and text.
  [[nodiscard]] std::string_view control() const noexcept { return control_; }
  [[nodiscard]] const failure& why_failed() const noexcept { return failure_; }

  /// Gives the room of the last message back, but for a little.
  void release();
  /// From here on the payload of messages is skipped and they are not told.
  void discard_messages();

 private:
  [[nodiscard]] bool fail(close_code code, std::string_view reason) noexcept;
  [[nodiscard]] bool read_header(std::string_view& input);
  [[nodiscard]] bool check_start();
  [[nodiscard]] bool check_length_byte();
  [[nodiscard]] bool check_length();
  [[nodiscard]] bool take_payload(std::string_view masked);
  [[nodiscard]] bool take_compressed(std::string_view masked);
  [[nodiscard]] bool check_text_from(std::size_t begin);
  [[nodiscard]] bool end_message();
  [[nodiscard]] bool check_close();
  [[nodiscard]] bool was_inflated(message_inflater::outcome result) noexcept;
  [[nodiscard]] int opcode() const noexcept { return header_[0] & 0x0f; }
  [[nodiscard]] bool is_final() const noexcept { return (header_[0] & 0x80) != 0; }
  [[nodiscard]] bool is_control() const noexcept { return (header_[0] & 0x08) != 0; }

  std::size_t limit_;
  std::unique_ptr<message_inflater> inflater_;
  std::string message_;
  std::string control_;
  failure failure_;
  std::uint64_t remaining_ = 0;  ///< bytes of the frame's payload that have not come
  std::array<std::uint8_t, 14> header_{};
  std::uint8_t header_size_ = 0;
  std::uint8_t header_wanted_ = 2;
  std::uint8_t mask_at_ = 0;
  compression compression_;
  utf8_checker utf8_;
  bool in_payload_ = false;
  bool in_message_ = false;     ///< a fragment came, and not the last one
  bool is_text_ = false;        ///< the message
  bool is_compressed_ = false;  ///< the message
  bool discards_ = false;
};

}  // namespace troupe::transport
