#include "app/cli/help.hpp"

#include "app/cli/safe_text.hpp"
#include "app/cli/terminal.hpp"

#include <algorithm>

namespace troupe::app {

namespace {

/// Text that begins further to the right than this would be a narrow column.
constexpr std::size_t least_text_columns = 30;

/// Where an explanation begins behind what it explains: after two blanks or more. 0: there is none.
std::size_t explanation_in(std::string_view line) {
  auto begin = line.find_first_not_of(' ');
  auto gap = begin == std::string_view::npos ? begin : line.find("  ", begin);
  if (gap == std::string_view::npos) return 0;
  auto text = line.find_first_not_of(' ', gap);
  return text == std::string_view::npos ? 0 : text;
}

void wrap_words(std::string& out, std::string_view text, std::size_t indent, std::size_t width) {
  while (display_width(text) + indent > width) {
    std::size_t used = 0;
    std::size_t end = 0;
    // A word that is wider than the line has one of its own.
    for (auto blank = text.find(' '); blank != std::string_view::npos; blank = text.find(' ', blank + 1)) {
      used = display_width(text.substr(0, blank));
      if (end != 0 && used + indent > width) break;
      end = blank;
      if (used + indent > width) break;
    }
    if (end == 0) break;
    out.append(text.substr(0, end)).append("\n").append(indent, ' ');
    text.remove_prefix(std::min(text.find_first_not_of(' ', end), text.size()));
  }
  out.append(text);
}

void wrap_line(std::string& out, std::string_view line, std::size_t width) {
  auto begin = std::min(line.find_first_not_of(' '), line.size());
  auto text = explanation_in(line);
  auto column = display_width(line.substr(0, text));
  if (text == 0) {
    out.append(begin, ' ');
    // What is that far to the right is an explanation itself.
    return wrap_words(out, line.substr(begin), begin < least_text_columns ? begin + 2 : begin, width);
  }
  if (column + least_text_columns <= width) {
    out.append(line.substr(0, text));
    return wrap_words(out, line.substr(text), column, width);
  }
  auto end = line.find_last_not_of(' ', text - 1) + 1;
  out.append(begin, ' ');
  wrap_words(out, line.substr(begin, end - begin), begin + 2, width);
  out.append("\n").append(begin + 4, ' ');
  wrap_words(out, line.substr(text), begin + 4, width);
}

}  // namespace

std::string wrapped(std::string_view text, std::size_t width) {
  std::string out;
  for (bool is_last = false; !is_last;) {
    auto end = text.find('\n');
    is_last = end == std::string_view::npos;
    auto line = text.substr(0, end);
    if (display_width(line) <= width)
      out += line;
    else
      wrap_line(out, line, width);
    if (is_last) break;
    out += '\n';
    text.remove_prefix(end + 1);
  }
  return out;
}

std::string help_formatter::make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const {
  auto text = CLI::Formatter::make_help(app, std::move(name), mode);
  auto to = terminal::of_process();
  return to.is_output ? wrapped(text, to.width) : text;
}

}  // namespace troupe::app
