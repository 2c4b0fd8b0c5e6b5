// permessage-deflate by itself: what we compress comes back, and damaged data costs no more than the limit. The first byte is
// the window; the rest is a message, and compressed data.
#include "tests/fuzz/fuzz.hpp"
#include "transport/net/websocket_deflate.hpp"

#include <string>

using namespace troupe::transport;
using namespace troupe::fuzzing;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t limit = 64 << 10;
  auto rest = text_of(data, size);
  const auto bits = 9 + static_cast<int>(take_byte(rest) % 7);
  static message_deflater deflater;  // as in a server: one for all messages
  if (!rest.empty() && rest.size() <= limit) {
    const auto payload = deflater.compress(rest, bits);
    require(payload.empty() || payload.size() < rest.size(), "compression pays or is left out");
    message_inflater inflater(true);
    std::string back;
    if (!payload.empty()) {
      require(inflater.write(payload, back, limit) == message_inflater::outcome::ok, "our data can be read");
      require(inflater.finish(back, limit) == message_inflater::outcome::ok && back == rest, "a message comes back");
    }
  }
  for (const bool keeps_context : {true, false}) {
    message_inflater inflater(keeps_context);
    for (int round = 0; round < 2; ++round) {
      std::string out;
      auto result = inflater.write(rest.substr(0, rest.size() / 2), out, limit);
      if (result == message_inflater::outcome::ok) result = inflater.write(rest.substr(rest.size() / 2), out, limit);
      if (result == message_inflater::outcome::ok) result = inflater.finish(out, limit);
      require(out.size() <= limit + (64 << 10), "memory is bounded");
      if (result != message_inflater::outcome::ok) break;
    }
  }
  return 0;
}
