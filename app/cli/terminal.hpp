// What stdout is: a terminal with colours and a width, or a file that a program reads. Looked at once per command.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace troupe::app {

enum class style : unsigned char { plain, bold, dim, red, green, yellow, cyan };

struct terminal {
  bool is_input = false;   ///< stdin is a person
  bool is_output = false;  ///< stdout is a screen
  bool has_colours = false;
  std::size_t width = 100;
  std::size_t height = 24;

  /// Looks at stdin, stdout, NO_COLOR (https://no-color.org: set and not empty), TERM and the size of the window.
  [[nodiscard]] static terminal of_process();
  /// The window may have another size by now.
  void look_at_size();
  /// `text` in that style, or as it is without colours.
  [[nodiscard]] std::string styled(style s, std::string_view text) const;
};

/// SIGINT as something to wait for, instead of the end of the program. Of the thread that makes it; threads that begin
/// afterwards leave the signal to it. SIGPIPE is ignored from then on: a reader that went away is an error of write.
class interrupts {
 public:
  interrupts();
  ~interrupts();
  interrupts(const interrupts&) = delete;
  interrupts& operator=(const interrupts&) = delete;

  /// Readable when Ctrl-C was pressed.
  [[nodiscard]] int fd() const noexcept { return fd_; }
  /// True when it was pressed since the last call.
  [[nodiscard]] bool take() const;

 private:
  int fd_ = -1;
};

/// At the start of the program: a stream that was closed fails, and does not become the first socket or file that is opened.
void hold_standard_streams();

/// Writes all of it; false when that failed, which is told once, or nobody reads any more.
bool put(std::string_view text);
/// The exit status at the end of a command that prints: a success is none where its output was lost.
[[nodiscard]] int after_output(int status);
/// A line on stderr: `troupe: text`.
void complain(std::string_view text);

}  // namespace troupe::app
