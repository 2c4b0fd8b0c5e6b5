// Request targets and query strings.
#include "tests/fuzz/fuzz.hpp"
#include "transport/net/http_target.hpp"
#include "transport/net/server.hpp"

using namespace troupe::transport;
using namespace troupe::fuzzing;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = text_of(data, size);
  if (const auto target = parse_target(text)) {
    require(target->path == "*" || target->path.starts_with('/'), "a path begins with a slash");
    require(is_valid_utf8(target->path) && target->path.find('\0') == target->path.npos, "a path is text");
    http_request request;
    request.query = target->query;
    for (const auto name : {"after", "projectId", "a b", ""}) {
      const auto value = request.query_value(name);
      require(is_valid_utf8(value) && value.find('\0') == value.npos, "a query's value is text");
      require(value.empty() || request.has_query(name), "a value belongs to a parameter that is there");
    }
  }
  if (const auto decoded = percent_decode(text, true)) require(decoded->size() <= size, "decoding makes nothing longer");
  return 0;
}
