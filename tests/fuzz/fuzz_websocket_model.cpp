// Answers of a model behind a WebSocket: lines of the input are its messages, and the last line is the reason of its close. One
// end, text that is UTF-8, the same whatever the cuts. And what a proxy in front of it may say.
#include "providers/websocket_proxy.hpp"
#include "providers/websocket_upstream.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "transport/net/http_target.hpp"

#include <algorithm>
#include <string>

using namespace troupe;
using namespace troupe::providers;
using namespace troupe::fuzzing;

namespace {

struct heard {
  std::string text;
  std::string error;
  bool operator==(const heard&) const = default;
};

heard answer_of(std::string_view input, std::size_t chop, unsigned code) {
  stream_options options;
  options.max_line = 8192;
  options.max_total = 8192;
  providers::websocket_parser parser(options);
  heard out;
  int ends = 0;
  auto take = [&](const model_output& o) {
    require(transport::is_valid_utf8(o.text.text), "text is UTF-8");
    require(o.reasoning.empty(), "this API tells no reasoning");
    out.text += o.text.text;
    if (!o.end) return;
    ++ends;
    out.error = o.end->error.text;
    require(transport::is_valid_utf8(out.error), "an error's text is UTF-8");
  };
  while (!input.empty() && !parser.has_ended()) {
    auto message = take_until(input, '\n');
    model_output o;
    if (input.empty()) {
      parser.close(code, message, o);
    } else {
      for (; !message.empty(); message.remove_prefix(std::min(chop, message.size()))) parser.feed(message.substr(0, chop), o);
      parser.finish_message(o);
    }
    take(o);
  }
  if (!parser.has_ended()) {
    model_output o;
    parser.close(0, {}, o);
    take(o);
  }
  require(ends == 1, "an answer has one end");
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto rest = text_of(data, size);
  const auto chop = take_byte(rest) + 1;
  const auto code = 1000 + chop;
  require(answer_of(rest, rest.size() + 1, code) == answer_of(rest, chop, code), "an answer does not depend on the cuts");
  (void)refusal_of_proxy(rest);
  const std::string line(take_until(rest, '\n'));
  if (auto url = websocket_url::parse(line)) (void)is_without_proxy(rest, url->host);
  if (auto proxy = websocket_proxy::parse(line)) {
    auto upstream = websocket_url::parse("wss://model.example/chat");
    auto request = proxy->request_to(*upstream);
    require(std::count(request.begin(), request.end(), '\n') == (proxy->credentials.empty() ? 4 : 5),
            "a request has its lines only");
  }
  return 0;
}
