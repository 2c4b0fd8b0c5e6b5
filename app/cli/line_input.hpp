// Lines of stdin as they come, without waiting: a terminal's line discipline edits them. Owned by `chat`.
#pragma once

#include <optional>
#include <string>

namespace troupe::app {

class line_input {
 public:
  [[nodiscard]] int fd() const noexcept;
  /// False after its end.
  [[nodiscard]] bool is_open() const noexcept { return is_open_; }
  /// What is there now; call it when `fd` is readable.
  void read();
  /// The next whole line, or the last one without an end.
  [[nodiscard]] std::optional<std::string> next();

  /// From now on it is one text up to its end.
  void read_whole() { is_whole_ = true; }
  [[nodiscard]] const std::string& whole() const noexcept { return text_; }

 private:
  std::string text_;
  bool is_open_ = true;
  bool is_whole_ = false;
};

}  // namespace troupe::app
