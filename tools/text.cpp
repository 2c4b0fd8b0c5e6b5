#include "tools/text.hpp"

#include <cstdint>

namespace troupe::tools {

namespace {

bool is_continuation(unsigned char c) noexcept { return (c & 0xC0U) == 0x80U; }

/// Length of the UTF-8 character at the front, or 0 where there is none.
std::size_t character_length(std::string_view s) noexcept {
  auto at = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  auto c = at(0);
  if (c < 0x80) return 1;
  std::size_t length = c >= 0xC2 && c <= 0xDF ? 2 : c >= 0xE0 && c <= 0xEF ? 3 : c >= 0xF0 && c <= 0xF4 ? 4 : 0;
  if (length == 0 || s.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if (!is_continuation(at(i))) return 0;
  auto second = at(1);  // over-long forms, surrogates and values above U+10FFFF differ in it
  if ((c == 0xE0 && second < 0xA0) || (c == 0xED && second > 0x9F)) return 0;
  if ((c == 0xF0 && second < 0x90) || (c == 0xF4 && second > 0x8F)) return 0;
  return length;
}

}  // namespace

bool is_plain_text(std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    if (bytes.front() == '\0') return false;
    auto length = character_length(bytes);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

std::string_view cut_text(std::string_view text, std::size_t bytes) noexcept {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && is_continuation(static_cast<unsigned char>(text[bytes]))) --bytes;
  return text.substr(0, bytes);
}

std::string quoted(std::string_view text, std::size_t bytes) {
  std::string out = "`";
  for (auto rest = text; !rest.empty();) {
    auto length = character_length(rest);
    bool printable = length > 1 || (length == 1 && rest.front() >= ' ' && rest.front() != 0x7F);
    auto piece = printable ? rest.substr(0, length) : std::string_view("?");
    if (out.size() + piece.size() > bytes + 1) {
      out += "…";
      break;
    }
    out += piece;
    rest.remove_prefix(length == 0 ? 1 : length);
  }
  return out += '`';
}

char32_t take_character(std::string_view& rest) noexcept {
  auto first = static_cast<unsigned char>(rest.front());
  std::size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  char32_t out = length == 1 ? first : first & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) out = (out << 6U) | (static_cast<unsigned char>(rest[i]) & 0x3FU);
  rest.remove_prefix(length);
  return out;
}

void append_character(std::string& out, char32_t c) {
  auto tail = [&](unsigned shift) { out += static_cast<char>(0x80U | ((c >> shift) & 0x3FU)); };
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0U | (c >> 6U));
    tail(0);
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0U | (c >> 12U));
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xF0U | (c >> 18U));
    tail(12);
    tail(6);
    tail(0);
  }
}

}  // namespace troupe::tools
