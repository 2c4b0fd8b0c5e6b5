// Boost.JSON does not tell where a value stood, so the lines of steps are found by a scan of their own.
#include "app/scenario/scenario.hpp"

#include <algorithm>

namespace troupe::app {

namespace {

struct scanner {
  std::string_view text;
  std::size_t at = 0;
  int line = 1;

  [[nodiscard]] bool has_more() const { return at < text.size(); }
  [[nodiscard]] char now() const { return text[at]; }

  void skip(std::size_t n) {
    auto end = std::min(text.size(), at + n);
    line += static_cast<int>(
        std::count(text.begin() + static_cast<std::ptrdiff_t>(at), text.begin() + static_cast<std::ptrdiff_t>(end), '\n'));
    at = end;
  }
  void skip_to(std::string_view mark) {
    auto end = text.find(mark, at);
    skip(end == std::string_view::npos ? text.size() : end - at + mark.size());
  }
  /// White space, commas and comments; false at the end.
  bool skip_blanks() {
    while (has_more()) {
      if (text.substr(at, 2) == "//")
        skip_to("\n");
      else if (text.substr(at, 2) == "/*")
        skip_to("*/");
      else if (std::string_view(" \t\r\n,").find(now()) != std::string_view::npos)
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
};

}  // namespace

std::vector<int> step_lines(std::string_view text) {
  std::vector<int> lines;
  scanner in{text};
  std::size_t depth = 0;
  bool is_named_steps = false;  // the last string at depth 1 was "steps"
  bool in_steps = false;
  while (in.skip_blanks()) {
    auto c = in.now();
    bool is_close = c == ']' || c == '}';
    if (in_steps && depth == 2 && !is_close) lines.push_back(in.line);
    if (c == '"') {
      auto word = in.take_string();
      if (depth == 1) is_named_steps = word == "steps";
      continue;
    }
    if (c == '[' || c == '{') {
      if (depth == 1 && c == '[' && is_named_steps) in_steps = true;
      ++depth;
    } else if (is_close) {
      if (depth > 0) --depth;
      if (depth == 1) in_steps = false;
    } else if (c != ':') {
      // A number or a word: to its end, so that it counts once.
      auto end = text.find_first_of(" \t\r\n,]}/", in.at);
      in.skip(end == std::string_view::npos ? text.size() : std::max<std::size_t>(1, end - in.at));
      continue;
    }
    in.skip(1);
  }
  return lines;
}

}  // namespace troupe::app
