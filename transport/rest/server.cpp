// What the server says about itself: health, numbers, configured projects, agents and tools, and the page at `/`.
#include "transport/rest/rest_handlers.hpp"

#include "transport/rest/console.hpp"
#include "transport/rest/home_page.hpp"
#include "transport/rest/rest_json.hpp"

#include <unistd.h>

#include <ctime>
#include <fstream>
#include <initializer_list>
#include <utility>

namespace troupe::transport {

namespace json = boost::json;
using core::errc;

namespace {

constexpr std::string_view version = TROUPE_VERSION;

std::int64_t resident_bytes() {
  std::int64_t total = 0;
  std::int64_t resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

/// Metrics in the Prometheus text format. Label values are escaped.
class metrics_page {
 public:
  void family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    out_.append("# HELP ").append(name).append(" ").append(help).append("\n");
    out_.append("# TYPE ").append(name).append(" ").append(type).append("\n");
  }
  void sample(std::initializer_list<std::pair<std::string_view, std::string_view>> labels, const std::string& value) {
    out_ += name_;
    char before = '{';
    for (const auto& [name, text] : labels) {
      out_.append(std::exchange(before, ',') == '{' ? "{" : ",").append(name).append("=\"");
      append_escaped(text);
      out_ += '"';
    }
    if (labels.size() != 0) out_ += '}';
    out_.append(" ").append(value).append("\n");
  }
  void one(std::string_view name, std::string_view type, std::string_view help, const std::string& value) {
    family(name, type, help);
    sample({}, value);
  }
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  void append_escaped(std::string_view text) {
    for (char c : text) {
      if (c == '\\' || c == '"') out_ += '\\';
      out_ += c == '\n' ? ' ' : c;
    }
  }

  std::string out_;
  std::string name_;
};

void add_parts(metrics_page& page, const core::status_board& board) {
  auto of_kind = [&](std::string_view kind, std::string_view label, bool shows_fault) {
    for (const auto& c : board.components())
      if (c.kind == kind) page.sample({{label, c.name}}, c.is_ok != shows_fault ? "1" : "0");
  };
  page.family("troupe_provider_breaker_open", "gauge", "Whether calls to the provider are held back after failures.");
  of_kind("provider", "provider", true);
  page.family("troupe_tool_source_up", "gauge", "Whether the source of tools is ready.");
  of_kind("tools", "source", false);
  page.family("troupe_tool_calls_total", "counter",
              "Tool calls that ended, by tool and outcome; made-up names beyond a limit have none.");
  for (const auto& c : board.calls()) {
    page.sample({{"tool", c.tool}, {"outcome", "succeeded"}}, std::to_string(c.succeeded));
    page.sample({{"tool", c.tool}, {"outcome", "failed"}}, std::to_string(c.failed));
  }
}

void answer_metrics(const rest_call_ptr& call, std::optional<std::int64_t> pending_approvals) {
  auto up = call->way().environment().now() - call->way().started_at();
  metrics_page page;
  page.family("troupe_info", "gauge", "The version that runs.");
  page.sample({{"version", version}}, "1");
  page.one("troupe_uptime_seconds", "gauge", "Time since the server started.",
           std::to_string(static_cast<double>(up.count()) / 1000));
  page.one("troupe_feeds_open", "gauge", "Session feeds with at least one client, on this io thread.",
           std::to_string(call->hub().size()));
  if (pending_approvals)
    page.one("troupe_approvals_pending", "gauge", "Questions that wait for a person.", std::to_string(*pending_approvals));
  add_parts(page, call->way().health());
  page.one("process_cpu_seconds_total", "counter", "User and system CPU time.",
           std::to_string(static_cast<double>(std::clock()) / CLOCKS_PER_SEC));
  page.one("process_resident_memory_bytes", "gauge", "Resident memory.", std::to_string(resident_bytes()));
  call->exchange->respond({200,
                           "text/plain; version=0.0.4; charset=utf-8",
                           page.take(),
                           {{"X-Content-Type-Options", "nosniff"}, {"Cache-Control", "no-store"}}});
}

/// What does not work now, though the server does.
json::array degraded_parts(const core::status_board& board) {
  json::array out;
  for (const auto& c : board.components())
    if (!c.is_ok) out.push_back(json::object{{"kind", c.kind}, {"name", c.name}, {"state", c.state}});
  return out;
}

}  // namespace

/// GET /projects
void get_projects(const rest_call_ptr& call) {
  json::array all;
  for (const auto& [id, p] : call->config().projects) all.push_back(project_json(p, call->config().agents_of(id).size()));
  answer_list(call, std::move(all));
}

/// GET /projects/{p}
void get_project(const rest_call_ptr& call) {
  if (const auto* p = project_parameter(call)) call->answer(200, project_json(*p, call->config().agents_of(p->id).size()));
}

/// GET /tools
void get_tools(const rest_call_ptr& call) {
  json::array all;
  for (const auto& t : call->way().tools()) all.push_back(tool_json(t));
  answer_list(call, std::move(all));
}

/// GET /healthz: the process answers.
void get_healthz(const rest_call_ptr& call) { call->answer(200, json::object{{"status", "ok"}, {"version", version}}); }

/// GET /readyz: the store answers, and the server is not about to stop. Providers and sources of tools that are down do not
/// count: another server could not reach them either. Operators are told of them.
void get_readyz(const rest_call_ptr& call) {
  core::list_sessions question;
  question.window.limit = 1;
  call->ask<core::page<core::session_record>>(std::move(question), [call](const core::page<core::session_record>&) {
    json::object body{{"status", "ready"}};
    if (call->is_operator())
      if (auto parts = degraded_parts(call->way().health()); !parts.empty()) body["degraded"] = std::move(parts);
    call->answer(200, std::move(body));
  });
}

/// GET /metrics. Where the store does not answer, without what it would tell.
void get_metrics(const rest_call_ptr& call) {
  core::list_approvals pending;
  pending.status = "pending";
  pending.window.limit = 1;
  call->way().ask(std::move(pending), [call](const core::result<core::answer>& r) {
    if (!r) return answer_metrics(call, std::nullopt);
    answer_metrics(call, std::get<core::page<core::approval_record>>(*r).total);
  });
}

/// GET /: a page for browsers (the console, where it was built), a summary for programs.
void get_home(const rest_call_ptr& call) {
  if (call->request.header("accept").find("text/html") != std::string_view::npos) {
    const auto* files = call->hub().web_console();
    if (auto page = files ? files->answer(call->request) : std::nullopt) return call->exchange->respond(std::move(*page));
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
