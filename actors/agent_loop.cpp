#include "actors/agent_loop.hpp"

#include "actors/agent_loop_core.hpp"

#include <algorithm>

namespace troupe::actors {

using core::errc;
using core::run_phase;
using payloads = agent_loop_core::payloads;
using self_pointer = agent_loop_core::self_pointer;

namespace {

/// Tool names that providers accept have no dots (DESIGN §6).
std::shared_ptr<const std::vector<providers::tool_description>> describe(const tools::toolbox& box,
                                                                         const core::agent_config& agent) {
  auto out = std::make_shared<std::vector<providers::tool_description>>();
  for (const auto& name : agent.tools)
    if (const auto* tool = box.find(name))
      out->push_back({tool->spec().name, tool->spec().description, tool->spec().parameters});
  return out;
}

/// What the configuration does not allow to begin with.
std::optional<core::error> prepare(agent_loop_state& s) {
  const auto& agent = *s.order.agent;
  s.tools = describe(*s.services->tools, agent);
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

}  // namespace

void agent_loop_core::finish(payloads facts) {
  remember(facts);
  self->send(s.session, finish_run{s.order.run, std::move(facts), std::move(s.order.history), s.order.model_calls});
  self->quit();
}

// ---- beginning ----

void agent_loop_core::begin() {
  const auto& before = s.order.before;
  s.tokens = before.tokens;
  s.cost = before.cost;
  for (const auto& c : before.calls) s.used_call_ids.push_back(c.id);
  s.was_asked_again = !repair_note().empty();
  if (!before.active || before.step == 0 || before.step_open) {
    s.message = s.order.reply;  // a step that runs again writes the same message again
    s.machine = core::run_machine(s.order.agent->limits.max_steps, before.step == 0 ? 0 : before.step - 1);
    go_on(s.machine.begin());
    return;
  }
  resume_tools();
}

/// A restart came between the model's answer and the last result: what may run again does, the rest is settled.
void agent_loop_core::resume_tools() {
  const auto& before = s.order.before;
  s.last_message = before.reply;
  s.machine = core::run_machine(s.order.agent->limits.max_steps, before.step);
  std::vector<core::call_state> states;
  payloads facts;
  std::vector<std::size_t> again;
  for (auto i = before.step_calls_from; i < before.calls.size(); ++i) {
    const auto& c = before.calls[i];
    agent_loop_state::call call{{c.id, c.tool, c.input}, s.services->tools->find(c.tool), {}, {}, c.settled, {}};
    auto question =
        std::find_if(before.open_approvals.begin(), before.open_approvals.end(), [&](const auto& a) { return a.call == c.id; });
    bool waits = question != before.open_approvals.end();
    if (!c.settled && c.decided && *c.decided != core::decision::approved) {
      facts.emplace_back(core::tool_completed{s.order.run, c.id, c.tool, false, refusal_text(*c.decided, c.note), 0});
      call.settled = true;
    } else if (!c.settled && !waits) {
      auto arguments =
          call.tool ? s.services->tools->check(*call.tool, c.input) : core::result<boost::json::object>(core::error{});
      if (c.effect == core::effect::once || !arguments) {
        facts.emplace_back(core::tool_outcome_unknown{s.order.run, c.id, c.tool});
        facts.emplace_back(core::tool_completed{s.order.run, c.id, c.tool, false,
                                                "Outcome unknown: the server stopped while this call ran. It may or may "
                                                "not have taken effect; it was not run again.",
                                                0});
        call.settled = true;
      } else {
        call.arguments = std::move(*arguments);
        again.push_back(s.calls.size());
      }
    }
    if (waits) call.question = question->approval;
    if (waits && call.tool)
      if (auto arguments = s.services->tools->check(*call.tool, c.input)) call.arguments = std::move(*arguments);
    states.push_back(call.settled ? core::call_state::settled : waits ? core::call_state::waiting : core::call_state::started);
    s.calls.push_back(std::move(call));
  }
  if (!facts.empty()) tell(std::move(facts));
  // The result of every call that the log lacks but that is settled now was told above; nothing is run before.
  auto phase = s.machine.resume_calls(std::move(states));
  for (auto i : again) run_call(i);
  if (phase != run_phase::running_tools && phase != run_phase::parked) go_on(phase);
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
    if (!call.question.is_nil())
      facts.emplace_back(
          core::approval_decided{s.order.run, call.question, call.asked.id, core::decision::denied, by, why, {}});
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
  if (!s.model_call.is_nil()) self->send(s.provider, cancel_model{s.model_call});
  s.model_call = {};
  s.machine.stop();
  payloads facts;
  bool text_kept = !s.text.empty();
  close_open(facts, "The user stopped the run before this call had a result.", m.by);
  facts.emplace_back(core::run_cancelled{s.order.run, m.by, text_kept});
  finish(std::move(facts));
}

agent_loop_actor::behavior_type agent_loop(self_pointer self, services_ptr services, session_actor session, run_order order) {
  auto& s = self->state;
  s.services = std::move(services);
  s.session = std::move(session);
  s.order = std::move(order);
  if (auto defect = prepare(s))
    agent_loop_core{self}.fail(std::move(*defect));
  else
    agent_loop_core{self}.begin();
  return {
      [self](model_delivery& m) { agent_loop_core{self}.on_output(m); },
      [self](tool_outcome& m) { agent_loop_core{self}.on_result(m); },
      [self](const approval_outcome& m) { agent_loop_core{self}.on_decision(m); },
      [self](const stop_run& m) { agent_loop_core{self}.on_stop(m); },
  };
}

}  // namespace troupe::actors
