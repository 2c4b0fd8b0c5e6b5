// Answers of the messages API: one end, text that is UTF-8, the same whatever the cuts.
#include "providers/anthropic.hpp"
#include "tests/fuzz/model_answer.hpp"

using namespace troupe;
using namespace troupe::providers;
using namespace troupe::fuzzing;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto rest = text_of(data, size);
  const auto chop = take_byte(rest) + 1;
  require(answer_of<anthropic_stream_parser>(rest, rest.size() + 1) == answer_of<anthropic_stream_parser>(rest, chop),
          "an answer does not depend on the cuts");
  return 0;
}
