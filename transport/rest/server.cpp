// What the server says about itself: health, numbers, configured projects, agents and tools, and the page at `/`.
#include "transport/rest/rest_handlers.hpp"

#include "transport/rest/home_page.hpp"
#include "transport/rest/rest_json.hpp"

#include <unistd.h>

#include <ctime>
#include <fstream>

namespace troupe::transport {

namespace json = boost::json;
using core::errc;

namespace {

constexpr std::string_view version = TROUPE_VERSION;

json::array slice(json::array all, core::window w) {
  json::array out;
  auto size = static_cast<std::int64_t>(all.size());
  for (auto i = w.offset; i < size && i - w.offset < w.limit; ++i) out.push_back(std::move(all[static_cast<std::size_t>(i)]));
  return out;
}

void answer_list(const rest_call_ptr& call, json::array all) {
  auto w = call->window();
  if (!w) return;
  auto total = static_cast<std::int64_t>(all.size());
  call->answer(200, list_of(slice(std::move(all), *w), total, *w));
}

const core::project_config* project_parameter(const rest_call_ptr& call) {
  const auto& projects = call->config().projects;
  auto it = projects.find({call->parameter("p")});
  if (it != projects.end()) return &it->second;
  call->fail({errc::not_found, "Project not found: " + call->parameter("p").substr(0, 64)});
  return nullptr;
}

std::int64_t resident_bytes() {
  std::int64_t total = 0;
  std::int64_t resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

void append_metric(std::string& out, std::string_view name, std::string_view type, std::string_view help,
                   const std::string& sample) {
  out.append("# HELP ").append(name).append(" ").append(help).append("\n");
  out.append("# TYPE ").append(name).append(" ").append(type).append("\n");
  out.append(sample).append("\n");
}

}  // namespace

/// GET /projects
void get_projects(const rest_call_ptr& call) {
  json::array all;
  for (const auto& [id, p] : call->config().projects) all.push_back(project_json(p));
  answer_list(call, std::move(all));
}

/// GET /projects/{p}
void get_project(const rest_call_ptr& call) {
  if (const auto* p = project_parameter(call)) call->answer(200, project_json(*p));
}

/// GET /projects/{p}/agents
void get_agents(const rest_call_ptr& call) {
  const auto* p = project_parameter(call);
  if (!p) return;
  json::array all;
  for (const auto& [id, a] : p->agents) all.push_back(agent_json(*a, id == p->default_agent));
  answer_list(call, std::move(all));
}

/// GET /projects/{p}/agents/{a}
void get_agent(const rest_call_ptr& call) {
  const auto* p = project_parameter(call);
  if (!p) return;
  auto it = p->agents.find({call->parameter("a")});
  if (it == p->agents.end()) return call->fail({errc::not_found, "Agent not found: " + call->parameter("a").substr(0, 64)});
  call->answer(200, agent_json(*it->second, it->first == p->default_agent));
}

/// GET /tools
void get_tools(const rest_call_ptr& call) {
  json::array all;
  for (const auto& t : call->way().tools()) all.push_back(tool_json(t));
  answer_list(call, std::move(all));
}

/// GET /healthz: the process answers.
void get_healthz(const rest_call_ptr& call) { call->answer(200, json::object{{"status", "ok"}, {"version", version}}); }

/// GET /readyz: the store answers, and the server is not about to stop.
void get_readyz(const rest_call_ptr& call) {
  core::list_sessions question;
  question.window.limit = 1;
  call->ask<core::page<core::session_record>>(std::move(question), [call](const core::page<core::session_record>&) {
    call->answer(200, json::object{{"status", "ready"}});
  });
}

/// GET /metrics, in the Prometheus text format.
void get_metrics(const rest_call_ptr& call) {
  auto up = call->way().environment().now() - call->way().started_at();
  std::string out;
  append_metric(out, "troupe_info", "gauge", "The version that runs.",
                "troupe_info{version=\"" + std::string(version) + "\"} 1");
  append_metric(out, "troupe_uptime_seconds", "gauge", "Time since the server started.",
                "troupe_uptime_seconds " + std::to_string(static_cast<double>(up.count()) / 1000));
  append_metric(out, "troupe_feeds_open", "gauge", "Session feeds with at least one client, on this io thread.",
                "troupe_feeds_open " + std::to_string(call->hub().size()));
  append_metric(out, "process_cpu_seconds_total", "counter", "User and system CPU time.",
                "process_cpu_seconds_total " + std::to_string(static_cast<double>(std::clock()) / CLOCKS_PER_SEC));
  append_metric(out, "process_resident_memory_bytes", "gauge", "Resident memory.",
                "process_resident_memory_bytes " + std::to_string(resident_bytes()));
  call->exchange->respond({200,
                           "text/plain; version=0.0.4; charset=utf-8",
                           std::move(out),
                           {{"X-Content-Type-Options", "nosniff"}, {"Cache-Control", "no-store"}}});
}

/// GET /: a page for browsers, a summary for programs.
void get_home(const rest_call_ptr& call) {
  if (call->request.header("accept").find("text/html") != std::string_view::npos) {
    auto nonce = call->way().environment().random_uuid().hex();
    return call->exchange->respond(
        {200, "text/html; charset=utf-8", home_page(call->config(), version, nonce), home_page_headers(nonce)});
  }
  call->answer(200, json::object{{"name", "Troupe"},
                                 {"version", version},
                                 {"status", "running"},
                                 {"endpoints",
                                  {{"nexus", "/ws"},
                                   {"nexusRest", "/api/v1"},
                                   {"conversation", "/ws/chat/{conversation_id}"},
                                   {"conversationRest", "/api"},
                                   {"health", "/healthz"},
                                   {"ready", "/readyz"},
                                   {"metrics", "/metrics"}}}});
}

}  // namespace troupe::transport
