// Which limits and budgets are in force, and which budgets' thresholds were crossed (PROTOCOLS §1.6). Without secrets.
#include "transport/rest/rest_handlers.hpp"

#include "transport/rest/rest_json.hpp"

namespace troupe::transport {

namespace json = boost::json;
using core::errc;

namespace {

json::object transport_json(const core::transport_limits& l) {
  return {{"maxFrameBytes", l.max_frame_bytes},
          {"maxBodyBytes", l.max_body_bytes},
          {"maxHeaderBytes", l.max_header_bytes},
          {"headerTimeoutMs", l.header_timeout.count()},
          {"idleTimeoutMs", l.idle_timeout.count()},
          {"maxConnections", l.max_connections},
          {"connectionsPerAddress", l.connections_per_address},
          {"messagesPerSecond", l.messages_per_second},
          {"outboundHighWaterBytes", l.outbound_high_water_bytes},
          {"outboundLimitBytes", l.outbound_limit_bytes},
          {"slowClientTimeoutMs", l.slow_client_timeout.count()},
          {"sessionIdleTimeoutMs", l.session_idle_timeout.count()},
          {"permessageDeflate", l.permessage_deflate}};
}

json::object sessions_json(const core::session_limits& l) {
  return {{"maxFileBytes", l.max_file_bytes},         {"maxFiles", l.max_files},
          {"maxSessionBytes", l.max_session_bytes},   {"maxParticipants", l.max_participants},
          {"agentStreamTurns", l.agent_stream_turns}, {"maxRooms", l.max_rooms}};
}

json::value usd_or_null(const std::optional<core::micro_usd>& amount) {
  return amount ? json::value(amount->usd()) : json::value(nullptr);
}

json::object budget_json(const core::budget_config& b) {
  return {{"dailyUsd", usd_or_null(b.daily)},
          {"monthlyUsd", usd_or_null(b.monthly)},
          {"alerts", json::array(b.alerts.begin(), b.alerts.end())}};
}

json::object agent_limits_json(const core::agent_config& a) {
  const auto& l = a.limits;
  return {{"id", a.id.str()},
          {"limits",
           {{"maxSteps", l.max_steps},
            {"maxOutputTokens", l.max_output_tokens},
            {"maxQueue", l.max_queue},
            {"budgetUsd", usd_or_null(l.budget)},
            {"approvalTimeoutMs", l.approval_timeout.count()},
            {"toolTimeoutMs", l.tool_timeout.count()},
            {"maxOutputChars", l.max_output_chars},
            {"maxDepth", l.max_depth}}},
          {"budget", budget_json(a.spending)}};
}

json::object alert_json(const core::alert_record& a) {
  return {{"at", iso_time(a.at)},        {"scope", a.scope},       {"id", a.id},
          {"percent", a.percent},        {"spent", a.spend.usd()}, {"limit", a.budget.usd()},
          {"sessionId", a.session.str()}};
}

}  // namespace

/// GET /limits
void get_limits(const rest_call_ptr& call) {
  const auto& config = call->config();
  json::array projects;
  for (const auto& [id, project] : config.projects) {
    json::array agents;
    for (const auto& agent : config.agents_of(id)) agents.push_back(agent_limits_json(*agent));
    projects.push_back(
        json::object{{"id", id.str()}, {"budget", budget_json(project.spending)}, {"agents", std::move(agents)}});
  }
  call->answer(200, json::object{{"transport", transport_json(config.limits)},
                                 {"sessions", sessions_json(config.sessions)},
                                 {"projects", std::move(projects)},
                                 {"auth", {{"required", config.auth.required}}}});
}

/// GET /projects/{p}/alerts: of sessions that the caller may see.
void get_alerts(const rest_call_ptr& call) {
  auto w = call->window();
  if (!w) return;
  const auto* project = project_parameter(call);
  if (!project) return;
  call->ask<core::page<core::alert_record>>(core::list_alerts{project->id, *w, call->visible_to()},
                                            [call, w = *w](const core::page<core::alert_record>& page) {
                                              json::array items;
                                              for (const auto& alert : page.items) items.push_back(alert_json(alert));
                                              call->answer(200, list_of(std::move(items), page.total, w));
                                            });
}

}  // namespace troupe::transport
