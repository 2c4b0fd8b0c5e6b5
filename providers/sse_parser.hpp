// Server-sent events out of bytes that are cut anywhere (WHATWG HTML §9.2.6). Sans I/O; owned by one stream, one thread.
// Keeps at most one unfinished line and one unfinished event, each bounded.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::providers {

struct sse_event {
  std::string_view name;  ///< the `event:` field, at most 64 bytes of it; often empty
  std::string_view data;
};

class sse_parser {
 public:
  static constexpr std::size_t default_max_line = 1 << 20;

  explicit sse_parser(std::size_t max_line = default_max_line) : max_line_(max_line) {}

  /// Gives the next bytes. They must stay in place until `next()` has returned nothing.
  void feed(std::string_view bytes) noexcept { input_ = bytes; }
  /// The next whole event; its views are good until the next call. Nothing: feed more, or the parser is `too_long()`.
  [[nodiscard]] std::optional<sse_event> next();
  /// After the last byte: an event whose lines are whole but whose closing blank line never came.
  [[nodiscard]] std::optional<sse_event> finish();
  /// A line, or the data lines of one event together, went over the limit. Final.
  [[nodiscard]] bool too_long() const noexcept { return too_long_; }

 private:
  void take_line(std::string_view line, bool stays);
  void forget_event();
  [[nodiscard]] sse_event event();

  std::size_t max_line_;
  std::string_view input_;
  std::string_view view_;  ///< data of the open event while it is one line of `input_`
  std::string line_;       ///< a line cut by the end of a read
  std::string data_;
  std::string name_;
  bool has_data_ = false;
  bool given_ = false;  ///< the open event was returned and is to be forgotten
  bool after_cr_ = false;
  bool first_line_ = true;
  bool too_long_ = false;
};

}  // namespace troupe::providers
