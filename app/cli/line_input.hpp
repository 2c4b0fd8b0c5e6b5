// Lines of stdin as they come, without waiting: out of a file or a pipe, or of a terminal, which this edits itself once
// `begin_editing` was called. Owned by `chat`; one of a process.
#pragma once

#include "app/cli/line_editor.hpp"

#include <memory>
#include <optional>
#include <string>

namespace troupe::app {

class line_input {
 public:
  line_input() = default;
  /// The terminal is as it was.
  ~line_input();
  line_input(const line_input&) = delete;
  line_input& operator=(const line_input&) = delete;

  /// From now on keys come one by one, and are not shown: who calls this shows what `editor` has. Not where TERM says that a
  /// terminal cannot move its cursor: its own line discipline edits there.
  void begin_editing();
  /// Nothing where it does not edit.
  [[nodiscard]] line_editor* editor() noexcept { return editor_.get(); }

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
  void suspend();

  std::unique_ptr<line_editor> editor_;
  std::string text_;
  bool is_open_ = true;
  bool is_whole_ = false;
};

}  // namespace troupe::app
