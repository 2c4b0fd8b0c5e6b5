#include "app/cli/terminal.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace troupe::app {

namespace {

/// Narrower windows are taken for one of so many columns.
constexpr std::size_t least_width = 20;

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value && *value != '\0';
}

std::string_view code_of(style s) {
  switch (s) {
    case style::bold:
      return "\x1b[1m";
    case style::dim:
      return "\x1b[2m";
    case style::red:
      return "\x1b[31m";
    case style::green:
      return "\x1b[32m";
    case style::yellow:
      return "\x1b[33m";
    case style::cyan:
      return "\x1b[36m";
    case style::plain:
      break;
  }
  return "";
}

/// Once. Who closes a pipe has read enough.
void tell_lost_output(int why) {
  static bool is_told = false;
  if (why != EPIPE && !std::exchange(is_told, true))
    complain("stdout cannot be written: " + std::generic_category().message(why));
}

sigset_t interrupt_set() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  return set;
}

}  // namespace

terminal terminal::of_process() {
  std::setlocale(LC_CTYPE, "");  // for the width of characters
  terminal out;
  out.is_input = ::isatty(STDIN_FILENO) == 1;
  out.is_output = ::isatty(STDOUT_FILENO) == 1;
  const char* kind = std::getenv("TERM");
  out.has_colours = out.is_output && !is_set("NO_COLOR") && std::string_view(kind ? kind : "") != "dumb";
  out.look_at_size();
  return out;
}

void terminal::look_at_size() {
  winsize size{};
  if (!is_output || ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return;
  if (size.ws_col > 0) width = std::max<std::size_t>(size.ws_col, least_width);
  if (size.ws_row > 0) height = size.ws_row;
}

std::string terminal::styled(style s, std::string_view text) const {
  if (!has_colours || s == style::plain || text.empty()) return std::string(text);
  return std::string(code_of(s)).append(text).append("\x1b[0m");
}

interrupts::interrupts() {
  std::signal(SIGPIPE, SIG_IGN);
  auto set = interrupt_set();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  fd_ = ::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

interrupts::~interrupts() {
  (void)take();  // who has left need not be ended
  ::close(fd_);
  auto set = interrupt_set();
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

bool interrupts::take() const {
  signalfd_siginfo what{};
  bool was_pressed = false;
  while (::read(fd_, &what, sizeof what) == static_cast<ssize_t>(sizeof what)) was_pressed = true;
  return was_pressed;
}

void hold_standard_streams() {
  // The lowest that is free is what `open` gives.
  for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(fd, F_GETFD) == -1 && errno == EBADF) (void)::open("/dev/null", fd == STDOUT_FILENO ? O_RDONLY : O_WRONLY);
}

bool put(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) return true;
  tell_lost_output(errno);
  return false;
}

int after_output(int status) {
  if (std::fflush(stdout) != 0) tell_lost_output(errno);
  return status == 0 && std::ferror(stdout) != 0 ? 1 : status;
}

void complain(std::string_view text) { std::fprintf(stderr, "troupe: %.*s\n", static_cast<int>(text.size()), text.data()); }

}  // namespace troupe::app
