// The `conversation` dialect (PROTOCOLS §2): turns of thinking, tool_call, tool_result, chunks, message and done on
// /ws/chat/{conversation_id}. Calls that run in parallel are shown one after another.
#pragma once

#include "core/turn.hpp"
#include "transport/dialects/dialect.hpp"

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace troupe::transport {

class conversation_encoder final : public encoder {
 public:
  void encode(const core::event& e, frame_writer& out) override;
  void encode_open_cards(frame_writer& out) override;

 private:
  friend struct conversation_frames;
  void show_calls(core::seq_t seq, frame_writer& out);
  void show_message(core::seq_t seq, frame_writer& out);
  void show_done(core::seq_t seq, frame_writer& out);

  core::turn turn_;
  std::string text_;              ///< since the last `message`
  std::size_t step_text_at_ = 0;  ///< where the current step's text begins in it
  std::size_t next_call_ = 0;     ///< index in turn_.calls of the one on show
  bool is_call_shown_ = false;
  std::set<core::approval_id> cards_shown_;  ///< of this run
  bool parked_ = false;                      ///< `done` was sent because a person must decide
};

struct conversation_connect {
  std::string conversation;  ///< the client's own id
  core::project_id project;
  core::agent_id agent;                ///< from `?agent=`; may be empty
  std::optional<core::seq_t> after{};  ///< from `?afterSeq=`
};

/// The session a conversation id stands for: a session's UUID is itself, any other text has a UUID of its own.
[[nodiscard]] core::session_id session_of_conversation(const core::project_id& project, std::string_view conversation);

[[nodiscard]] std::unique_ptr<client_protocol> make_conversation(client_port& port, conversation_connect connect);

}  // namespace troupe::transport
