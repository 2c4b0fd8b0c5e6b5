// Expressions that models write.
#include "tests/fuzz/fuzz.hpp"
#include "tools/calculator.hpp"

#include <cmath>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace troupe;
  const auto value = tools::evaluate(fuzzing::text_of(data, size));
  fuzzing::require(!value || std::isfinite(*value), "a value is a number");
  if (value) fuzzing::require(!tools::number_text(*value).empty(), "a number has digits");
  return 0;
}
