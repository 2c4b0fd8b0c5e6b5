#include "transport/dialects/agent_stream_rest.hpp"

#include "transport/dialects/agent_stream.hpp"
#include "transport/rest/idempotency.hpp"
#include "transport/rest/run_waiter.hpp"

namespace troupe::transport {

namespace json = boost::json;
using core::errc;

namespace {

/// Some clients number their agents.
std::optional<std::string> agent_field(const rest_call_ptr& call, const json::object& body) {
  if (const auto* v = body.if_contains("agent_id"); v && v->is_int64()) return std::to_string(v->get_int64());
  return call->body_string(body, "agent_id", true);
}

void answer_outcome(const rest_call_ptr& call, const run_outcome& o) {
  auto text = o.text;
  if (o.error.code == errc::iteration_limit) text += text.empty() ? o.error.text : "\n" + o.error.text;
  if (!o.parked) return call->answer(200, json::object{{"response", std::move(text)}});
  const auto& open = o.turn.open_approvals.front();
  text += approval_line(open);
  call->answer(202, json::object{{"response", std::move(text)}, {"status", "pending"}, {"approvalId", open.approval.str()}});
}

}  // namespace

/// GET /api/v1/agents/: those of the default project by their ids, the others as project/agent. Instructions are for admins.
void get_stream_agents(const rest_call_ptr& call) {
  bool shows_prompts = call->principal().may(core::scope::admin);
  const auto& config = call->config();
  json::array all;
  auto add = [&](const core::project_config& project, const std::string& prefix) {
    for (const auto& agent : config.agents_of(project.id))
      all.push_back(json::object{{"id", prefix + agent->id.str()},
                                 {"name", agent->name.empty() ? agent->id.str() : agent->name},
                                 {"system_prompt", shows_prompts ? agent->instructions : std::string{}},
                                 {"model", agent->model}});
  };
  if (auto own = config.projects.find(config.default_project); own != config.projects.end()) add(own->second, {});
  for (const auto& [id, project] : config.projects)
    if (id != config.default_project) add(project, id.str() + "/");
  call->answer(200, std::move(all));
}

/// POST /api/v1/chat/ {agent_id, message}: a session of its own.
void post_stream_chat(const rest_call_ptr& call, const json::object& body) {
  auto id = agent_field(call, body);
  if (!id) return;
  auto text = call->body_string(body, "message", true);
  if (!text) return;
  auto agent = find_stream_agent(call->config(), call->config().default_project, *id);
  if (!agent) return call->fail({errc::not_found, "Agent not found"});
  run_waiter::request chat;
  chat.who = call->principal();
  chat.message.content = std::move(*text);
  chat.message.client_message_id = idempotent_id(*call);
  chat.session =
      chat.message.client_message_id.empty() ? call->way().environment().make<core::session_id>() : idempotent_session(*call);
  chat.open = core::open_session{agent->project, agent->id, "agent-stream", {}, {}};
  auto waiter = run_waiter::start(call->way(), std::move(chat), [call](const core::result<run_outcome>& r) {
    if (!r) return call->fail(r.error());
    if (r->error.code != errc::ok && r->error.code != errc::iteration_limit) return call->fail(r->error);
    answer_outcome(call, *r);
  });
  call->exchange->on_abandoned([waiter] { waiter->abandon(); });
}

/// GET /api/v1/health
void get_stream_health(const rest_call_ptr& call) {
  core::list_sessions question;
  question.window.limit = 1;
  call->way().ask(std::move(question), [call](const core::result<core::answer>& r) {
    json::object database{{"ok", r.has_value()}, {"message", r ? std::string("The store answers.") : r.error().text}};
    call->answer(r ? 200 : 503, json::object{{"api_status", "ok"}, {"database_status", std::move(database)}});
  });
}

}  // namespace troupe::transport
