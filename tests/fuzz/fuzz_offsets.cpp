// Places in logs that Socket.IO clients bring back, and the state kept for `chat-room` clients.
#include "tests/fuzz/fuzz.hpp"
#include "transport/dialects/chat_room_input.hpp"
#include "transport/dialects/socketio_frames.hpp"

#include <string>

using namespace troupe::transport;
using namespace troupe::fuzzing;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto rest = text_of(data, size);
  if (const auto places = offsets_from(rest)) {
    const auto again = offsets_from(to_text(*places));
    require(again && *again == *places, "offsets come back");
  }
  const auto offset = take_until(rest, '\n');
  if (const auto rooms = recovered_rooms(std::string(rest), offset, 100)) require(rooms->size() <= 100, "rooms are counted");
  (void)recovered_rooms(std::nullopt, offset, 100);
  return 0;
}
