#include "app/cli/line_input.hpp"

#include <unistd.h>

#include <array>

namespace troupe::app {

namespace {

/// The server takes no more in one message; a longer line is its matter to refuse.
constexpr std::size_t longest = 16 << 20;

}  // namespace

int line_input::fd() const noexcept { return STDIN_FILENO; }

void line_input::read() {
  std::array<char, 65536> piece;
  auto got = ::read(STDIN_FILENO, piece.data(), piece.size());
  if (got <= 0 || text_.size() > longest)
    is_open_ = false;
  else
    text_.append(piece.data(), static_cast<std::size_t>(got));
}

std::optional<std::string> line_input::next() {
  if (is_whole_) return std::nullopt;
  auto end = text_.find('\n');
  if (end == std::string::npos && (is_open_ || text_.empty())) return std::nullopt;
  auto line = text_.substr(0, end);
  text_.erase(0, end == std::string::npos ? end : end + 1);
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

}  // namespace troupe::app
