#include "app/cli/safe_text.hpp"

#include <wchar.h>

#include <algorithm>
#include <cstdint>
#include <optional>

namespace troupe::app {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

struct character {
  char32_t code = 0;
  std::size_t size = 1;
  bool is_valid = false;
};

unsigned char byte_at(std::string_view text, std::size_t i) { return static_cast<unsigned char>(text[i]); }

/// The character that `text` begins with; nothing where its end is still missing. RFC 3629 §4.
std::optional<character> decode(std::string_view text) {
  auto lead = byte_at(text, 0);
  if (lead < 0x80) return character{lead, 1, true};
  std::size_t size = lead >= 0xC2 && lead <= 0xDF ? 2 : (lead & 0xF0U) == 0xE0 ? 3 : lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
  if (size == 0) return character{};
  char32_t code = lead & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if (i == text.size()) return std::nullopt;
    auto next = byte_at(text, i);
    if ((next & 0xC0U) != 0x80) return character{0, i, false};
    code = (code << 6U) | (next & 0x3FU);
  }
  bool is_valid = size == 2 || (size == 3 && code >= 0x800 && (code < 0xD800 || code > 0xDFFF)) ||
                  (size == 4 && code >= 0x10000 && code <= 0x10FFFF);
  return character{code, size, is_valid};
}

bool turns_direction(char32_t c) { return (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069); }

void append_safe(std::string& out, std::string_view bytes, const character& c) {
  if (!c.is_valid) {
    out += replacement;
  } else if (c.code == '\r') {
    // Half of a line end, or an attempt to write over what is there.
  } else if (c.code < 0x20 && c.code != '\n' && c.code != '\t') {
    out += {'^', static_cast<char>(c.code + '@')};
  } else if (c.code == 0x7F) {
    out += "^?";
  } else if (c.code >= 0x80 && c.code < 0xA0) {
    out += {'^', '[', static_cast<char>(c.code - 0x40)};
  } else if (turns_direction(c.code)) {
    constexpr std::string_view hex = "0123456789ABCDEF";
    out += "<U+20";
    out += {hex[(c.code >> 4U) & 15U], hex[c.code & 15U], '>'};
  } else {
    out += bytes;
  }
}

std::size_t width_of(char32_t c) {
  if (c < 0x80) return 1;
  // -1: unknown to the locale. One column is what most of them take.
  auto width = ::wcwidth(static_cast<wchar_t>(c));
  return width < 0 ? 1 : static_cast<std::size_t>(width);
}

}  // namespace

std::string text_filter::filtered(std::string_view piece) {
  std::string text = std::move(held_) + std::string(piece);
  held_.clear();
  std::string out;
  out.reserve(text.size());
  std::string_view left = text;
  while (!left.empty()) {
    auto c = decode(left);
    if (!c) {
      held_ = left;
      break;
    }
    append_safe(out, left.substr(0, c->size), *c);
    left.remove_prefix(c->size);
  }
  return out;
}

std::string text_filter::rest() {
  bool was_cut = !held_.empty();
  held_.clear();
  return was_cut ? std::string(replacement) : std::string();
}

std::string safe_text(std::string_view text) {
  text_filter filter;
  auto out = filter.filtered(text);
  return out + filter.rest();
}

std::string safe_line(std::string_view text, std::size_t most) {
  auto out = safe_text(text.substr(0, most == 0 ? text.size() : std::min(text.size(), most * 8)));
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c == '\n' || c == '\t'; }, ' ');
  if (most == 0 || display_width(out) <= most) return out;
  std::size_t width = 0;
  std::string_view left = out;
  while (!left.empty()) {
    auto c = decode(left).value_or(character{});
    if (width + width_of(c.code) + 1 > most) break;
    width += width_of(c.code);
    left.remove_prefix(c.size);
  }
  return out.substr(0, out.size() - left.size()) + "…";
}

std::optional<std::size_t> character_size(std::string_view text) {
  auto c = decode(text);
  if (!c) return 0;
  return c->is_valid ? std::optional(c->size) : std::nullopt;
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    auto c = decode(text).value_or(character{0, text.size(), false});
    width += c.is_valid ? width_of(c.code) : 1;
    text.remove_prefix(c.size);
  }
  return width;
}

}  // namespace troupe::app
