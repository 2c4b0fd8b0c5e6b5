// What every fuzz target shares: its entry, and a check whose failure is a finding. A target looks at one input, keeps
// nothing from one to the next, and ends in time whatever the input is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

/// Defined by each target; called by libFuzzer or by replay.cpp.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace troupe::fuzzing {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// Takes the text up to `mark` (or all of it) off the front of `rest`.
inline std::string_view take_until(std::string_view& rest, char mark) {
  const auto end = rest.find(mark);
  const auto out = rest.substr(0, end);
  rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
  return out;
}
/// The first byte as a number; 0 where there is none.
inline unsigned take_byte(std::string_view& rest) {
  if (rest.empty()) return 0;
  const auto out = static_cast<unsigned char>(rest.front());
  rest.remove_prefix(1);
  return out;
}

inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "fuzz: does not hold: %s\n", what);
  std::abort();
}

}  // namespace troupe::fuzzing
