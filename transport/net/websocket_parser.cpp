#include "transport/net/websocket_parser.hpp"

#include "transport/net/http_target.hpp"

#include <algorithm>
#include <cstring>

namespace troupe::transport {

namespace {

/// A message no longer than this keeps its room for the next one.
constexpr std::size_t kept_room = 1024;
constexpr std::uint64_t longest_control = 125;

enum opcodes : int { continuation = 0, text = 1, binary = 2, close_op = 8, ping_op = 9, pong_op = 10 };

/// XOR with the mask (RFC 6455 §5.3) that `at` bytes have used already.
void unmask(char* to, std::string_view from, const std::uint8_t* mask, unsigned at) noexcept {
  std::array<std::uint8_t, 8> key{};
  for (unsigned i = 0; i < key.size(); ++i) key[i] = mask[(at + i) % 4];
  std::uint64_t wide_key = 0;
  std::memcpy(&wide_key, key.data(), sizeof wide_key);
  std::size_t i = 0;
  for (std::uint64_t word = 0; i + sizeof word <= from.size(); i += sizeof word) {
    std::memcpy(&word, from.data() + i, sizeof word);
    word ^= wide_key;
    std::memcpy(to + i, &word, sizeof word);
  }
  for (; i < from.size(); ++i) to[i] = static_cast<char>(from[i] ^ key[i % 8]);
}

/// RFC 6455 §7.4 and the codes registered since (1012 to 1014).
bool may_be_sent(unsigned code) noexcept {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

}  // namespace

bool websocket_parser::fail(close_code code, std::string_view reason) noexcept {
  failure_ = {code, reason};
  return false;
}

websocket_parser::step websocket_parser::feed(std::string_view input) {
  const auto given = input.size();
  auto result = [&](event what) { return step{what, given - input.size()}; };
  for (;;) {
    if (!in_payload_) {
      if (!read_header(input)) return result(event::failed);
      if (!in_payload_) return result(event::need_more);
    }
    const auto piece = input.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, input.size())));
    input.remove_prefix(piece.size());
    remaining_ -= piece.size();
    if (!take_payload(piece)) return result(event::failed);
    if (remaining_ > 0) return result(event::need_more);
    in_payload_ = false;
    header_size_ = 0;
    header_wanted_ = 2;
    switch (opcode()) {
      case close_op:
        return result(check_close() ? event::close : event::failed);
      case ping_op:
        return result(event::ping);
      case pong_op:
        return result(event::pong);
      default:
        in_message_ = !is_final();
        if (in_message_) break;
        if (!end_message()) return result(event::failed);
        if (!discards_) return result(event::message);
    }
  }
}

/// False when it is wrong; in_payload_ once it is complete.
bool websocket_parser::read_header(std::string_view& input) {
  while (header_size_ < header_wanted_ && !input.empty()) {
    header_[header_size_++] = static_cast<std::uint8_t>(input.front());
    input.remove_prefix(1);
    if (header_size_ == 1 && !check_start()) return false;
    if (header_size_ == 2 && !check_length_byte()) return false;
  }
  return header_size_ < header_wanted_ || check_length();
}

bool websocket_parser::check_start() {
  constexpr int rsv1 = 0x40;
  constexpr int rsv2_and_3 = 0x30;
  const auto op = opcode();
  if (op > pong_op || (op > binary && op < close_op)) return fail(close_code::protocol_error, "reserved opcode");
  const bool starts_message = op == text || op == binary;
  const bool is_compressed = (header_[0] & rsv1) != 0;
  if ((header_[0] & rsv2_and_3) != 0 || (is_compressed && (!starts_message || compression_ == compression::none)))
    return fail(close_code::protocol_error, "reserved bit");
  if (is_control()) return is_final() || fail(close_code::protocol_error, "fragmented control frame");
  if (starts_message == in_message_)
    return fail(close_code::protocol_error, in_message_ ? "new message inside a message" : "continuation of nothing");
  if (!starts_message) return true;
  is_text_ = op == text;
  is_compressed_ = is_compressed;
  utf8_ = {};
  message_.clear();
  return true;
}

