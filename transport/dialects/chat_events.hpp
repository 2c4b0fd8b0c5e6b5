// The `chat-events` dialect (PROTOCOLS §4): events of chats as `ai-response-*` on the Socket.IO namespace `/`. Its clients talk
// over REST (chat_events_rest.hpp) and listen here: to every chat they may read (transport/chat_stream.hpp), or, once they
// joined one, to those they joined.
#pragma once

#include "core/turn.hpp"
#include "transport/dialects/dialect.hpp"
#include "transport/dialects/socketio_frames.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>

namespace troupe::transport {

/// `chatId`: the first 24 hex digits of the session's UUID.
[[nodiscard]] std::string chat_id_of(core::session_id session);

/// A chat as events and REST show it.
[[nodiscard]] boost::json::object chat_json(core::session_id session, const std::string& owner, core::millis created_at,
                                            core::millis updated_at, boost::json::array messages);

/// One exchange: `{content, answer, timestamp}`.
[[nodiscard]] boost::json::object exchange_json(std::string_view question, std::string_view answer, core::millis at);

class chat_events_encoder final : public encoder {
 public:
  chat_events_encoder(core::session_id session, bool with_offsets);
  void encode(const core::event& e, frame_writer& out) override;
  void encode_open_cards(frame_writer& out) override;

 private:
  friend struct chat_events_frames;
  /// `seq` 0: the client's place stays where it is, because more frames of the same event follow.
  void put(frame_writer& out, core::seq_t seq, std::string_view name, boost::json::object fields) const;
  void put_chunk(frame_writer& out, core::seq_t seq, std::string_view text);

  core::session_id session_;
  std::string session_text_;
  std::string chat_id_;
  std::string chunk_head_;  ///< what every chunk begins with
  bool offsets_;
  core::turn turn_;
  std::string question_;
  std::string answer_;             ///< of the run, all steps
  std::size_t step_text_at_ = 0;   ///< where the current step's text begins in it
  std::uint64_t chunk_index_ = 0;  ///< of the next chunk
  core::millis answered_at_{0};
};

/// Where a client of every chat was: its places in the chats it was being told of, and when that was. Any other chat had said
/// nothing for `chat_stream_quiet` before, or it was shown nothing of it.
struct chat_stream_place {
  offsets chats;
  core::millis at{0};
};
inline constexpr core::millis chat_stream_quiet{2'000};
/// More chats than this at once leave no offset from which a client could go on.
inline constexpr std::size_t chat_stream_places = 100;
/// `<session>:<seq>,…,at:<milliseconds>`; of too many places something that cannot be read.
[[nodiscard]] std::string to_text(const chat_stream_place& place);
[[nodiscard]] std::optional<chat_stream_place> chat_stream_place_from(std::string_view offset);

[[nodiscard]] std::unique_ptr<client_protocol> make_chat_events(client_port& port);

}  // namespace troupe::transport
