// The routes table: every REST path of every dialect, in one place.
#include "transport/rest_handlers.hpp"

#include "transport/dialects/conversation_rest.hpp"
#include "transport/route_match.hpp"

#include <array>

namespace troupe::transport {

namespace {

constexpr auto detail = error_shape::detail;

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
    route{"GET", "/api/v1/projects/{p}/usage", get_usage},
    route{"POST", "/api/v1/chat", post_chat},
    route{"GET", "/api/v1/sessions", get_sessions},
    route{"GET", "/api/v1/sessions/{id}", get_session},
    route{"DELETE", "/api/v1/sessions/{id}", delete_session},
    route{"PATCH", "/api/v1/sessions/{id}/status", patch_session_status},
    route{"GET", "/api/v1/sessions/{id}/messages", get_messages},
    route{"POST", "/api/v1/sessions/{id}/messages", post_message},
    route{"GET", "/api/v1/sessions/{id}/events", get_events},
    route{"POST", "/api/v1/sessions/{id}/cancel", post_cancel},
    route{"GET", "/api/v1/sessions/{id}/queue", get_queue},
    route{"DELETE", "/api/v1/sessions/{id}/queue/{messageId}", delete_queued},
    route{"GET", "/api/v1/sessions/{id}/traces", get_session_traces},
    route{"GET", "/api/v1/approvals", get_approvals},
    route{"POST", "/api/v1/approvals/decide", post_decide_many},
    route{"GET", "/api/v1/approvals/{id}", get_approval},
    route{"POST", "/api/v1/approvals/{id}/approve", post_approve},
    route{"POST", "/api/v1/approvals/{id}/deny", post_deny},
    route{"POST", "/api/v1/approvals/{id}/decide", post_decide},
    route{"GET", "/api/v1/traces/{id}", get_trace},
    route{"GET", "/api/v1/stats", get_stats},
    route{"GET", "/api/v1/tools", get_tools},
    // conversation
    route{"GET", "/health", get_conversation_health, detail},
    route{"POST", "/api/chat", post_conversation_chat, detail},
    route{"GET", "/api/chat/{id}/history", get_conversation_history, detail},
    route{"GET", "/api/conversations", get_conversations, detail},
    route{"GET", "/api/conversations/{id}", get_conversation, detail},
    route{"DELETE", "/api/conversations/{id}", delete_conversation, detail},
    route{"GET", "/api/tools", get_conversation_tools, detail},
    route{"GET", "/api/tools/{name}", get_conversation_tool, detail},
    route{"GET", "/api/config", get_conversation_config, detail},
    route{"PUT", "/api/config", put_conversation_config, detail},
    route{"GET", "/api/config/ollama-models", get_ollama_models, detail},
    // the server
    route{"GET", "/healthz", get_healthz},
    route{"GET", "/readyz", get_readyz},
    route{"GET", "/metrics", get_metrics},
    route{"GET", "/", get_home},
};

error_shape shape_of(std::string_view path) {
  return path.starts_with("/api/") && !path.starts_with("/api/v1/") ? error_shape::detail : error_shape::nexus;
}

}  // namespace

void dispatch(feed_hub& hub, http_request request, std::shared_ptr<http_exchange> exchange) {
  std::string allowed;
  auto shape = shape_of(request.path);
  path_parameters parameters;
  for (const auto& r : routes) {
    if (!matches(r.pattern, request.path, parameters)) continue;
    if (r.method == request.method || (request.method == "HEAD" && r.method == "GET")) {
      auto call = std::make_shared<rest_call>(hub, std::move(request), std::move(exchange), r.shape);
      call->parameters = std::move(parameters);
      return r.handler(call);
    }
    shape = r.shape;
    if (!allowed.empty()) allowed += ", ";
    allowed += r.method;
  }
  auto call = std::make_shared<rest_call>(hub, std::move(request), std::move(exchange), shape);
  if (allowed.empty()) return call->fail({core::errc::not_found, "No such path: " + call->request.path.substr(0, 200)});
  call->fail_method(allowed);
}

}  // namespace troupe::transport
