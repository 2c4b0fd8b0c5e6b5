#include "transport/dialects/socketio_frames.hpp"

#include "transport/json_text.hpp"

#include <algorithm>
#include <charconv>

namespace troupe::transport {

namespace {

/// An offset names at most so many sessions; more than any client may follow.
constexpr std::size_t max_offsets = 1'000;

/// `2<nsp>,["<name>",<payload>`: all but what closes it.
void append_event(std::string& out, std::string_view nsp, std::string_view name, std::string_view payload) {
  out.push_back('2');
  if (nsp != "/") out.append(nsp).push_back(',');
  out.push_back('[');
  append_json_string(out, name);
  if (!payload.empty()) out.append(",").append(payload);
}

/// Events have objects as payloads: only an offset is a string at the end.
bool carries_offset(std::string_view packet) {
  if (!packet.ends_with("\"]")) return false;
  auto text = packet.substr(0, packet.size() - 2);
  auto quote = text.rfind('"');
  return quote != std::string_view::npos && offsets_from(text.substr(quote + 1)).has_value();
}

}  // namespace

void append_offset(std::string& out, std::string_view session, core::seq_t seq) {
  out.append(",\"").append(session).push_back(':');
  append_number(out, seq);
  out.push_back('"');
}

void put_event(frame_writer& out, std::string_view nsp, std::string_view name, std::string_view payload,
               core::session_id session, core::seq_t seq) {
  std::string packet;
  packet.reserve(payload.size() + name.size() + nsp.size() + 80);
  packet.push_back('4');
  append_event(packet, nsp, name, payload);
  if (seq != 0) append_offset(packet, session.str(), seq);
  packet.push_back(']');
  out.frame(packet, seq, name);
}

std::string event_packet(std::string_view nsp, std::string_view name, std::string_view payload) {
  std::string packet;
  append_event(packet, nsp, name, payload);
  packet.push_back(']');
  return packet;
}

std::string to_text(const offsets& places) {
  std::string out;
  for (const auto& [session, seq] : places) {
    if (!out.empty()) out.push_back(',');
    out.append(session.str()).push_back(':');
    append_number(out, seq);
  }
  return out;
}

std::optional<offsets> offsets_from(std::string_view text) {
  offsets out;
  for (bool more = true; more;) {
    auto comma = text.find(',');
    more = comma != std::string_view::npos;
    auto place = text.substr(0, comma);
    if (more) text.remove_prefix(comma + 1);
    auto colon = place.find(':');
    if (colon == std::string_view::npos || out.size() == max_offsets) return std::nullopt;
    auto session = core::session_id::parse(place.substr(0, colon));
    auto digits = place.substr(colon + 1);
    core::seq_t seq = 0;
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), seq);
    if (!session || error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    auto known = std::any_of(out.begin(), out.end(), [&](const auto& p) { return p.first == *session; });
    if (!known) out.emplace_back(*session, seq);
  }
  return out;
}

bytes with_other_offsets(const std::string& framed, std::string_view others) {
  std::string out;
  std::string packet;
  for (std::size_t at = 0; auto payload = take_websocket_text(framed, at);) {
    if (others.empty() || !carries_offset(*payload)) {
      append_websocket_text(out, *payload);
      continue;
    }
    packet.assign(*payload, 0, payload->size() - 2);
    packet.append(",").append(others).append("\"]");
    append_websocket_text(out, packet);
  }
  return std::make_shared<const std::string>(std::move(out));
}

}  // namespace troupe::transport