bool websocket_parser::check_length_byte() {
  if ((header_[1] & 0x80) == 0) return fail(close_code::protocol_error, "unmasked frame");
  const auto length = header_[1] & 0x7f;
  if (is_control() && length > static_cast<int>(longest_control))
    return fail(close_code::protocol_error, "control frame over 125 bytes");
  header_wanted_ = length == 126 ? 8 : length == 127 ? 14 : 6;
  return true;
}

bool websocket_parser::check_length() {
  const int short_length = header_[1] & 0x7f;
  remaining_ = short_length < 126 ? static_cast<std::uint64_t>(short_length) : 0;
  for (int i = 2; i < header_wanted_ - 4; ++i) remaining_ = remaining_ << 8 | header_[static_cast<std::size_t>(i)];
  if (remaining_ >> 63 != 0) return fail(close_code::protocol_error, "length with the top bit set");
  if ((short_length == 126 && remaining_ < 126) || (short_length == 127 && remaining_ <= 0xffff))
    return fail(close_code::protocol_error, "length not in its shortest form");
  mask_at_ = 0;
  in_payload_ = true;
  if (is_control())
    control_.clear();
  else if (!is_compressed_ && !discards_ && remaining_ > limit_ - message_.size())
    return fail(close_code::too_big, "message too big");
  return true;
}

bool websocket_parser::take_payload(std::string_view masked) {
  if (masked.empty() || (discards_ && !is_control())) return true;
  if (!is_control() && is_compressed_) return take_compressed(masked);
  auto& to = is_control() ? control_ : message_;
  const auto begin = to.size();
  to.resize(begin + masked.size());
  unmask(to.data() + begin, masked, &header_[header_wanted_ - 4U], mask_at_);
  mask_at_ = static_cast<std::uint8_t>((mask_at_ + masked.size()) % 4);
  return is_control() || check_text_from(begin);
}

bool websocket_parser::take_compressed(std::string_view masked) {
  if (!inflater_) inflater_ = std::make_unique<message_inflater>(compression_ == compression::with_context);
  std::array<char, 4096> space;
  while (!masked.empty()) {
    const auto piece = masked.substr(0, space.size());
    masked.remove_prefix(piece.size());
    unmask(space.data(), piece, &header_[header_wanted_ - 4U], mask_at_);
    mask_at_ = static_cast<std::uint8_t>((mask_at_ + piece.size()) % 4);
    const auto begin = message_.size();
    if (!was_inflated(inflater_->write({space.data(), piece.size()}, message_, limit_)) || !check_text_from(begin))
      return false;
  }
  return true;
}

bool websocket_parser::was_inflated(message_inflater::outcome result) noexcept {
  if (result == message_inflater::outcome::too_big) return fail(close_code::too_big, "message too big");
  return result == message_inflater::outcome::ok || fail(close_code::bad_payload, "compressed data is damaged");
}

bool websocket_parser::check_text_from(std::size_t begin) {
  return !is_text_ || utf8_.take(std::string_view(message_).substr(begin)) ||
         fail(close_code::bad_payload, "text is not UTF-8");
}

bool websocket_parser::end_message() {
  if (discards_) return true;
  // A compressed message without any payload was never begun; its tail alone is nothing.
  if (is_compressed_ && inflater_) {
    const auto begin = message_.size();
    if (!was_inflated(inflater_->finish(message_, limit_)) || !check_text_from(begin)) return false;
  }
  return !is_text_ || utf8_.is_complete() || fail(close_code::bad_payload, "text ends inside a character");
}

bool websocket_parser::check_close() {
  if (control_.empty()) return true;
  if (control_.size() == 1) return fail(close_code::protocol_error, "close with half a code");
  const auto byte = [this](std::size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(control_[i])); };
  if (!may_be_sent(byte(0) << 8 | byte(1))) return fail(close_code::protocol_error, "close with a reserved code");
  return is_valid_utf8(std::string_view(control_).substr(2)) || fail(close_code::bad_payload, "close reason is not UTF-8");
}

void websocket_parser::release() {
  message_.clear();
  if (message_.capacity() > kept_room) std::string().swap(message_);
}

void websocket_parser::discard_messages() {
  discards_ = true;
  std::string().swap(message_);
  inflater_.reset();
}

}  // namespace troupe::transport
