// WebSocket frames, with and without permessage-deflate: the events do not depend on where the bytes are cut, texts are UTF-8
// and messages keep their limit. First byte: kind of compression and size of the cuts.
#include "tests/fuzz/fuzz.hpp"
#include "transport/net/http_target.hpp"
#include "transport/net/websocket_parser.hpp"

#include <string>
#include <vector>

using namespace troupe;
using namespace troupe::transport;
using namespace troupe::fuzzing;

namespace {

constexpr std::size_t limit = 32 << 10;

std::vector<std::string> events_of(std::string_view input, std::size_t chop,
                                   transport::websocket_parser::compression compression) {
  using event = transport::websocket_parser::event;
  transport::websocket_parser parser(limit, compression);
  std::vector<std::string> out;
  for (std::size_t begin = 0; begin < input.size();) {
    auto piece = input.substr(begin, chop);
    begin += piece.size();
    while (!piece.empty()) {
      const auto step = parser.feed(piece);
      require(step.consumed > 0 && step.consumed <= piece.size(), "something is consumed, and no more than was given");
      piece.remove_prefix(step.consumed);
      switch (step.what) {
        case event::need_more:
          require(piece.empty(), "need_more has looked at everything");
          break;
        case event::message:
          require(parser.message().size() <= limit, "a message keeps its limit");
          require(!parser.is_text() || is_valid_utf8(parser.message()), "a text is UTF-8");
          out.push_back((parser.is_text() ? "text " : "binary ") + std::string(parser.message()));
          parser.release();
          break;
        case event::ping:
        case event::pong:
          require(parser.control().size() <= 125, "a control frame is short");
          out.push_back("control " + std::string(parser.control()));
          break;
        case event::close:
          require(parser.control().size() != 1 && parser.control().size() <= 125, "a Close holds a whole code");
          return out.push_back("close " + std::string(parser.control())), out;
        case event::failed:
          return out.push_back("failed " + std::to_string(static_cast<int>(parser.why_failed().code))), out;
      }
    }
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto rest = text_of(data, size);
  const auto flags = take_byte(rest);
  const auto compression = static_cast<transport::websocket_parser::compression>(flags % 3);
  require(events_of(rest, rest.size() + 1, compression) == events_of(rest, flags / 3 + 1, compression),
          "events do not depend on the cuts");
  return 0;
}
