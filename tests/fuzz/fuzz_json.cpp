// JSON of clients, and the hand-written writer of strings.
#include "tests/fuzz/fuzz.hpp"
#include "transport/json_text.hpp"
#include "transport/net/http_target.hpp"

#include <boost/json/serialize.hpp>

#include <string>

using namespace troupe::transport;
using namespace troupe::fuzzing;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = text_of(data, size);
  if (const auto object = parse_object(text)) {
    require(parse_object(boost::json::serialize(*object)).has_value(), "what was read can be written and read again");
    for (const auto name : {"type", "content", ""}) {
      const auto field = string_field(*object, name);
      require(field.has_value() || !field.error().text.empty(), "an error has a text");
    }
  }
  (void)parse_json(text);
  (void)json_or_string(text);
  (void)output_value(text);
  if (is_valid_utf8(text)) {
    std::string written;
    append_json_string(written, text);
    const auto back = parse_json(written);
    require(back.has_value() && back->is_string() && std::string_view(back->get_string()) == text, "a string comes back");
  }
  return 0;
}
