// Rules of the scripted provider.
#include "providers/script.hpp"
#include "tests/fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto script = troupe::providers::parse_script(troupe::fuzzing::text_of(data, size));
  troupe::fuzzing::require(script.has_value() || !script.error().text.empty(), "an error has a text");
  return 0;
}
