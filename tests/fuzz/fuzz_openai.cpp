// Answers of an OpenAI-compatible API: one end, text that is UTF-8, the same whatever the cuts.
#include "providers/openai.hpp"
#include "providers/upstream_error.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "transport/net/http_target.hpp"

#include <string>

using namespace troupe;
using namespace troupe::providers;
using namespace troupe::fuzzing;

namespace {

std::string answer_of(std::string_view input, std::size_t chop) {
  stream_options options;
  options.max_line = 8192;
  options.max_total = 8192;
  openai_stream_parser parser(options);
  std::string text;
  std::string reasoning;
  int ends = 0;
  auto take = [&](const model_output& out) {
    require(transport::is_valid_utf8(out.text.text) && transport::is_valid_utf8(out.reasoning.text), "text is UTF-8");
    text += out.text.text;
    reasoning += out.reasoning.text;
    if (out.end) ++ends;
  };
  for (; !input.empty() && !parser.has_ended(); input.remove_prefix(std::min(chop, input.size()))) {
    model_output out;
    parser.feed(input.substr(0, chop), out);
    take(out);
  }
  if (!parser.has_ended()) {
    model_output out;
    parser.close(out);
    take(out);
  }
  require(ends == 1, "an answer has one end");
  return text + '\n' + reasoning;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto rest = text_of(data, size);
  const auto chop = take_byte(rest) + 1;
  require(answer_of(rest, rest.size() + 1) == answer_of(rest, chop), "an answer does not depend on the cuts");
  (void)upstream_error_of_response(400 + static_cast<long>(chop), rest);
  return 0;
}
