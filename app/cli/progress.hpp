// A line on stderr that says how far a command has come; gone when it is done. One thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace troupe::app {

class progress_line {
 public:
  /// Shows nothing where stderr is no terminal, or one that cannot go back in a line (`TERM=dumb`), or `is_wanted` says no.
  progress_line(std::size_t total, bool is_wanted);
  ~progress_line() { clear(); }
  progress_line(const progress_line&) = delete;
  progress_line& operator=(const progress_line&) = delete;

  /// `now` is what is being done.
  void show(std::size_t done, std::size_t failed, std::string_view now);
  /// Before anything else is written to the terminal.
  void clear();

 private:
  std::size_t total_;
  bool is_on_ = false;
  bool has_colours_ = false;
  bool is_shown_ = false;
  std::size_t width_ = 80;
};

/// `[####....] 12/56, 1 failed  file`, cut to `width` characters.
[[nodiscard]] std::string progress_text(std::size_t done, std::size_t total, std::size_t failed, std::string_view now,
                                        std::size_t width);

}  // namespace troupe::app
