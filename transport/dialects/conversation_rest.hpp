// The REST side of the `conversation` dialect (PROTOCOLS §2): its clients' own ids, `{detail}` errors, default project.
#pragma once

#include "transport/rest/rest.hpp"

namespace troupe::transport {

void get_conversation_health(const rest_call_ptr& call);
void post_conversation_chat(const rest_call_ptr& call);
void get_conversation_history(const rest_call_ptr& call);
void get_conversations(const rest_call_ptr& call);
void get_conversation(const rest_call_ptr& call);
void delete_conversation(const rest_call_ptr& call);
void get_conversation_tools(const rest_call_ptr& call);
void get_conversation_tool(const rest_call_ptr& call);
void get_conversation_config(const rest_call_ptr& call);
void put_conversation_config(const rest_call_ptr& call);
void get_ollama_models(const rest_call_ptr& call);

}  // namespace troupe::transport
