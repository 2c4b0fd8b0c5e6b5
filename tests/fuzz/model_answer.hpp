// One answer of a model API through its stream parser, cut into pieces: what came of it, after a look at what always holds.
#pragma once

#include "providers/stream_parser.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "transport/net/http_target.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace troupe::fuzzing {

template <class Parser>
std::string answer_of(std::string_view input, std::size_t chop) {
  providers::stream_options options;
  options.max_line = 8192;
  options.max_total = 8192;
  Parser parser(options);
  std::string text;
  std::string reasoning;
  int ends = 0;
  auto take = [&](const providers::model_output& out) {
    require(transport::is_valid_utf8(out.text.text) && transport::is_valid_utf8(out.reasoning.text), "text is UTF-8");
    text += out.text.text;
    reasoning += out.reasoning.text;
    if (out.end) ++ends;
  };
  for (; !input.empty() && !parser.has_ended(); input.remove_prefix(std::min(chop, input.size()))) {
    providers::model_output out;
    parser.feed(input.substr(0, chop), out);
    take(out);
  }
  if (!parser.has_ended()) {
    providers::model_output out;
    parser.close(out);
    take(out);
  }
  require(ends == 1, "an answer has one end");
  return text + '\n' + reasoning;
}

}  // namespace troupe::fuzzing
