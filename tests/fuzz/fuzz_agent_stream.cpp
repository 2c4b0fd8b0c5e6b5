// Frames of `agent-stream` clients.
#include "tests/fuzz/dialect_bench.hpp"
#include "transport/dialects/agent_stream.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace troupe;
  fuzzing::dialect_bench bench;
  bench.open(transport::make_agent_stream(bench.port(), {"guide", {"demo"}, {}}));
  bench.play_messages(fuzzing::text_of(data, size));
  return 0;
}
