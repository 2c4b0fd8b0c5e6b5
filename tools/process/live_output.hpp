// Output of a program on its way to people: bytes become plain text, and many small pieces become few. Used on the thread of
// the io_context.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace troupe::tools {

/// What is not UTF-8, and NUL, becomes U+FFFD (one for each broken sequence, Unicode 15 §3.9); characters that were split over
/// reads are joined.
class text_decoder {
 public:
  [[nodiscard]] std::string add(std::string_view bytes);
  /// What was left of a character that never came to its end.
  [[nodiscard]] std::string finish();

 private:
  std::string rest_;
};

/// Passes text on at once, but not more often than every 50 ms; `show` may destroy it. What was not yet shown when it is
/// destroyed is dropped: flush() first.
class paced_text {
 public:
  paced_text(boost::asio::io_context& io, std::function<void(std::string)> show);
  ~paced_text();
  paced_text(const paced_text&) = delete;
  paced_text& operator=(const paced_text&) = delete;

  void add(std::string_view text);
  void flush();

 private:
  struct state;
  std::shared_ptr<state> state_;
};

}  // namespace troupe::tools
