// Frames of `chat-room` clients.
#include "tests/fuzz/dialect_bench.hpp"
#include "transport/dialects/chat_room.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace troupe;
  fuzzing::dialect_bench bench;
  bench.open(transport::make_chat_room(bench.port()));
  bench.play_events(fuzzing::text_of(data, size));
  return 0;
}
