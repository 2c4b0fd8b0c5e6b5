// HTTP requests: the same bytes give the same requests however they are cut, and no input costs more than its limits.
#include "tests/fuzz/fuzz.hpp"
#include "transport/net/http_parser.hpp"
#include "transport/net/http_target.hpp"

#include <algorithm>
#include <string>
#include <vector>

using namespace troupe;
using namespace troupe::transport;
using namespace troupe::fuzzing;

namespace {

/// What a connection would hand on, and how it ends.
std::vector<std::string> requests_of(std::string_view input, std::size_t chop, const core::transport_limits& limits) {
  std::vector<std::string> out;
  std::size_t begin = 0;
  while (begin < input.size()) {
    http_parser parser(limits);
    std::size_t end = begin;
    for (;;) {
      end = std::min(end + chop, input.size());
      const auto step = parser.feed(input.substr(begin, end - begin));
      require(step.consumed <= end - begin, "no more is consumed than was given");
      begin += step.consumed;
      if (step.result == http_parser::status::failed) {
        require(parser.why_failed().http_status >= 400 && parser.why_failed().http_status < 600, "a failure has a status");
        return out.emplace_back("failed"), out;
      }
      if (step.result == http_parser::status::complete) break;
      if (step.result == http_parser::status::need_more && end == input.size()) return out;
    }
    const auto r = parser.take_request();
    require(r.body.size() <= limits.max_body_bytes, "a body keeps its limit");
    require(is_valid_utf8(r.path) && r.path.find('\0') == r.path.npos, "a path is text");
    out.push_back(r.method + ' ' + r.path + '?' + r.query + ' ' + std::to_string(r.headers.size()) + ' ' + r.body);
    if (parser.websocket_key()) return out;
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto rest = text_of(data, size);
  const auto chop = take_byte(rest) + 1;
  core::transport_limits limits;
  limits.max_header_bytes = 2048;
  limits.max_body_bytes = 4096;
  const auto whole = requests_of(rest, rest.size() + 1, limits);
  const auto cut = requests_of(rest, chop, limits);
  // A limit may be noticed sooner or later; what got through before it is the same.
  for (std::size_t i = 0; i < std::min(whole.size(), cut.size()); ++i)
    require(whole[i] == cut[i] || whole[i] == "failed" || cut[i] == "failed", "requests do not depend on the cuts");
  return 0;
}
