// The session and what people are asked: the actors of open questions, decisions, remembered approvals.
#include "actors/agent_tools.hpp"
#include "actors/approval.hpp"
#include "actors/session_core.hpp"
#include "actors/tool_policy.hpp"

#include <algorithm>

namespace troupe::actors {

using core::errc;

// ---- commands ----

void session_core::on_decide(const core::principal& by, core::decide_approval& c, reply_promise promise) {
  auto matches = [&](const core::approval_requested& a) {
    if (!c.approval.is_nil()) return a.approval == c.approval || a.origin_approval == c.approval;
    return c.call.empty() || a.call == c.call;
  };
  // Until its decision is on disk the approval's actor alone knows the winner.
  if (auto it = s.approvals.find(c.approval); it != s.approvals.end())
    return void(promise.delegate(it->second, decide{std::move(c), by}));
  for (const auto& open : s.turn.open_approvals) {
    if (!matches(open)) continue;
    // After a restart the actors of a run come with its history.
    if (!s.history_loaded)
      return with_history([self = self, by, c, promise]() mutable { session_core{self}.on_decide(by, c, promise); });
    if (auto it = s.approvals.find(open.approval); it != s.approvals.end())
      return void(promise.delegate(it->second, decide{std::move(c), by}));
  }
  if (c.approval.is_nil()) return refuse(promise, errc::approval_not_pending, "No approval is pending in this conversation.");
  look_up(core::get_approval{c.approval}, promise, [promise, id = c.approval](session_core me, const core::answer& a) mutable {
    const auto& known = std::get<core::approval_record>(a);
    if (known.session != me.s.id) return refuse(promise, errc::not_found, "Approval not found: " + id.str());
    if (!known.decision) return refuse(promise, errc::approval_not_pending, "The run of this approval is not in progress.");
    promise.deliver(core::command_reply{
        core::approval_settled{known.id, *known.decision, known.decided_by, known.note, false, false, known.choice}});
  });
}

void session_core::on_revoke_grant(const core::principal& by, const core::revoke_grant& c, reply_promise promise) {
  look_up(core::get_grant{c.grant}, promise, [by, promise, id = c.grant](session_core me, const core::answer& a) mutable {
    const auto& known = std::get<core::grant_record>(a);
    if (known.session != me.s.id) return refuse(promise, errc::not_found, "Remembered approval not found: " + id.str());
    if (known.grant.scope != core::grant_scope::session && !by.may(core::scope::admin))
      return refuse(promise, errc::forbidden,
                    "Only those with the scope \"admin\" may take back what is remembered beyond its session.");
    auto reply = reply_once_stored(promise, core::done{});
    if (known.revoked_at.count() != 0) return me.s.log.when_stored(std::move(reply));
    me.append({core::grant_revoked{id, by.id}}, [grants = me.s.services->grants, id, reply](const core::error* e) {
      if (!e) grants->revoke(id);
      reply(e);
    });
  });
}

// ---- open questions ----

void session_core::drop_late_decisions(payloads& facts) const {
  auto is_late = [&](const core::approval_id& id) {
    return std::none_of(s.turn.open_approvals.begin(), s.turn.open_approvals.end(),
                        [&](const auto& a) { return a.approval == id; });
  };
  std::erase_if(facts, [&](const core::event_payload& f) {
    if (const auto* d = std::get_if<core::approval_decided>(&f)) return is_late(d->approval);
    if (const auto* e = std::get_if<core::approval_endorsed>(&f)) return is_late(e->approval);
    if (const auto* g = std::get_if<core::grant_given>(&f)) return is_late(g->approval);
    return false;
  });
}

/// Ends the actors of questions that nobody needs to answer any more.
void session_core::close_approvals() {
  for (auto& [id, actor] : s.approvals) self->send_exit(actor, caf::exit_reason::user_shutdown);
  s.approvals.clear();
}

/// The question has its answer; its actor, unless that is where the answer comes from, is of no use any more.
void session_core::close_approval(const core::approval_id& id, const caf::strong_actor_ptr& answered_by) {
  auto it = s.approvals.find(id);
  if (it == s.approvals.end()) return;
  if (caf::actor_cast<caf::strong_actor_ptr>(it->second) != answered_by)
    self->send_exit(it->second, caf::exit_reason::user_shutdown);
  s.approvals.erase(it);
}

void session_core::open_approval(const core::approval_requested& request) {
  if (!s.run || !s.run->loop || s.approvals.count(request.approval) != 0) return;
  auto still_open = std::any_of(s.turn.open_approvals.begin(), s.turn.open_approvals.end(),
                                [&](const auto& a) { return a.approval == request.approval; });
  if (!still_open) return;
  approval_order order;
  order.request = request;
  for (const auto& e : s.turn.endorsements)
    if (e.approval == request.approval) order.endorsements.push_back(e);
  // A sub-agent's tool is shown with the agent's name before it.
  auto name = request.tool;
  if (auto colon = name.find(": "); !request.origin.is_nil() && colon != std::string::npos) name.erase(0, colon + 2);
  auto asking = s.run->agent->id == s.record.agent ? s.run->agent : agent();
  order.find_tool = [services = s.services, agent = std::move(asking), depth = s.record.depth, name]() -> tools::tool_ptr {
    if (auto found = services->tools->find(name)) return found;
    return agent ? find_tool(agent_tools(*agent, *services->config, depth), name) : nullptr;
  };
  s.approvals.emplace(request.approval, self->spawn(approval, s.services->environment, me(), s.run->loop, std::move(order)));
}

}  // namespace troupe::actors
