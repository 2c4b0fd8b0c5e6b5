// Events as they stand in the log. A line with a kind and a line of JSON: a payload; a single line: a whole event.
#include "core/event_json.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "transport/json_text.hpp"

#include <string>

using namespace troupe;
using namespace troupe::fuzzing;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto rest = text_of(data, size);
  const auto first = take_until(rest, '\n');
  if (const auto payload = core::payload_from_text(first, rest)) {
    const auto text = core::payload_to_text(*payload);
    const auto again = core::payload_from_text(first, text);
    require(again.has_value(), "what was read can be written and read again");
    require(core::payload_to_text(*again) == text, "and stays the same");
  }
  if (const auto object = transport::parse_object(first))
    if (const auto event = core::event_from_json(*object))
      require(core::event_from_json(core::event_to_json(*event)).has_value(), "an event can be written and read again");
  return 0;
}
