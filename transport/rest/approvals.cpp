// Approvals over REST (PROTOCOLS §1.6). The decider is whoever the call is authenticated as, never a field of the body.
#include "transport/rest/rest_handlers.hpp"

#include "transport/rest/rest_json.hpp"

#include <boost/json/serialize.hpp>

namespace troupe::transport {

namespace json = boost::json;
using core::errc;

namespace {

constexpr std::size_t max_ids = 100;

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

/// Answers with the approval as it is then; 409 with the winner when it was settled before.
void decide(const rest_call_ptr& call, core::decide_approval command) {
  find_approval(call, command.approval, [call, command](const core::approval_record& a) {
    call->submit(a.session, command, [call](const core::command_reply& r) {
      const auto& settled = std::get<core::approval_settled>(r);
      if (!settled.won) return call->fail_with(lost_decision(settled), winner_json(settled));
      answer_approval(call, settled.approval);
    });
  });
}

void list_approvals(const rest_call_ptr& call, core::list_approvals query) {
  auto w = query.window;
  call->ask<core::page<core::approval_record>>(std::move(query), [call, w](const core::page<core::approval_record>& page) {
    json::array items;
    for (const auto& a : page.items) items.push_back(approval_json(a));
    call->answer(200, list_of(std::move(items), page.total, w));
  });
}

std::optional<std::string> note_of(const rest_call_ptr& call, const json::object& body) {
  return call->body_string(body, "note", false);
}

std::optional<bool> approved_of(const rest_call_ptr& call, const json::object& body) {
  if (const auto* v = body.if_contains("approved"); v && v->is_bool()) return v->get_bool();
  call->fail_field("approved", "must be true or false");
  return std::nullopt;
}

void decide_with_note(const rest_call_ptr& call, bool approved) {
  auto id = approval_parameter(call);
  if (!id) return;
  auto body = call->body_object();
  if (!body) return;
  auto note = note_of(call, *body);
  if (!note) return;
  decide(call, {*id, {}, approved, std::move(*note), {}});
}

/// Decides one after the other; every id has its own result.
class bulk_decision : public std::enable_shared_from_this<bulk_decision> {
 public:
  bulk_decision(rest_call_ptr call, std::vector<std::string> ids, bool approved, std::string note)
      : call_(std::move(call)), ids_(std::move(ids)), approved_(approved), note_(std::move(note)) {}

  void next() {
    if (results_.size() == ids_.size()) {
      auto total = static_cast<std::int64_t>(results_.size());
      return call_->answer(200, list_of(std::move(results_), total, {total, 0}));
    }
    auto id = core::approval_id::parse(ids_[results_.size()]);
    if (!id) return put_error(no_approval(ids_[results_.size()]), {});
    ask(core::get_approval{*id}, [me = shared_from_this(), id = *id](const core::answer& a) {
      me->ask(core::get_session{std::get<core::approval_record>(a).session}, [me, id](const core::answer& s) {
        const auto& session = std::get<core::session_record>(s);
        if (core::may_see(me->call_->principal(), session)) return me->decide(id, session.id);
        me->put_error(no_approval(id.str()), {});
      });
    });
  }

 private:
  void decide(core::approval_id id, core::session_id session) {
    core::decide_approval command{id, {}, approved_, note_, {}};
    call_->way().submit(session, call_->principal(), std::move(command),
                        [me = shared_from_this(), id](const core::result<core::command_reply>& r) {
                          if (!r) return me->put_error(r.error(), {});
                          const auto& settled = std::get<core::approval_settled>(*r);
                          if (!settled.won) return me->put_error(lost_decision(settled), winner_json(settled));
                          me->ask(core::get_approval{id},
                                  [me](const core::answer& a) { me->put(approval_json(std::get<core::approval_record>(a))); });
                        });
  }

  void ask(core::query query, std::function<void(const core::answer&)> then) {
    call_->way().ask(std::move(query), [me = shared_from_this(), then = std::move(then)](const core::result<core::answer>& r) {
      if (r) return then(*r);
      if (r.error().code == errc::not_found) return me->put_error(no_approval(me->ids_[me->results_.size()]), {});
      me->put_error(r.error(), {});
    });
  }

  void put(json::object approval) {
    results_.push_back(json::object{{"id", ids_[results_.size()]}, {"status", approval["status"]}, {"approval", approval}});
    next();
  }
  void put_error(const core::error& e, json::object details) {
    json::object error{{"code", core::to_string(e.code)}, {"message", e.text}};
    if (!details.empty()) error["details"] = std::move(details);
    results_.push_back(json::object{{"id", ids_[results_.size()]}, {"error", std::move(error)}});
    next();
  }

  rest_call_ptr call_;
  std::vector<std::string> ids_;
  bool approved_;
  std::string note_;
  json::array results_;
};

}  // namespace

/// GET /approvals?status=&projectId=&sessionId=
void get_approvals(const rest_call_ptr& call) {
  auto w = call->window();
  if (!w) return;
  core::list_approvals query;
  query.window = *w;
  query.visible_to = call->visible_to();
  if (auto status = call->request.query_value("status"); !status.empty()) {
    if (status != "pending" && !core::decision_from(status))
      return call->fail_field("status", "must be pending, approved, denied or expired");
    query.status = status;
  }
  if (auto project = call->request.query_value("projectId"); !project.empty()) query.project = core::project_id{project};
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

/// POST /approvals/{id}/decide {approved, note?, editedInput?}
void post_decide(const rest_call_ptr& call) {
  auto id = approval_parameter(call);
  if (!id) return;
  auto body = call->body_object();
  if (!body) return;
  auto approved = approved_of(call, *body);
  if (!approved) return;
  auto note = note_of(call, *body);
  if (!note) return;
  core::decide_approval command{*id, {}, *approved, std::move(*note), {}};
  if (const auto* edited = body->if_contains("editedInput"); edited && !edited->is_null()) {
    if (!edited->is_object()) return call->fail_field("editedInput", "must be an object");
    command.edited_input = json::serialize(*edited);
  }
  decide(call, std::move(command));
}

/// POST /approvals/decide {ids[], approved, note?}
void post_decide_many(const rest_call_ptr& call) {
  auto body = call->body_object();
  if (!body) return;
  const auto* list = body->if_contains("ids");
  if (!list || !list->is_array() || list->get_array().empty() || list->get_array().size() > max_ids)
    return call->fail_field("ids", "must be a list of 1 to " + std::to_string(max_ids) + " approval ids");
  std::vector<std::string> ids;
  for (const auto& v : list->get_array()) {
    if (!v.is_string()) return call->fail_field("ids", "must hold strings only");
    ids.emplace_back(v.get_string());
  }
  auto approved = approved_of(call, *body);
  if (!approved) return;
  auto note = note_of(call, *body);
  if (!note) return;
  std::make_shared<bulk_decision>(call, std::move(ids), *approved, std::move(*note))->next();
}

}  // namespace troupe::transport
