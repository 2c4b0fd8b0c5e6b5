// UTF-8 that comes from outside: upstreams cut it anywhere, clients must get whole characters only. Pure values, any
// thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace troupe::providers {

struct utf8_scan {
  std::size_t valid = 0;   ///< bytes at the front that are whole characters
  bool truncated = false;  ///< what follows is the beginning of a character that may still be completed
};

/// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
[[nodiscard]] utf8_scan scan_utf8(std::string_view bytes) noexcept;

/// The text with every byte that is not UTF-8 replaced by U+FFFD.
[[nodiscard]] std::string to_utf8(std::string_view bytes);

/// The first `limit` bytes at most, cut between characters, control characters as spaces, `…` where something is missing.
[[nodiscard]] std::string bounded_text(std::string_view text, std::size_t limit);

/// Lets whole characters through and keeps the beginning of one until its rest comes.
class utf8_gate {
 public:
  /// Appends what is whole to `out`. False: the bytes are not UTF-8; nothing was appended.
  [[nodiscard]] bool feed(std::string_view bytes, std::string& out);
  [[nodiscard]] bool has_partial() const noexcept { return !held_.empty(); }
  void clear() noexcept { held_.clear(); }

 private:
  std::string held_;
};

}  // namespace troupe::providers
