#include "app/cli/input_area.hpp"

#include "app/cli/safe_text.hpp"

#include <algorithm>
#include <vector>

namespace troupe::app {

namespace {

constexpr std::size_t least_rows = 3;

struct row {
  std::string prompt{};
  std::string text{};
  std::size_t width = 0;
};

struct layout {
  std::vector<row> rows{row{}};
  std::size_t cursor_row = 0;
  std::size_t cursor_column = 0;
};

std::string moved(std::size_t by, char direction) { return by == 0 ? "" : "\x1b[" + std::to_string(by) + direction; }

/// The last column stays free: terminals differ in where the cursor is behind it.
layout lay_out(const input_line& line, std::size_t columns) {
  layout out;
  auto room = columns - 1;
  auto add = [&](std::string_view text, std::string row::*part, std::size_t cursor) {
    for (std::size_t at = 0;;) {
      if (at == cursor) {
        out.cursor_row = out.rows.size() - 1;
        out.cursor_column = out.rows.back().width;
      }
      if (at >= text.size()) break;
      auto size = std::max<std::size_t>(character_size(text.substr(at)).value_or(1), 1);
      auto bytes = text.substr(at, size);
      at += bytes.size();
      if (bytes == "\n") {
        out.rows.emplace_back();
        continue;
      }
      auto shown = bytes == "\t" ? std::string("  ") : safe_text(bytes);
      auto width = display_width(shown);
      if (out.rows.back().width + width > room) out.rows.emplace_back();
      out.rows.back().*part += shown;
      out.rows.back().width += width;
    }
  };
  add(line.prompt, &row::prompt, std::string::npos);
  add(line.text, &row::text, line.cursor);
  return out;
}

}  // namespace

std::string input_area::draw(input_line line, const terminal& to, std::size_t rows, std::size_t column) {
  auto all = lay_out(line, to.width);
  auto most = std::max(least_rows, rows / 2);
  std::size_t first = 0;
  if (all.rows.size() > most) first = std::min(all.cursor_row - std::min(all.cursor_row, most / 2), all.rows.size() - most);
  auto count = std::min(all.rows.size() - first, most);
  std::string out = column == 0 ? "" : "\r\n";
  for (std::size_t i = first; i < first + count; ++i) {
    if (i != first) out += "\r\n";
    out += to.styled(line.colour, all.rows[i].prompt) + all.rows[i].text;
  }
  cursor_row_ = all.cursor_row - first;
  bool is_at_end = cursor_row_ == count - 1 && all.cursor_column == all.rows[first + cursor_row_].width;
  if (!is_at_end) out += moved(count - 1 - cursor_row_, 'A') + "\r" + moved(all.cursor_column, 'C');
  column_ = column;
  shown_ = std::move(line);
  is_shown_ = true;
  return out;
}

std::string input_area::erase() {
  if (!std::exchange(is_shown_, false)) return {};
  auto out = moved(cursor_row_, 'A') + "\r\x1b[J";
  if (column_ != 0) out += "\x1b[A\r" + moved(column_, 'C');
  return out;
}

}  // namespace troupe::app
