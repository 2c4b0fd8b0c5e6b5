// A title made of what somebody said. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace troupe::actors {

/// The beginning of `text` as one line of at most `limit` characters: whole words, single spaces, no control characters. A
/// first word that is longer than that is cut. `text` is UTF-8.
[[nodiscard]] std::string first_words(std::string_view text, std::size_t limit);

}  // namespace troupe::actors
