// Frames of `chat-events` clients, the places they bring back, and frames that places are put behind.
#include "tests/fuzz/dialect_bench.hpp"
#include "transport/dialects/chat_events.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace troupe;
  const auto text = fuzzing::text_of(data, size);
  fuzzing::dialect_bench bench;
  bench.open(transport::make_chat_events(bench.port()));
  bench.play_events(text);

  auto rest = text;
  const auto offset = fuzzing::take_until(rest, '\n');
  if (const auto place = transport::chat_stream_place_from(offset)) {
    fuzzing::require(place->chats.size() <= transport::chat_stream_places + 1, "places are counted");
    if (place->chats.size() <= transport::chat_stream_places) {
      const auto again = transport::chat_stream_place_from(to_text(*place));
      fuzzing::require(again && again->chats == place->chats && again->at == place->at, "places come back");
    }
  }
  for (const auto& state : {std::optional<std::string>(), std::optional(std::string(rest))}) {
    fuzzing::dialect_bench other;
    auto back = transport::make_chat_events(other.port());
    (void)back->recover(state, offset);
    other.open(std::move(back));
  }
  const auto framed = transport::with_other_offsets(std::string(text), offset);
  fuzzing::require(framed->size() <= text.size() * (offset.size() + 16) + 16, "frames grow by what is put behind them");
  return 0;
}
