// Text of models, tools and people on its way to a terminal, where bytes can move the cursor, change the title or answer for
// the person. Pure; used by every command that prints what somebody else wrote.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace troupe::app {

/// Makes pieces of a stream harmless. Control characters but line feed and tab are shown as `^X` (carriage returns are left
/// out), characters that turn the direction of writing as `<U+202E>`, what is no UTF-8 as U+FFFD. A character that is cut
/// between two pieces comes out whole.
class text_filter {
 public:
  [[nodiscard]] std::string filtered(std::string_view piece);
  /// What was held back of a character that never ended.
  [[nodiscard]] std::string rest();

 private:
  std::string held_;
};

/// The same for a whole text.
[[nodiscard]] std::string safe_text(std::string_view text);
/// In one line: line feeds and tabs are blanks. Cut to `most` columns, with an ellipsis; 0: not cut.
[[nodiscard]] std::string safe_line(std::string_view text, std::size_t most = 0);

/// Bytes of the character that `text`, which is not empty, begins with: 0 where its end is missing, nothing where it is no
/// UTF-8.
[[nodiscard]] std::optional<std::size_t> character_size(std::string_view text);

/// Columns that a safe text takes in a terminal.
[[nodiscard]] std::size_t display_width(std::string_view text);

}  // namespace troupe::app
