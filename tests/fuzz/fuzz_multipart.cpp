// Uploads as multipart/form-data: the first line is the Content-Type, the rest the body.
#include "tests/fuzz/fuzz.hpp"
#include "transport/rest/multipart.hpp"

using namespace troupe::transport;
using namespace troupe::fuzzing;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto rest = text_of(data, size);
  const auto content_type = take_until(rest, '\n');
  const auto parts = parse_form_data(content_type, rest);
  if (!parts) return 0;
  require(parts->size() <= most_form_parts, "parts are counted");
  for (const auto& part : *parts) {
    require(part.data.empty() ||
                (part.data.data() >= rest.data() && part.data.data() + part.data.size() <= rest.data() + rest.size()),
            "data lies in the body");
    require(part.filename.find('/') == part.filename.npos && part.filename.find('\\') == part.filename.npos,
            "a file name has no folders");
  }
  return 0;
}
