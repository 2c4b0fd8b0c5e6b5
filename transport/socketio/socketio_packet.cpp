// Socket.IO v5 packets as text, as strict as the reference decoder (socket.io-parser).
#include "transport/json_text.hpp"
#include "transport/socketio/socketio.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <charconv>

namespace troupe::transport {

namespace json = boost::json;
using core::errc;
using kind = socketio_packet::kind;

namespace {

constexpr std::uint64_t largest_id = 9'007'199'254'740'991;  // what a JavaScript client can count to

/// Names with a meaning of their own on either side.
constexpr std::array<std::string_view, 6> reserved_events{"connect",       "connect_error", "disconnect",
                                                          "disconnecting", "newListener",   "removeListener"};

bool has_attachments(kind type) { return type == kind::binary_event || type == kind::binary_ack; }

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Cuts the digits off the front of `text`.
template <class Int>
std::optional<Int> take_number(std::string_view& text) {
  const auto count = std::min(text.size(), text.find_first_not_of("0123456789"));
  Int out{};
  const auto [end, ec] = std::from_chars(text.data(), text.data() + count, out);
  if (ec != std::errc{} || count == 0) return std::nullopt;
  text.remove_prefix(count);
  return out;
}

bool may_start_event(const json::value& name) {
  if (name.is_number()) return true;
  if (!name.is_string()) return false;
  const std::string_view text = name.get_string();
  return std::find(reserved_events.begin(), reserved_events.end(), text) == reserved_events.end();
}

/// `data` is null where the packet had none.
bool is_valid(kind type, const json::value& data, bool has_data) {
  switch (type) {
    case kind::connect:
      return !has_data || data.is_object();
    case kind::disconnect:
      return !has_data;
    case kind::connect_error:
      return !has_data || data.is_object() || data.is_string();
    case kind::event:
    case kind::binary_event:
      return data.is_array() && !data.get_array().empty() && may_start_event(data.get_array().front());
    case kind::ack:
    case kind::binary_ack:
      return data.is_array();
  }
  return false;
}

}  // namespace

core::error broken_packet(std::string_view what) { return {errc::parse_error, "Socket.IO packet: " + std::string(what)}; }

core::result<socketio_packet> decode_socketio(std::string_view text) {
  if (text.empty() || text.front() < '0' || text.front() > '6')
    return broken_packet("starts with no packet type; send a digit of 0-6");
  socketio_packet out;
  out.type = static_cast<kind>(text.front() - '0');
  text.remove_prefix(1);
  if (has_attachments(out.type)) {
    const auto count = take_number<std::uint32_t>(text);
    if (!count || *count == 0 || !text.starts_with('-'))
      return broken_packet("announces no number of attachments; send it with a dash");
    out.attachments = *count;
    text.remove_prefix(1);
  }
  if (text.starts_with('/')) {
    const auto end = std::min(text.find(','), text.size());
    out.nsp = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (!text.empty() && is_digit(text.front())) {
    out.id = take_number<std::uint64_t>(text);
    if (!out.id || *out.id > largest_id) return broken_packet("has an acknowledgement id that is too large; count from 0");
  }
  const bool has_data = !text.empty();
  if (has_data) {
    auto data = parse_json(text);
    if (!data) return broken_packet("holds what is not JSON; " + data.error().text);
    out.data = std::move(*data);
  }
  if (!is_valid(out.type, out.data, has_data))
    return broken_packet("holds data that its type does not take; see the protocol's document");
  return out;
}

std::string encode_socketio(const socketio_packet& packet) {
  std::string out(1, static_cast<char>('0' + static_cast<int>(packet.type)));
  if (has_attachments(packet.type)) {
    append_number(out, packet.attachments);
    out.push_back('-');
  }
  if (packet.nsp != "/") out.append(packet.nsp).push_back(',');
  if (packet.id) append_number(out, *packet.id);
  if (!packet.data.is_null()) out.append(json::serialize(packet.data));
  return out;
}

void append_socketio_event(std::string& out, std::string_view nsp, std::string_view name, std::string_view payload) {
  out.push_back('2');
  if (nsp != "/") out.append(nsp).push_back(',');
  out.push_back('[');
  append_json_string(out, name);
  if (!payload.empty()) out.append(",").append(payload);
  out.push_back(']');
}

}  // namespace troupe::transport
