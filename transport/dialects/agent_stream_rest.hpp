// REST of the `agent-stream` dialect (PROTOCOLS §3); transport/rest/routes.cpp has the paths.
#pragma once

#include "transport/rest/rest.hpp"

namespace troupe::transport {

void get_stream_agents(const rest_call_ptr& call);
/// The path is nexus's too: post_chat (chat.cpp) comes here with a body that names an `agent_id`.
void post_stream_chat(const rest_call_ptr& call, const boost::json::object& body);
void get_stream_health(const rest_call_ptr& call);

}  // namespace troupe::transport
