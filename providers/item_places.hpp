// Where the items of a list stand in a JSON text, because Boost.JSON does not tell: recordings and scenarios name the line of
// what is wrong. Pure.
#pragma once

#include <initializer_list>
#include <string_view>
#include <vector>

namespace troupe::providers {

struct item_place {
  int line = 0;           ///< where the item begins, 1-based
  std::size_t begin = 0;  ///< its first byte
  std::size_t end = 0;    ///< behind its last byte
};

/// The items of the list that stands under these names, from the top; nothing when there is no such list. `text` is valid
/// JSON; comments and trailing commas are allowed.
[[nodiscard]] std::vector<item_place> item_places(std::string_view text, std::initializer_list<std::string_view> path);

}  // namespace troupe::providers
