// Frames of `nexus` clients.
#include "tests/fuzz/dialect_bench.hpp"
#include "transport/dialects/nexus.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace troupe;
  fuzzing::dialect_bench bench;
  bench.open(transport::make_nexus(bench.port(), {{"demo"}, {}, size % 2 == 0}));
  bench.play_messages(fuzzing::text_of(data, size));
  return 0;
}
