#include "actors/agent_loop.hpp"

#include "actors/agent_loop_core.hpp"
#include "actors/agent_tools.hpp"
#include "actors/delegation.hpp"

#include <algorithm>
#include <utility>

namespace troupe::actors {

using core::errc;
using core::run_phase;
using payloads = agent_loop_core::payloads;
using loop_pointer = agent_loop_core::self_pointer;

/// What the configuration does not allow to begin with.
std::optional<core::error> agent_loop_core::prepare() {
  const auto& agent = *s.order.agent;
  s.agent_tools = agent_tools(agent, *s.services->config, s.order.depth);
  s.answer_schema.reset();
  if (s.services->providers.count(agent.provider) == 0)
    return core::error{errc::configuration_error, "Provider not found: " + agent.provider.str()};
  if (agent.response_schema.empty()) return std::nullopt;
  auto compiled = tools::schema::compile(agent.response_schema);
  if (!compiled)
    return core::error{errc::configuration_error,
                       "The response_schema of agent " + agent.id.str() + " cannot be used: " + compiled.error().text};
  s.answer_schema.emplace(std::move(*compiled));
  return std::nullopt;
}

void agent_loop_core::finish(payloads facts) {
  remember(facts);
  self->send(s.session, finish_run{s.order.run, std::move(facts), std::move(s.order.history), s.order.model_calls});
  self->quit();
}

// ---- beginning ----

/// Sources of tools that are still starting are waited for; how long, they know themselves.
void agent_loop_core::wait_for_tools() {
  caf::weak_actor_ptr me{caf::actor_cast<caf::strong_actor_ptr>(self).get()};
  s.services->tools->when_ready(s.order.agent->tools, [me] {
    if (auto loop = me.lock()) caf::anon_send(caf::actor_cast<agent_loop_actor>(loop), tools_ready{});
  });
}

void agent_loop_core::on_tools_ready() {
  if (s.has_begun || s.machine.is_over()) return;
  s.has_begun = true;
  begin();
  for (auto& decision : std::exchange(s.early, {})) self->send(self, std::move(decision));
}

void agent_loop_core::begin() {
  const auto& before = s.order.before;
  s.was_asked_again = !repair_note().empty();
  if (before.active && before.step != 0 && !before.step_open) return resume_tools();
  s.message = s.order.reply;  // a step that runs again writes the same message again
  go_on(s.machine.begin());
}

/// Carries out what the machine decided.
void agent_loop_core::go_on(run_phase phase) {
  switch (phase) {
    case run_phase::calling_model:
      return call_model();
    case run_phase::failed:
      return fail({errc::iteration_limit,
                   "The agent stopped after " + std::to_string(s.machine.step()) + " steps, its limit (limits.max_steps)."});
    default:
      return;
  }
}

// ---- ends ----

/// What is still open gets its end, so that the history stays valid.
void agent_loop_core::close_open(payloads& facts, const std::string& why, const std::string& by) {
  if (!s.text.empty())
    facts.emplace_back(core::message_completed{
        s.order.run, s.machine.step(), s.message, std::move(s.text), {}, core::finish_reason::stop, true});
  for (auto& call : s.calls) {
    if (call.settled) continue;
    call.settled = true;
    if (call.invocation) self->send(call.invocation, stop_run{});
    if (!call.child.is_nil()) stop_sub_agent(s.order.directory, s.order.record, call.child);
    close_questions(call, core::decision::denied, why, by, facts);
    facts.emplace_back(core::tool_completed{s.order.run, call.asked.id, call.asked.tool, false, why, 0});
  }
}

void agent_loop_core::fail(core::error error, payloads facts) {
  close_open(facts, "The run failed before this call was carried out.");
  facts.emplace_back(core::run_failed{s.order.run, error.code, std::move(error.text), s.machine.step()});
  finish(std::move(facts));
}

void agent_loop_core::on_stop(const stop_run& m) {
  if (s.machine.is_over()) return;
  payloads facts;
  if (!s.model_call.is_nil()) {
    self->send(s.provider, cancel_model{s.model_call});
    if (s.bill.counted) add_usage(s.bill.counted, false, facts);
  }
  s.model_call = {};
  s.machine.stop();
  bool text_kept = !s.text.empty();
  close_open(facts, std::string(stopped_call_text), m.by);
  facts.emplace_back(core::run_cancelled{s.order.run, m.by, text_kept});
  finish(std::move(facts));
}

agent_loop_actor::behavior_type agent_loop(loop_pointer self, services_ptr services, session_actor session, run_order order) {
  auto& s = self->state;
  s.services = std::move(services);
  s.session = std::move(session);
  s.order = std::move(order);
  agent_loop_core loop{self};
  loop.adopt_calls();
  if (auto defect = loop.prepare())
    loop.fail(std::move(*defect));
  else
    loop.wait_for_tools();
  return {
      [self](model_delivery& m) { agent_loop_core{self}.on_output(m); },
      [self](tool_output& m) { agent_loop_core{self}.on_progress(m); },
      [self](tool_question& m) { agent_loop_core{self}.on_question(m); },
      [self](tool_outcome& m) { agent_loop_core{self}.on_result(m); },
      [self](approval_outcome& m) { agent_loop_core{self}.on_decision(m); },
      [self](const stop_run& m) { agent_loop_core{self}.on_stop(m); },
      [self](const tools_ready&) { agent_loop_core{self}.on_tools_ready(); },
  };
}

}  // namespace troupe::actors
