// The line that a person edits: bytes of a keyboard go in, finished lines come out. Knows neither terminal nor screen, so that
// what others write meanwhile is no matter of it. Owned by line_input. Keys are those of Emacs and readline, and of xterm.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::app {

class line_editor {
 public:
  /// As they come, cut anywhere: a character or a key that is not complete waits for the rest. A bracketed paste is text, line
  /// ends and all; so is what Alt-Enter adds.
  void feed(std::string_view bytes);
  /// The next line that was ended with Enter. It may have line feeds in it.
  [[nodiscard]] std::optional<std::string> next();

  /// What has not been ended yet. Valid UTF-8.
  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  /// Where in it, in bytes; never inside a character.
  [[nodiscard]] std::size_t cursor() const noexcept { return cursor_; }
  /// Puts `text` there instead, and gives what was there.
  std::string replace(std::string text);

  /// What the arrow up brings back. Blank lines and repetitions are not kept.
  void remember(const std::string& line);

  /// Ctrl-D on an empty line.
  [[nodiscard]] bool is_at_end() const noexcept { return is_at_end_; }
  /// Once after Ctrl-L.
  [[nodiscard]] bool take_clear_screen() noexcept { return std::exchange(wants_clear_screen_, false); }
  /// Once after Ctrl-Z.
  [[nodiscard]] bool take_suspend() noexcept { return std::exchange(wants_suspend_, false); }

 private:
  /// Bytes that the first key of `held_` took; 0 while it is not complete.
  std::size_t take_key();
  std::size_t take_escape();
  std::size_t take_paste();
  void on_sequence(std::string_view parameters, char last);
  void on_control(char c);

  void insert(std::string_view text);
  void erase(std::size_t from, std::size_t to, bool keeps);
  void enter();
  void move_line(int by);
  void recall(std::size_t at);
  [[nodiscard]] std::size_t before(std::size_t at) const;
  [[nodiscard]] std::size_t behind(std::size_t at) const;
  [[nodiscard]] std::size_t word_before(std::size_t at) const;
  [[nodiscard]] std::size_t word_behind(std::size_t at) const;
  [[nodiscard]] std::size_t line_begin(std::size_t at) const;
  [[nodiscard]] std::size_t line_end(std::size_t at) const;

  std::string held_;
  bool is_pasting_ = false;
  std::string text_;
  std::size_t cursor_ = 0;
  std::string killed_;
  std::deque<std::string> done_;
  std::vector<std::string> history_;
  std::size_t at_history_ = 0;  ///< == history_.size(): the line of now
  std::string draft_;           ///< the line of now, while another is shown
  bool is_at_end_ = false;
  bool wants_clear_screen_ = false;
  bool wants_suspend_ = false;
};

}  // namespace troupe::app
