// The REST side of the `chat-room` dialect (PROTOCOLS §5): models, conversations, a message with its answer. Errors are
// `{statusCode, message, error}`.
#pragma once

#include "transport/rest/rest.hpp"

namespace troupe::transport {

void get_room_models(const rest_call_ptr& call);
void get_room_default_model(const rest_call_ptr& call);
void get_room_mcp_servers(const rest_call_ptr& call);
void get_room_conversations(const rest_call_ptr& call);
void post_room_conversation(const rest_call_ptr& call);
void get_room_conversation(const rest_call_ptr& call);
void put_room_conversation(const rest_call_ptr& call);
void delete_room_conversation(const rest_call_ptr& call);
void post_room_message(const rest_call_ptr& call);

}  // namespace troupe::transport
