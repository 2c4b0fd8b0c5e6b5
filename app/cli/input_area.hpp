// The line that is being edited, on the screen: a prompt and a text over as many rows as they take, below what was written
// before. What it gives are bytes for a terminal. Of chat_view, which takes the area away before it writes anything else.
#pragma once

#include "app/cli/terminal.hpp"

#include <string>
#include <string_view>

namespace troupe::app {

struct input_line {
  std::string prompt{};
  style colour = style::plain;
  std::string text{};
  std::size_t cursor = 0;  ///< in the text, in bytes

  [[nodiscard]] bool operator==(const input_line&) const = default;
};

class input_area {
 public:
  [[nodiscard]] bool is_shown() const noexcept { return is_shown_; }
  [[nodiscard]] bool shows(const input_line& line) const { return is_shown_ && line == shown_; }
  /// Shows it from where the cursor is, which is column `column`: below, where that is not 0. A text of more rows than half of
  /// the screen is shown in part, around the cursor.
  [[nodiscard]] std::string draw(input_line line, const terminal& to, std::size_t rows, std::size_t column);
  /// The cursor is where it was before `draw` afterwards.
  [[nodiscard]] std::string erase();

 private:
  bool is_shown_ = false;
  input_line shown_;
  std::size_t cursor_row_ = 0;
  std::size_t column_ = 0;
};

}  // namespace troupe::app
