#include "actors/first_words.hpp"

namespace troupe::actors {

std::string first_words(std::string_view text, std::size_t limit) {
  auto is_gap = [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == '\x7f'; };
  auto begins_character = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
  std::string out;
  std::size_t used = 0;
  for (std::size_t at = 0; at < text.size();) {
    if (is_gap(text[at])) {
      ++at;
      continue;
    }
    auto begin = at;
    std::size_t length = 0;
    auto cut = std::string_view::npos;
    for (; at < text.size() && !is_gap(text[at]) && length <= limit; ++at) {
      if (begins_character(text[at]) && ++length == limit + 1) cut = at;
    }
    if (out.empty()) {
      out = text.substr(begin, (cut == std::string_view::npos ? at : cut) - begin);
      used = length;
      if (cut != std::string_view::npos) return out;
    } else {
      if (used + 1 + length > limit) return out;
      out += ' ';
      out += text.substr(begin, at - begin);
      used += 1 + length;
    }
  }
  return out;
}

}  // namespace troupe::actors
