#include "app/cli/progress.hpp"

#include "app/cli/safe_text.hpp"
#include "app/cli/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace troupe::app {

progress_line::progress_line(std::size_t total, bool is_wanted) : total_(total) {
  const char* kind = std::getenv("TERM");
  is_on_ = is_wanted && ::isatty(STDERR_FILENO) == 1 && std::string_view(kind ? kind : "dumb") != "dumb";
  if (!is_on_) return;
  const char* no_colour = std::getenv("NO_COLOR");
  has_colours_ = !no_colour || *no_colour == '\0';
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) width_ = size.ws_col;
}

void progress_line::show(std::size_t done, std::size_t failed, std::string_view now) {
  if (!is_on_) return;
  std::fflush(stdout);
  terminal colours;
  colours.has_colours = has_colours_;
  // The last column stays free: a terminal that wraps there would need two lines.
  auto text = colours.styled(failed > 0 ? style::red : style::plain, progress_text(done, total_, failed, now, width_ - 1));
  std::fprintf(stderr, "\r\x1b[K%s", text.c_str());
  is_shown_ = true;
}

void progress_line::clear() {
  if (!is_shown_) return;
  std::fputs("\r\x1b[K", stderr);
  is_shown_ = false;
}

std::string progress_text(std::size_t done, std::size_t total, std::size_t failed, std::string_view now, std::size_t width) {
  constexpr std::size_t cells = 24;
  auto full = total == 0 ? cells : done * cells / total;
  std::string out =
      "[" + std::string(full, '#') + std::string(cells - full, '.') + "] " + std::to_string(done) + "/" + std::to_string(total);
  if (failed > 0) out += ", " + std::to_string(failed) + " failed";
  return safe_line(out + "  " + safe_line(now), width);
}

}  // namespace troupe::app
