// JSON Schemas of tools and the arguments that models send: the first line is the schema, the rest the arguments.
#include "tests/fuzz/fuzz.hpp"
#include "tools/schema.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace troupe;
  auto rest = fuzzing::text_of(data, size);
  const auto schema = tools::schema::compile(fuzzing::take_until(rest, '\n'));
  if (!schema) return 0;
  if (const auto value = tools::parse_bounded(rest, "arguments")) {
    const auto checked = schema->check(*value);
    fuzzing::require(checked.has_value() || !checked.error().text.empty(), "an error has a text");
  }
  return 0;
}
