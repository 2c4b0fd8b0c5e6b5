// Remembered approvals over REST: what needs no question any more, and taking that back.
#include "transport/rest/rest_handlers.hpp"

#include "transport/rest/rest_json.hpp"

namespace troupe::transport {

namespace json = boost::json;
using core::errc;

/// GET /approvals/remembered?projectId=&all=true: those that hold, or all there ever were, newest first.
void get_remembered(const rest_call_ptr& call) {
  auto w = call->window();
  if (!w) return;
  core::list_grants query;
  query.window = *w;
  query.visible_to = call->visible_to();
  query.now = call->way().environment().now();
  query.all = call->request.query_value("all") == "true";
  if (auto project = call->request.query_value("projectId"); !project.empty()) query.project = core::project_id{project};
  call->ask<core::page<core::grant_record>>(std::move(query),
                                            [call, w = *w, now = query.now](const core::page<core::grant_record>& page) {
                                              json::array items;
                                              for (const auto& g : page.items) items.push_back(grant_json(g, now));
                                              call->answer(200, list_of(std::move(items), page.total, w));
                                            });
}

/// DELETE /approvals/remembered/{id}: 204, also where it was revoked before. It outlives its session, so that may be deleted.
void delete_remembered(const rest_call_ptr& call) {
  core::error missing{errc::not_found, "Remembered approval not found: " + call->parameter("id").substr(0, 64)};
  auto id = core::grant_id::parse(call->parameter("id"));
  if (!id) return call->fail(missing);
  auto revoke = [call, missing, id = *id](const core::grant_record& g, const core::session_record& session) {
    if (!core::may_see(call->principal(), session)) return call->fail(missing);
    if (g.revoked_at.count() != 0) return answer_nothing(call);
    call->submit(session.id, core::revoke_grant{id}, [call](const core::command_reply&) { answer_nothing(call); });
  };
  call->find<core::grant_record>(
      core::get_grant{*id}, "Remembered approval", id->str(), [call, missing, revoke](const core::grant_record& g) {
        call->way().ask(core::get_session{g.session}, [call, missing, revoke, g](const core::result<core::answer>& r) {
          if (r) return revoke(g, std::get<core::session_record>(*r));
          call->fail(r.error().code == errc::not_found ? missing : r.error());
        });
      });
}

}  // namespace troupe::transport
