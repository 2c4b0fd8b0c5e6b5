// Event streams of model APIs: the events do not depend on where the bytes are cut.
#include "providers/sse_parser.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <string>

using namespace troupe::providers;
using namespace troupe::fuzzing;

namespace {

std::string events_of(std::string_view input, std::size_t chop) {
  sse_parser parser(4096);
  std::string out;
  auto add = [&](const sse_event& e) { out.append(e.name).append("=").append(e.data).append("\n"); };
  for (; !input.empty() && !parser.too_long(); input.remove_prefix(std::min(chop, input.size()))) {
    parser.feed(input.substr(0, chop));
    while (auto e = parser.next()) add(*e);
  }
  if (parser.too_long()) return "too long";
  if (auto e = parser.finish()) add(*e);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto rest = text_of(data, size);
  const auto chop = take_byte(rest) + 1;
  require(events_of(rest, rest.size() + 1) == events_of(rest, chop), "events do not depend on the cuts");
  return 0;
}
