// The objects of the `chat-room` dialect (PROTOCOLS §5): conversations, messages, users; the same over Socket.IO and REST.
// Pure functions, any thread.
#pragma once

#include "core/config.hpp"
#include "core/records.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <string_view>
#include <vector>

namespace troupe::transport {

inline constexpr std::string_view untitled_conversation = "New Conversation";

using room_user = core::presence_changed::user;

/// `[{userId, username}]`
[[nodiscard]] boost::json::array room_users_json(const std::vector<room_user>& users);

/// `by` absent: the assistant. `calls` empty: null.
[[nodiscard]] boost::json::object room_message_json(core::session_id session, core::message_id id, core::role role,
                                                    std::string_view content, core::millis at, const room_user* by,
                                                    boost::json::object metadata, boost::json::array calls);
/// What a user's message brings besides its text: `attachments`, `clientMessageId`; each only where it is there.
[[nodiscard]] boost::json::object room_metadata(const std::vector<core::attachment>& attachments,
                                                std::string_view client_message_id);
/// A call of the model with its result; `result` null: none yet.
[[nodiscard]] boost::json::object room_call_json(const core::tool_call& call, const bool* ok, std::string_view output,
                                                 std::int64_t ms);

/// A message of the assistant is shown when it has text or is the end of a turn; the calls of others come with the next.
[[nodiscard]] inline bool is_shown(std::string_view content, bool has_calls) { return !content.empty() || !has_calls; }

/// Stored messages as clients are shown them. `results` are those of the session, in order.
[[nodiscard]] boost::json::array room_history_json(const std::vector<core::message_record>& messages,
                                                   const std::vector<core::tool_call_record>& results);

[[nodiscard]] boost::json::object room_conversation_json(const core::session_record& s, const std::vector<room_user>& active,
                                                         boost::json::array messages);

/// A model is an agent of the default project.
[[nodiscard]] boost::json::object room_model_json(const core::agent_config& a, bool is_default);

}  // namespace troupe::transport
