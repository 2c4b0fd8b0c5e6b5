// Socket.IO packets: what is decoded encodes to a text with the same head, and a decoder keeps its limits. Lines that
// start with `b` are binary messages, the others packets.
#include "tests/fuzz/fuzz.hpp"
#include "transport/socketio/socketio_decoder.hpp"

using namespace troupe::transport;
using namespace troupe::fuzzing;

namespace {

constexpr std::uint32_t max_attachments = 4;
constexpr std::size_t max_bytes = 4096;

void check_packet(std::string_view text) {
  const auto packet = decode_socketio(text);
  if (!packet) return;
  const auto encoded = encode_socketio(*packet);
  const auto again = decode_socketio(encoded);
  require(again.has_value(), "what we encode is a packet");
  require(again->type == packet->type && again->nsp == packet->nsp && again->id == packet->id, "the head survives");
}

void check_message(const socketio_message& message) {
  require(message.attachments.size() == message.packet.attachments, "every attachment that was announced is there");
  require(message.attachments.size() <= max_attachments, "attachments keep their number");
  std::size_t size = 0;
  for (const auto& data : message.attachments) size += data.size();
  require(size <= max_bytes, "attachments keep their size");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto rest = text_of(data, size);
  socketio_decoder decoder(max_attachments, max_bytes);
  while (!rest.empty()) {
    auto line = take_until(rest, '\n');
    const bool is_binary = line.starts_with('b');
    if (is_binary) line.remove_prefix(1);
    if (!is_binary) check_packet(line);
    const auto added = is_binary ? decoder.add_binary(line) : decoder.add_text(line);
    if (!added) return 0;
    if (*added) check_message(**added);
  }
  return 0;
}
