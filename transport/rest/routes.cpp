// The routes table: every REST path of every dialect, in one place.
#include "transport/rest/rest_handlers.hpp"

#include "transport/dialects/agent_stream_rest.hpp"
#include "transport/dialects/chat_events_rest.hpp"
#include "transport/dialects/chat_room_rest.hpp"
#include "transport/dialects/conversation_rest.hpp"
#include "transport/rest/route_match.hpp"

#include <array>

namespace troupe::transport {

namespace {

constexpr auto nexus = error_shape::nexus;
constexpr auto detail = error_shape::detail;
constexpr auto statuscode = error_shape::statuscode;

constexpr std::array routes{
    // nexus
    route{"GET", "/api/v1/projects", get_projects},
    route{"GET", "/api/v1/projects/{p}", get_project},
    route{"GET", "/api/v1/projects/{p}/agents", get_agents},
    route{"GET", "/api/v1/projects/{p}/agents/{a}", get_agent},
    route{"POST", "/api/v1/projects/{p}/agents/{a}/chat", post_agent_chat},
    route{"GET", "/api/v1/projects/{p}/sessions", get_project_sessions},
    route{"POST", "/api/v1/projects/{p}/sessions", post_session},
    route{"GET", "/api/v1/projects/{p}/traces", get_project_traces},
    route{"GET", "/api/v1/projects/{p}/usage", get_usage, nexus, access::admin},
    route{"GET", "/api/v1/projects/{p}/usage/by-agent", get_usage_by_agent, nexus, access::admin},
    route{"GET", "/api/v1/projects/{p}/usage/by-session", get_usage_by_session, nexus, access::admin},
    route{"GET", "/api/v1/projects/{p}/usage/by-user", get_usage_by_user, nexus, access::admin},
    route{"POST", "/api/v1/chat", post_chat},
    route{"GET", "/api/v1/sessions", get_sessions},
    route{"GET", "/api/v1/sessions/{id}", get_session},
    route{"PATCH", "/api/v1/sessions/{id}", patch_session},
    route{"DELETE", "/api/v1/sessions/{id}", delete_session},
    route{"PATCH", "/api/v1/sessions/{id}/status", patch_session_status},
    route{"GET", "/api/v1/sessions/{id}/messages", get_messages},
    route{"POST", "/api/v1/sessions/{id}/messages", post_message},
    route{"POST", "/api/v1/sessions/{id}/messages/{messageId}/reactions", post_reaction},
    route{"GET", "/api/v1/sessions/{id}/files", get_files},
    route{"POST", "/api/v1/sessions/{id}/files", post_files},
    route{"GET", "/api/v1/sessions/{id}/files/{fileId}", get_file},
    route{"GET", "/api/v1/sessions/{id}/participants", get_participants},
    route{"PUT", "/api/v1/sessions/{id}/participants", put_participants},
    route{"POST", "/api/v1/sessions/{id}/fork", post_fork},
    route{"GET", "/api/v1/sessions/{id}/export", get_export},
    route{"GET", "/api/v1/sessions/{id}/events", get_events},
    route{"POST", "/api/v1/sessions/{id}/cancel", post_cancel},
    route{"GET", "/api/v1/sessions/{id}/queue", get_queue},
    route{"PATCH", "/api/v1/sessions/{id}/queue/{messageId}", patch_queued},
    route{"DELETE", "/api/v1/sessions/{id}/queue/{messageId}", delete_queued},
    route{"GET", "/api/v1/sessions/{id}/traces", get_session_traces},
    route{"GET", "/api/v1/approvals", get_approvals},
    route{"POST", "/api/v1/approvals/decide", post_decide_many, nexus, access::approve},
    route{"GET", "/api/v1/approvals/{id}", get_approval},
    route{"POST", "/api/v1/approvals/{id}/approve", post_approve, nexus, access::approve},
    route{"POST", "/api/v1/approvals/{id}/deny", post_deny, nexus, access::approve},
    route{"POST", "/api/v1/approvals/{id}/decide", post_decide, nexus, access::approve},
    route{"GET", "/api/v1/traces/{id}", get_trace},
    route{"GET", "/api/v1/stats", get_stats},
    route{"GET", "/api/v1/tools", get_tools},
    // agent-stream; POST /api/v1/chat/ is post_chat's
    route{"GET", "/api/v1/agents", get_stream_agents, detail},
    route{"GET", "/api/v1/health", get_stream_health, detail, access::open},
    // conversation
    route{"GET", "/health", get_conversation_health, detail, access::open},
    route{"POST", "/api/chat", post_conversation_chat, detail},
    route{"GET", "/api/chat/{id}/history", get_conversation_history, detail},
    route{"GET", "/api/conversations", get_conversations, detail},
    route{"GET", "/api/conversations/{id}", get_conversation, detail},
    route{"DELETE", "/api/conversations/{id}", delete_conversation, detail},
    route{"GET", "/api/tools", get_conversation_tools, detail},
    route{"GET", "/api/tools/{name}", get_conversation_tool, detail},
    route{"GET", "/api/config", get_conversation_config, detail},
    route{"PUT", "/api/config", put_conversation_config, detail, access::admin},
    route{"GET", "/api/config/ollama-models", get_ollama_models, detail},
    // chat-events
    route{"POST", "/api/v1/chats", post_chat_events_chat, statuscode},
    route{"GET", "/api/v1/chats", get_chat_events_chats, statuscode},
    route{"GET", "/api/v1/chats/user/{userId}", get_chat_events_chats_of_user, statuscode},
    route{"GET", "/api/v1/chats/user/codigo/{codigo}", get_chat_events_chats_of_code, statuscode},
    route{"GET", "/api/v1/chats/{id}", get_chat_events_chat, statuscode},
    route{"DELETE", "/api/v1/chats/{id}", delete_chat_events_chat, statuscode},
    route{"POST", "/api/v1/chats/{id}/messages", post_chat_events_message, statuscode},
    route{"GET", "/api/v1/chats/{id}/messages", get_chat_events_messages, statuscode},
    route{"DELETE", "/api/v1/chats/{id}/messages", delete_chat_events_messages, statuscode},
    // log-ins of chat-events and chat-room
    route{"POST", "/api/v1/auth/login", post_code_login, statuscode, access::open},
    route{"GET", "/api/v1/auth/profile", get_code_profile, statuscode, access::known},
    route{"POST", "/auth/login", post_login, statuscode, access::open},
    route{"GET", "/auth/profile", get_profile, statuscode, access::known},
    route{"GET", "/auth/me", get_profile, statuscode, access::known},
    // chat-room
    route{"GET", "/chat/models/all", get_room_models, statuscode},
    route{"GET", "/chat/models/default", get_room_default_model, statuscode},
    route{"GET", "/chat/mcp/servers", get_room_mcp_servers, statuscode},
    route{"GET", "/chat/conversations", get_room_conversations, statuscode},
    route{"POST", "/chat/conversations", post_room_conversation, statuscode},
    route{"GET", "/chat/conversations/{id}", get_room_conversation, statuscode},
    route{"PUT", "/chat/conversations/{id}", put_room_conversation, statuscode},
    route{"DELETE", "/chat/conversations/{id}", delete_room_conversation, statuscode},
    route{"POST", "/chat/messages", post_room_message, statuscode},
    // the server
    route{"GET", "/healthz", get_healthz, nexus, access::open},
    route{"GET", "/readyz", get_readyz, nexus, access::open},
    route{"GET", "/metrics", get_metrics, nexus, access::operations},
    route{"GET", "/", get_home, nexus, access::open},
};

bool is_below(std::string_view path, std::string_view prefix) {
  return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

/// With the slash the path is nexus's and agent-stream's; until its body is read, errors are agent-stream's (PROTOCOLS §7).
bool is_ambiguous(std::string_view path) { return path == "/api/v1/chat/"; }

/// Of paths that are nobody's: whose clients would ask for them.
error_shape shape_of(std::string_view path) {
  for (std::string_view prefix : {"/api/v1/chats", "/api/v1/auth", "/auth", "/chat"})
    if (is_below(path, prefix)) return statuscode;
  for (std::string_view prefix : {"/api/v1/agents", "/api/v1/health"})
    if (is_below(path, prefix)) return detail;
  return is_ambiguous(path) || (path.starts_with("/api/") && !is_below(path, "/api/v1")) ? detail : nexus;
}

}  // namespace

void dispatch(feed_hub& hub, http_request request, std::shared_ptr<http_exchange> exchange) {
  std::string allowed;
  auto shape = shape_of(request.path);
  auto shape_for = [ambiguous = is_ambiguous(request.path)](const route& r) { return ambiguous ? detail : r.shape; };
  path_parameters parameters;
  for (const auto& r : routes) {
    if (!matches(r.pattern, request.path, parameters)) continue;
    if (r.method == request.method || (request.method == "HEAD" && r.method == "GET")) {
      auto call = std::make_shared<rest_call>(hub, std::move(request), std::move(exchange), shape_for(r));
      call->parameters = std::move(parameters);
      if (call->admit(r.needs)) r.handler(call);
      return;
    }
    shape = shape_for(r);
    if (!allowed.empty()) allowed += ", ";
    allowed += r.method;
  }
  auto call = std::make_shared<rest_call>(hub, std::move(request), std::move(exchange), shape);
  if (allowed.empty()) return call->fail({core::errc::not_found, "No such path: " + call->request.path.substr(0, 200)});
  call->fail_method(allowed);
}

}  // namespace troupe::transport
