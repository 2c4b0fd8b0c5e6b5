// Makes sessions over REST before a measurement starts. Blocking; the load generator's thread.
#pragma once

#include "bench/client.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace troupe::bench {

struct made_conversations {
  std::vector<std::string> ids;
  std::string failure;  ///< empty: all were made
};

/// `POST /chat/conversations`, so many times, a few at once.
[[nodiscard]] made_conversations make_conversations(const address& server, std::uint32_t count);

}  // namespace troupe::bench
