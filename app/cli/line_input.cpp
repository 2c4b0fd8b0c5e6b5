#include "app/cli/line_input.hpp"

#include <termios.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <string_view>

namespace troupe::app {

namespace {

/// The server takes no more in one message; a longer line is its matter to refuse.
constexpr std::size_t longest_input = 16 << 20;

constexpr std::string_view paste_on = "\x1b[?2004h";
constexpr std::string_view paste_off = "\x1b[?2004l";

/// Of the process, because what ends it by a signal has nothing else at hand.
termios before{};

void write_to_screen(std::string_view text) {
  // A terminal that went away has no state that matters.
  [[maybe_unused]] auto written = ::write(STDOUT_FILENO, text.data(), text.size());
}

void restore() {
  ::tcsetattr(STDIN_FILENO, TCSANOW, &before);
  write_to_screen(paste_off);
}

void take_over() {
  auto now = before;
  // Ctrl-C stays a signal: it must work while nobody reads. Ctrl-Z is a key, because what it does begins with `restore`.
  now.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | IEXTEN);
  now.c_iflag &= ~static_cast<tcflag_t>(ICRNL);
  now.c_cc[VMIN] = 1;
  now.c_cc[VTIME] = 0;
  now.c_cc[VSUSP] = _POSIX_VDISABLE;
  ::tcsetattr(STDIN_FILENO, TCSADRAIN, &now);
  write_to_screen(paste_on);
}

/// Made with SA_RESETHAND: the second time it is the end.
void on_end(int signal) {
  restore();
  ::raise(signal);
}

}  // namespace

line_input::~line_input() {
  if (editor_) restore();
}

void line_input::begin_editing() {
  const char* kind = std::getenv("TERM");
  std::string_view name = kind ? kind : "dumb";
  if (editor_ || name == "dumb" || name.empty() || ::tcgetattr(STDIN_FILENO, &before) != 0) return;
  // Who changes the terminal from the background is stopped.
  if (::tcgetpgrp(STDIN_FILENO) != ::getpgrp()) return;
  editor_ = std::make_unique<line_editor>();
  struct sigaction end {};
  end.sa_handler = on_end;
  end.sa_flags = static_cast<int>(SA_RESETHAND);
  for (int signal : {SIGTERM, SIGHUP, SIGQUIT}) ::sigaction(signal, &end, nullptr);
  take_over();
}

void line_input::suspend() {
  restore();
  ::raise(SIGTSTP);
  take_over();
}

int line_input::fd() const noexcept { return STDIN_FILENO; }

void line_input::read() {
  std::array<char, 65536> piece;
  auto got = ::read(STDIN_FILENO, piece.data(), piece.size());
  if (got <= 0 || text_.size() > longest_input) {
    is_open_ = false;
    return;
  }
  std::string_view bytes(piece.data(), static_cast<std::size_t>(got));
  if (!editor_) {
    text_.append(bytes);
    return;
  }
  editor_->feed(bytes);
  if (editor_->is_at_end()) is_open_ = false;
  if (editor_->take_suspend()) suspend();
}

std::optional<std::string> line_input::next() {
  if (is_whole_) return std::nullopt;
  if (editor_) return editor_->next();
  auto end = text_.find('\n');
  if (end == std::string::npos && (is_open_ || text_.empty())) return std::nullopt;
  auto line = text_.substr(0, end);
  text_.erase(0, end == std::string::npos ? end : end + 1);
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

}  // namespace troupe::app
