// The REST side of the `chat-events` dialect (PROTOCOLS §4), through which its clients talk: chats by 24 hex digits, messages
// as pairs of question and answer, `{statusCode, message, error}`. The events go out over Socket.IO (chat_events.hpp).
#pragma once

#include "core/records.hpp"
#include "transport/rest/rest.hpp"

#include <vector>

namespace troupe::transport {

void post_chat_events_chat(const rest_call_ptr& call);
void get_chat_events_chats(const rest_call_ptr& call);
void get_chat_events_chats_of_user(const rest_call_ptr& call);
void get_chat_events_chats_of_code(const rest_call_ptr& call);
void get_chat_events_chat(const rest_call_ptr& call);
void delete_chat_events_chat(const rest_call_ptr& call);
void post_chat_events_message(const rest_call_ptr& call);
void get_chat_events_messages(const rest_call_ptr& call);
void delete_chat_events_messages(const rest_call_ptr& call);

/// The exchanges that have an answer: the questions whose runs were completed, each with all that the assistant said in its
/// run. `messages` in their order.
[[nodiscard]] boost::json::array exchanges_of(const std::vector<core::message_record>& messages);

}  // namespace troupe::transport
