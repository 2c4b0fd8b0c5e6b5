// UTF-8 as RFC 3629 has it, checked piece by piece: no overlong forms, no surrogates, nothing above U+10FFFF. Owned by whoever
// reads a text; any thread, one at a time.
#pragma once

#include <string_view>

namespace troupe::transport {

class utf8_checker {
 public:
  /// False from the first byte on that no valid text can hold here, also in the middle of a character.
  [[nodiscard]] bool take(std::string_view piece) noexcept;
  /// The text does not end inside a character.
  [[nodiscard]] bool is_complete() const noexcept { return missing_ == 0; }

 private:
  unsigned char missing_ = 0;  ///< bytes that the character still wants
  unsigned char low_ = 0x80;   ///< range of the next one: it carries the overlong, surrogate and 10FFFF rules (RFC 3629 §4)
  unsigned char high_ = 0xbf;
};

}  // namespace troupe::transport
