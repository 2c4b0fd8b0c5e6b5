// The `chat-room` dialect (PROTOCOLS §5): rooms of people and one assistant on the Socket.IO namespace `/chat`. Its encoder
// writes whole Engine.IO packets; its protocol checks who the client is at every event.
#pragma once

#include "core/turn.hpp"
#include "transport/dialects/dialect.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <string>
#include <vector>

namespace troupe::transport {

inline constexpr std::string_view chat_room_namespace = "/chat";

class chat_room_encoder final : public encoder {
 public:
  chat_room_encoder(core::session_id session, bool with_offsets);
  void encode(const core::event& e, frame_writer& out) override;
  void encode_open_cards(frame_writer& out) override;

 private:
  friend struct chat_room_frames;
  /// `fields` behind the conversation's id.
  void put(frame_writer& out, std::string_view name, core::seq_t seq, boost::json::object fields) const;
  void show_message(const core::message_completed& m, core::millis at, core::seq_t seq, frame_writer& out);

  core::session_id session_;
  std::string id_;
  bool offsets_;
  core::turn turn_;
  std::vector<core::tool_call> carried_;        ///< of messages without text; shown with the next one that has some
  std::optional<core::message_completed> cut_;  ///< shown if the run turns out to be stopped, not failed
};

[[nodiscard]] std::unique_ptr<client_protocol> make_chat_room(client_port& port);

}  // namespace troupe::transport
