#include "tools/process/live_output.hpp"

#include <chrono>

namespace troupe::tools {

namespace {

constexpr std::chrono::milliseconds pace{50};
constexpr std::string_view replacement_text = "\xEF\xBF\xBD";

struct piece {
  std::size_t bytes = 1;
  enum { whole, broken, unfinished } is = whole;
};

/// The character, or the longest part of one, at the front (RFC 3629 §4).
piece next(std::string_view s) {
  auto at = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  auto c = at(0);
  if (c == 0) return {1, piece::broken};
  if (c < 0x80) return {1, piece::whole};
  std::size_t length = c >= 0xC2 && c <= 0xDF ? 2 : c >= 0xE0 && c <= 0xEF ? 3 : c >= 0xF0 && c <= 0xF4 ? 4 : 0;
  if (length == 0) return {1, piece::broken};
  for (std::size_t i = 1; i < length; ++i) {
    if (i == s.size()) return {i, piece::unfinished};
    unsigned low = 0x80, high = 0xBF;
    if (i == 1 && c == 0xE0) low = 0xA0;
    if (i == 1 && c == 0xED) high = 0x9F;
    if (i == 1 && c == 0xF0) low = 0x90;
    if (i == 1 && c == 0xF4) high = 0x8F;
    if (at(i) < low || at(i) > high) return {i, piece::broken};
  }
  return {length, piece::whole};
}

}  // namespace

std::string text_decoder::add(std::string_view bytes) {
  std::string joined;
  if (!rest_.empty()) {
    joined = std::exchange(rest_, {}) + std::string(bytes);
    bytes = joined;
  }
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    auto p = next(bytes);
    auto front = bytes.substr(0, p.bytes);
    if (p.is == piece::unfinished) {
      rest_ = front;
      break;
    }
    out += p.is == piece::whole ? front : replacement_text;
    bytes.remove_prefix(p.bytes);
  }
  return out;
}

std::string text_decoder::finish() { return std::exchange(rest_, {}).empty() ? std::string() : std::string(replacement_text); }

struct paced_text::state : std::enable_shared_from_this<state> {
  state(boost::asio::io_context& io, std::function<void(std::string)> f) : timer(io), show(std::move(f)) {}

  void flush() {
    if (waiting.empty() || !show) return;
    auto self = shared_from_this();
    show(std::exchange(waiting, {}));
  }

  void rest() {
    is_resting = true;
    timer.expires_after(pace);
    timer.async_wait([self = shared_from_this()](boost::system::error_code problem) {
      self->is_resting = false;
      if (problem || self->waiting.empty()) return;
      self->rest();
      self->flush();
    });
  }

  boost::asio::steady_timer timer;
  std::function<void(std::string)> show;
  std::string waiting;
  bool is_resting = false;
};

paced_text::paced_text(boost::asio::io_context& io, std::function<void(std::string)> show)
    : state_(std::make_shared<state>(io, std::move(show))) {}

paced_text::~paced_text() {
  state_->waiting.clear();
  state_->timer.cancel();
}

void paced_text::add(std::string_view text) {
  if (text.empty()) return;
  state_->waiting += text;
  if (state_->is_resting) return;
  state_->rest();
  state_->flush();
}

void paced_text::flush() { state_->flush(); }

}  // namespace troupe::tools
