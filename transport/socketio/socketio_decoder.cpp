#include "transport/socketio/socketio_decoder.hpp"

#include <boost/json/value.hpp>

namespace troupe::transport {

namespace json = boost::json;
using core::errc;
using kind = socketio_packet::kind;

namespace {

/// Every placeholder names an attachment that is there. The nesting was bounded when the text was parsed.
bool has_valid_placeholders(const json::value& value, std::uint64_t attachments) {
  if (const auto* array = value.if_array()) {
    for (const auto& element : *array)
      if (!has_valid_placeholders(element, attachments)) return false;
  } else if (const auto* object = value.if_object()) {
    const auto* mark = object->if_contains("_placeholder");
    if (mark != nullptr && mark->is_bool() && mark->get_bool()) {
      const auto* num = object->if_contains("num");
      return num != nullptr && num->is_int64() && num->get_int64() >= 0 &&
             static_cast<std::uint64_t>(num->get_int64()) < attachments;
    }
    for (const auto& member : *object)
      if (!has_valid_placeholders(member.value(), attachments)) return false;
  }
  return true;
}

}  // namespace

core::result<std::optional<socketio_message>> socketio_decoder::add_text(std::string_view text) {
  if (pending_) return broken_packet("came before the attachments of the one before; send these first");
  if (text.size() > max_bytes_) return broken_packet("is larger than maxPayload; send less at once");
  auto packet = decode_socketio(text);
  if (!packet) return packet.error();
  if (packet->attachments > max_attachments_)
    return broken_packet("announces more than " + std::to_string(max_attachments_) + " attachments; send fewer");
  socketio_message message{std::move(*packet), {}};
  if (message.packet.attachments == 0) return std::optional(std::move(message));
  if (!has_valid_placeholders(message.packet.data, message.packet.attachments))
    return broken_packet("has a placeholder without an attachment; number them from 0");
  pending_ = std::move(message);
  pending_bytes_ = text.size();
  return std::optional<socketio_message>();
}

core::result<std::optional<socketio_message>> socketio_decoder::add_binary(std::string_view data) {
  if (!pending_) return broken_packet("is missing in front of binary data; announce attachments first");
  pending_bytes_ += data.size();
  if (pending_bytes_ > max_bytes_) return broken_packet("is larger than maxPayload with its attachments; send less at once");
  pending_->attachments.emplace_back(data);
  if (pending_->attachments.size() < pending_->packet.attachments) return std::optional<socketio_message>();
  return std::exchange(pending_, std::nullopt);
}

}  // namespace troupe::transport
