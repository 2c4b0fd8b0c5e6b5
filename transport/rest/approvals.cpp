// Approvals over REST (PROTOCOLS §1.6). The decider is whoever the call is authenticated as, never a field of the body.
#include "transport/rest/rest_handlers.hpp"

#include "transport/rest/rest_json.hpp"

#include <algorithm>
#include <array>

namespace troupe::transport {

namespace json = boost::json;
using core::errc;

namespace {

constexpr std::array<std::string_view, 3> risks{"low", "medium", "high"};

core::error no_approval(std::string_view id) {
  return {errc::not_found, "Approval not found: " + std::string(id.substr(0, 64))};
}

std::optional<core::approval_id> approval_parameter(const rest_call_ptr& call) {
  auto id = core::approval_id::parse(call->parameter("id"));
  if (!id) call->fail(no_approval(call->parameter("id")));
  return id;
}

/// One of a session that the caller may not see is not there.
void find_approval(const rest_call_ptr& call, core::approval_id id, std::function<void(core::approval_record)> then) {
  call->find<core::approval_record>(
      core::get_approval{id}, "Approval", id.str(), [call, then = std::move(then)](core::approval_record a) {
        auto missing = no_approval(a.id.str());
        auto session = a.session;
        call->see_session(session, std::move(missing),
                          [then, a = std::move(a)](const core::session_record&) mutable { then(std::move(a)); });
      });
}

void answer_approval(const rest_call_ptr& call, core::approval_id id) {
  find_approval(call, id, [call](const core::approval_record& a) { call->answer(200, approval_json(a)); });
}

void answer_winner(const rest_call_ptr& call, core::approval_id id, const core::approval_settled& winner) {
  call->way().ask(core::get_approval{id}, [call, winner](const core::result<core::answer>& r) {
    const auto* record = r ? std::get_if<core::approval_record>(&*r) : nullptr;
    call->fail_with(lost_decision(winner), winner_json(winner, record));
  });
}

/// Answers with the approval as it is then; 409 with the winner when it was settled before.
void decide(const rest_call_ptr& call, core::approval_id id, given_decision given) {
  find_approval(call, id, [call, given = std::move(given)](const core::approval_record& a) {
    field_problem problem;
    auto command = decision_on(a, given, call->principal(), problem);
    if (!command) return call->fail_field(problem);
    call->submit(a.session, std::move(*command), [call, id = a.id](const core::command_reply& r) {
      const auto& settled = std::get<core::approval_settled>(r);
      if (!settled.won && !settled.is_pending) return answer_winner(call, id, settled);
      answer_approval(call, id);
    });
  });
}

void decide_with_note(const rest_call_ptr& call, bool approved) {
  auto id = approval_parameter(call);
  if (!id) return;
  auto body = call->body_object();
  if (!body) return;
  auto note = call->body_string(*body, "note", false);
  if (!note) return;
  given_decision given;
  given.what.approved = approved;
  given.what.note = std::move(*note);
  decide(call, *id, std::move(given));
}

void list_approvals(const rest_call_ptr& call, core::list_approvals query) {
  auto w = query.window;
  call->ask<core::page<core::approval_record>>(std::move(query), [call, w](const core::page<core::approval_record>& page) {
    json::array items;
    for (const auto& a : page.items) items.push_back(approval_json(a));
    call->answer(200, list_of(std::move(items), page.total, w));
  });
}

/// All but the session; false where the call was answered.
bool read_filters(const rest_call_ptr& call, core::list_approvals& query) {
  auto text = [&](std::string_view name) { return call->request.query_value(name); };
  auto refuse = [&](std::string_view name, std::string_view expected) {
    call->fail_field(name, expected);
    return false;
  };
  if (auto status = text("status"); !status.empty()) {
    if (status != "pending" && !core::decision_from(status))
      return refuse("status", "must be pending, approved, denied or expired");
    query.status = status;
  }
  if (auto kind = text("kind"); !kind.empty()) {
    query.kind = core::approval_kind_from(kind);
    if (!query.kind) return refuse("kind", "must be tool, outcome_unknown or input");
  }
  if (auto risk = text("riskLevel"); !risk.empty()) {
    if (std::find(risks.begin(), risks.end(), risk) == risks.end()) return refuse("riskLevel", "must be low, medium or high");
    query.risk = risk;
  }
  if (auto since = text("since"); !since.empty()) {
    auto at = time_from(since);
    if (!at) return refuse("since", "must be a time such as 2026-01-31T09:30:00Z, or milliseconds since 1970");
    query.since = *at;
  }
  if (auto project = text("projectId"); !project.empty()) query.project = core::project_id{project};
  if (auto agent = text("agentId"); !agent.empty()) query.agent = core::agent_id{agent};
  if (auto tool = text("tool"); !tool.empty()) query.tool = tool;
  if (auto by = text("decidedBy"); !by.empty()) query.decided_by = by;
  return true;
}

}  // namespace

/// GET /approvals?status=&kind=&riskLevel=&since=&projectId=&sessionId=&agentId=&tool=&decidedBy=
void get_approvals(const rest_call_ptr& call) {
  auto w = call->window();
  if (!w) return;
  core::list_approvals query;
  query.window = *w;
  query.visible_to = call->visible_to();
  if (!read_filters(call, query)) return;
  auto session = call->request.query_value("sessionId");
  if (session.empty()) return list_approvals(call, std::move(query));
  if ((query.session = core::session_id::parse(session))) return list_approvals(call, std::move(query));
  call->way().ask(core::resolve_session{call->config().default_project, session.substr(0, 200)},
                  [call, query](const core::result<core::answer>& r) mutable {
                    if (!r && r.error().code == errc::not_found)
                      return call->fail_field("sessionId", "must be the id of a session");
                    if (!r) return call->fail(r.error());
                    query.session = std::get<core::session_id>(*r);
                    list_approvals(call, std::move(query));
                  });
}

/// GET /approvals/{id}
void get_approval(const rest_call_ptr& call) {
  if (auto id = approval_parameter(call)) answer_approval(call, *id);
}

/// POST /approvals/{id}/approve {note?}
void post_approve(const rest_call_ptr& call) { decide_with_note(call, true); }

/// POST /approvals/{id}/deny {note?}
void post_deny(const rest_call_ptr& call) { decide_with_note(call, false); }

/// POST /approvals/{id}/decide {approved | choice | answer, note?, editedInput?, remember?, argumentsHash?}
void post_decide(const rest_call_ptr& call) {
  auto id = approval_parameter(call);
  if (!id) return;
  auto body = call->body_object();
  if (!body) return;
  field_problem problem;
  auto given = read_decision(*body, problem);
  if (!given) return call->fail_field(problem);
  decide(call, *id, std::move(*given));
}

}  // namespace troupe::transport
