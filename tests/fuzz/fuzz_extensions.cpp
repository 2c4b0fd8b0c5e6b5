// Sec-WebSocket-Extensions of a handshake, and the answer to it.
#include "tests/fuzz/fuzz.hpp"
#include "transport/net/websocket_handshake.hpp"

using namespace troupe::transport;
using namespace troupe::fuzzing;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto agreed = negotiate_deflate(text_of(data, size));
  const auto head = switching_protocols("dGhlIHNhbXBsZSBub25jZQ==", agreed);
  require(head.find("\r\n\r\n") == head.size() - 4, "an answer has one head");
  require((head.find("permessage-deflate") != head.npos) == agreed.has_value(), "what was agreed is told");
  if (agreed) require(agreed->server_window_bits >= 9 && agreed->server_window_bits <= 15, "windows are in range");
  return 0;
}
