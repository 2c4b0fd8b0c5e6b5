#include "transport/net/utf8.hpp"

#include <cstdint>
#include <cstring>

namespace troupe::transport {

namespace {

/// Most text is ASCII: eight bytes at a time.
std::size_t ascii_prefix(std::string_view text) noexcept {
  constexpr std::uint64_t high_bits = 0x8080808080808080;
  std::size_t at = 0;
  for (std::uint64_t word = 0; at + sizeof word <= text.size(); at += sizeof word) {
    std::memcpy(&word, text.data() + at, sizeof word);
    if ((word & high_bits) != 0) break;
  }
  return at;
}

}  // namespace

bool utf8_checker::take(std::string_view piece) noexcept {
  std::size_t i = missing_ == 0 ? ascii_prefix(piece) : 0;
  for (; i < piece.size(); ++i) {
    const auto byte = static_cast<unsigned char>(piece[i]);
    if (missing_ > 0) {
      if (byte < low_ || byte > high_) return false;
      --missing_;
      low_ = 0x80;
      high_ = 0xbf;
      continue;
    }
    if (byte < 0x80) continue;
    if (byte >= 0xc2 && byte <= 0xdf)
      missing_ = 1;
    else if (byte >= 0xe0 && byte <= 0xef)
      missing_ = 2;
    else if (byte >= 0xf0 && byte <= 0xf4)
      missing_ = 3;
    else
      return false;
    if (byte == 0xe0) low_ = 0xa0;
    if (byte == 0xed) high_ = 0x9f;
    if (byte == 0xf0) low_ = 0x90;
    if (byte == 0xf4) high_ = 0x8f;
  }
  return true;
}

}  // namespace troupe::transport
