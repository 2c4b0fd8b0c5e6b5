// The agent loop after a restart that came between the model's answer and the last result (DESIGN §6): what may run again does,
// what may have taken effect and must not do so twice is put to a person.
#include "actors/agent_loop_core.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>

namespace troupe::actors {

using core::approval_kind;
using core::outcome_choice;
using core::run_phase;
using payloads = agent_loop_core::payloads;

void agent_loop_core::adopt_calls() {
  const auto& before = s.order.before;
  s.tokens = before.tokens;
  s.cost = before.cost;
  for (const auto& c : before.calls) s.used_call_ids.push_back(c.id);
  bool asks_again = !before.active || before.step == 0 || before.step_open;
  auto steps_done = asks_again && before.step > 0 ? before.step - 1 : before.step;
  s.machine = core::run_machine(s.order.agent->limits.max_steps, steps_done);
  if (asks_again) return;
  s.last_message = before.reply;
  for (auto i = before.step_calls_from; i < before.calls.size(); ++i) {
    const auto& was = before.calls[i];
    agent_loop_state::call call{{was.id, was.tool, was.input}};
    call.input = was.input;
    call.child = was.child;
    call.settled = was.settled;
    for (const auto& open : before.open_approvals)
      if (open.call == was.id) call.questions.push_back({open.approval, open.kind, open.origin_approval});
    s.calls.push_back(std::move(call));
  }
}

void agent_loop_core::resume_tools() {
  const auto& before = s.order.before;
  select_tools();
  std::vector<core::call_state> states;
  payloads facts;
  std::vector<std::size_t> again;
  for (std::size_t i = 0; i < s.calls.size(); ++i) {
    auto& call = s.calls[i];
    call.tool = find_tool(call.asked.tool);
    boost::system::error_code broken;
    auto input = boost::json::parse(call.input, broken, {}, {.max_depth = 64});
    if (!broken && input.is_object()) call.arguments = std::move(input.get_object());
    if (!call.settled) resume_call(i, before.calls[before.step_calls_from + i], facts, again);
    states.push_back(call.settled             ? core::call_state::settled
                     : call.questions.empty() ? core::call_state::started
                                              : core::call_state::waiting);
  }
  if (!facts.empty()) tell(std::move(facts));
  // The result of every call that the log lacks but that is settled now was told above; nothing is run before.
  auto phase = s.machine.resume_calls(std::move(states));
  for (auto i : again)
    if (!s.calls[i].settled) run_call(i);
  if (phase != run_phase::running_tools && phase != run_phase::parked) go_on(phase);
}

void agent_loop_core::resume_call(std::size_t i, const core::turn_call& was, payloads& facts, std::vector<std::size_t>& again) {
  auto& call = s.calls[i];
  auto settle_as = [&](bool ok, std::string output) {
    facts.emplace_back(core::tool_completed{s.order.run, was.id, was.tool, ok, std::move(output), 0});
    call.settled = true;
  };
  // Who asked is gone, and with it what it wanted to know. A sub-agent asks the same again.
  auto is_void = [](const auto& q) { return q.kind == approval_kind::input && q.origin.is_nil(); };
  agent_loop_state::call asked_in_vain;
  asked_in_vain.asked = call.asked;
  std::copy_if(call.questions.begin(), call.questions.end(), std::back_inserter(asked_in_vain.questions), is_void);
  std::erase_if(call.questions, is_void);
  close_questions(asked_in_vain, core::decision::expired, "The server stopped while the call waited for an answer.", {}, facts);

  bool waits = std::any_of(call.questions.begin(), call.questions.end(), [](const auto& q) { return q.origin.is_nil(); });
  if (waits) return;
  if (was.choice == outcome_choice::done || was.choice == outcome_choice::failed) {
    auto result = result_of_choice(was.choice, was.note);
    return settle_as(result.ok, std::move(result.output));
  }
  if (was.decided && *was.decided != core::decision::approved) return settle_as(false, refusal_text(*was.decided, was.note));
  if (was.effect == core::effect::once) return ask_about_outcome(call, facts);
  if (!call.tool) return settle_as(false, "The server stopped while this call ran, and the tool is not there any more.");
  auto arguments = call.tool->check(call.input);
  if (!arguments) return settle_as(false, "Invalid arguments: " + arguments.error().text);
  call.arguments = std::move(*arguments);
  again.push_back(i);
}

}  // namespace troupe::actors
