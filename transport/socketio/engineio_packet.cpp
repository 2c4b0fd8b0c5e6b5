#include "transport/socketio/engineio_packet.hpp"

#include "transport/json_text.hpp"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <stdexcept>

namespace troupe::transport {

namespace {

constexpr std::string_view base64_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<signed char, 256> base64_values = [] {
  std::array<signed char, 256> out{};
  out.fill(-1);
  for (std::size_t i = 0; i < base64_alphabet.size(); ++i)
    out[static_cast<unsigned char>(base64_alphabet[i])] = static_cast<signed char>(i);
  return out;
}();

unsigned byte_at(std::string_view text, std::size_t at) { return static_cast<unsigned char>(text[at]); }

void append_base64(std::string& out, std::string_view data, std::string_view alphabet, bool pad) {
  out.reserve(out.size() + (data.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < data.size(); i += 3) {
    const auto left = std::min<std::size_t>(3, data.size() - i);
    const unsigned bits =
        byte_at(data, i) << 16 | (left > 1 ? byte_at(data, i + 1) << 8 : 0) | (left > 2 ? byte_at(data, i + 2) : 0);
    for (std::size_t k = 0; k <= left; ++k) out.push_back(alphabet[(bits >> (18 - 6 * k)) & 63]);
    if (pad) out.append(3 - left, '=');
  }
}

/// Standard alphabet; the padding may be left out, as the reference allows.
bool decode_base64(std::string_view text, std::string& out) {
  out.clear();
  if (text.size() % 4 == 0)
    for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  if (text.size() % 4 == 1) return false;
  out.reserve(text.size() / 4 * 3 + 2);
  unsigned bits = 0;
  int count = 0;
  for (char c : text) {
    const int value = base64_values[static_cast<unsigned char>(c)];
    if (value < 0) return false;
    bits = bits << 6 | static_cast<unsigned>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out.push_back(static_cast<char>((bits >> count) & 0xff));
  }
  return true;
}

std::string_view message_of(engineio_refusal why) {
  switch (why) {
    case engineio_refusal::unknown_transport:
      return "Transport unknown";
    case engineio_refusal::unknown_sid:
      return "Session ID unknown";
    case engineio_refusal::bad_method:
      return "Bad handshake method";
    case engineio_refusal::bad_request:
      return "Bad request";
    case engineio_refusal::unsupported_version:
      return "Unsupported protocol version";
  }
  return "Bad request";
}

void append_member(std::string& out, std::string_view name, std::uint64_t value) {
  out.append(",\"").append(name).append("\":");
  append_number(out, value);
}

}  // namespace

std::optional<engineio_packet> decode_engineio(std::string_view text, std::string& storage) {
  if (text.empty()) return std::nullopt;
  if (text.front() == 'b') {
    if (!decode_base64(text.substr(1), storage)) return std::nullopt;
    return engineio_packet{engineio_type::message, false, storage};
  }
  if (text.front() < '0' || text.front() > '6') return std::nullopt;
  return engineio_packet{static_cast<engineio_type>(text.front()), true, text.substr(1)};
}

void append_engineio_binary(std::string& out, std::string_view data) {
  out.push_back('b');
  append_base64(out, data, base64_alphabet, true);
}

std::string_view take_engineio_packet(std::string_view payload, std::size_t& at) {
  const auto end = std::min(payload.find(engineio_separator, at), payload.size());
  const auto packet = payload.substr(at, end - at);
  at = end + 1;
  return packet;
}

std::string engineio_handshake(std::string_view sid, bool can_upgrade, const engineio_options& options) {
  std::string out = "0{\"sid\":";
  append_json_string(out, sid);
  out.append(can_upgrade ? ",\"upgrades\":[\"websocket\"]" : ",\"upgrades\":[]");
  append_member(out, "pingInterval", static_cast<std::uint64_t>(options.ping_interval.count()));
  append_member(out, "pingTimeout", static_cast<std::uint64_t>(options.ping_timeout.count()));
  append_member(out, "maxPayload", options.max_payload);
  return out.append("}");
}

http_response refuse_engineio(engineio_refusal why) {
  http_response out;
  out.status = 400;
  out.body = "{\"code\":";
  append_number(out.body, static_cast<std::uint64_t>(why));
  out.body.append(",\"message\":\"").append(message_of(why)).append("\"}");
  return out;
}

std::string random_engineio_id() {
  constexpr std::string_view url_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::array<char, 16> space;
  // Requests of up to 256 bytes are answered whole once the pool is ready (getrandom(2)); before, a signal may interrupt.
  while (::getrandom(space.data(), space.size(), 0) != static_cast<ssize_t>(space.size()))
    if (errno != EINTR) throw std::runtime_error("getrandom failed: session ids cannot be made");
  std::string out;
  append_base64(out, {space.data(), space.size()}, url_alphabet, false);
  return out;
}

}  // namespace troupe::transport
