// Scenario files.
#include "app/scenario/scenario.hpp"
#include "tests/fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto scenario = troupe::app::parse_scenario(troupe::fuzzing::text_of(data, size), "fuzz.json");
  troupe::fuzzing::require(scenario.has_value() || scenario.error().text.find("fuzz.json") != std::string::npos,
                           "an error names the file");
  return 0;
}
