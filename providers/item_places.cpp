#include "providers/item_places.hpp"

#include <algorithm>
#include <span>

namespace troupe::providers {

namespace {

struct scanner {
  std::string_view text;
  std::size_t at = 0;
  int line = 1;

  [[nodiscard]] char now() const { return at < text.size() ? text[at] : '\0'; }

  void skip(std::size_t n) {
    auto end = std::min(text.size(), at + n);
    line += static_cast<int>(std::count(text.data() + at, text.data() + end, '\n'));
    at = end;
  }
  void skip_to(std::string_view mark) {
    auto end = text.find(mark, at);
    skip(end == std::string_view::npos ? text.size() : end - at + mark.size());
  }
  /// White space, separators and comments; false at the end.
  bool skip_blanks() {
    while (at < text.size()) {
      if (text.substr(at, 2) == "//")
        skip_to("\n");
      else if (text.substr(at, 2) == "/*")
        skip_to("*/");
      else if (std::string_view(" \t\r\n,:").find(now()) != std::string_view::npos)
        skip(1);
      else
        return true;
    }
    return false;
  }
  /// The raw content of the string that begins here.
  std::string_view take_string() {
    auto from = at + 1;
    auto end = from;
    while (end < text.size() && text[end] != '"') end += text[end] == '\\' ? 2U : 1U;
    end = std::min(end, text.size());
    skip(end + 1 - at);
    return text.substr(from, end - from);
  }
  void skip_value() {
    std::size_t depth = 0;
    do {
      auto c = now();
      if (c == '"') {
        (void)take_string();
      } else if (c == '[' || c == '{') {
        ++depth;
        skip(1);
      } else if (c == ']' || c == '}') {
        if (depth == 0) return;  // not of this value
        --depth;
        skip(1);
      } else {
        // A number or a word, to its end.
        auto end = text.find_first_of(" \t\r\n,]}/:", at);
        skip(end == std::string_view::npos ? text.size() : std::max<std::size_t>(1, end - at));
      }
    } while (depth > 0 && skip_blanks());
  }
};

void find(scanner& in, std::span<const std::string_view> path, std::vector<item_place>& out) {
  if (path.empty()) {
    if (in.now() != '[') return in.skip_value();
    in.skip(1);
    out.clear();
    while (in.skip_blanks() && in.now() != ']') {
      item_place place{in.line, in.at, 0};
      in.skip_value();
      place.end = in.at;
      out.push_back(place);
    }
    return in.skip(1);
  }
  if (in.now() != '{') return in.skip_value();
  in.skip(1);
  while (in.skip_blanks() && in.now() == '"') {
    auto name = in.take_string();
    if (!in.skip_blanks()) return;
    if (name == path.front())
      find(in, path.subspan(1), out);
    else
      in.skip_value();
  }
  in.skip(1);
}

}  // namespace

std::vector<item_place> item_places(std::string_view text, std::initializer_list<std::string_view> path) {
  std::vector<item_place> out;
  scanner in{text};
  if (in.skip_blanks()) find(in, {path.begin(), path.size()}, out);
  return out;
}

}  // namespace troupe::providers
