// Frames of `conversation` clients.
#include "tests/fuzz/dialect_bench.hpp"
#include "transport/dialects/conversation.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace troupe;
  fuzzing::dialect_bench bench;
  bench.open(transport::make_conversation(bench.port(), {"c1", {"demo"}, {}}));
  bench.play_messages(fuzzing::text_of(data, size));
  return 0;
}
