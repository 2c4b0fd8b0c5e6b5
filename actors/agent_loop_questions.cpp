// The agent loop and people: what they are asked about calls, what follows from what they say.
#include "actors/agent_loop_core.hpp"
#include "tools/argument_tests.hpp"
#include "tools/schema.hpp"

#include <algorithm>

namespace troupe::actors {

using payloads = agent_loop_core::payloads;

namespace {

constexpr std::string_view not_run_again =
    "Outcome unknown: the server stopped while this call ran. It may or may not have taken effect; it was not run again.";
constexpr std::string_view any_object = R"({"type":"object"})";

}  // namespace

std::string refusal_text(core::decision said, const std::string& note) {
  if (said == core::decision::expired) return "Nobody approved this call in time; it was not carried out.";
  return "The user denied this call; it was not carried out." + (note.empty() ? "" : " Note: " + note);
}

core::tool_completed result_of_choice(core::outcome_choice said, const std::string& note) {
  core::tool_completed result;
  result.ok = said == core::outcome_choice::done;
  if (result.ok)
    result.output = note.empty() ? "The server stopped while this call ran; the user says that it took effect." : note;
  else
    result.output = std::string(not_run_again) + (note.empty() ? "" : " Note of the user: " + note);
  return result;
}

core::approval_requested agent_loop_core::question_about(const agent_loop_state::call& call, core::approval_kind kind) const {
  core::approval_requested out;
  out.run = s.order.run;
  out.approval = s.services->environment->make<core::approval_id>();
  out.call = call.asked.id;
  out.tool = call.asked.tool;
  out.action = call.input;
  out.kind = kind;
  if (call.tool) out.risk = call.tool->spec().risk;
  out.expires_at = now() + s.order.agent->limits.approval_timeout;
  if (kind != core::approval_kind::input) out.arguments_hash = tools::arguments_hash(call.arguments);
  return out;
}

void agent_loop_core::ask_about_outcome(agent_loop_state::call& call, payloads& facts) const {
  auto question = question_about(call, core::approval_kind::outcome_unknown);
  call.questions.push_back({question.approval, question.kind});
  facts.emplace_back(core::tool_outcome_unknown{s.order.run, call.asked.id, call.asked.tool});
  facts.emplace_back(std::move(question));
}

void agent_loop_core::close_questions(agent_loop_state::call& call, core::decision as, const std::string& why,
                                      const std::string& by, payloads& facts) const {
  for (const auto& q : std::exchange(call.questions, {})) {
    core::approval_decided closed;
    closed.run = s.order.run;
    closed.approval = q.approval;
    closed.call = call.asked.id;
    closed.decision = as;
    closed.by = by;
    closed.note = why;
    if (q.kind == core::approval_kind::outcome_unknown) closed.choice = core::outcome_choice::failed;
    facts.emplace_back(std::move(closed));
  }
}

/// A call that runs wants to know something, or its sub-agent has asked and this is where people look.
void agent_loop_core::on_question(tool_question& m) {
  auto i = find_open(m.call);
  if (!i || s.machine.is_over()) return;
  auto& call = s.calls[*i];
  if (!m.what.origin.is_nil()) {
    bool is_open = std::any_of(call.questions.begin(), call.questions.end(),
                               [&](const auto& q) { return q.origin == m.what.origin_approval; });
    if (is_open) return;  // from before a restart: it waits for the same decision
  }
  auto asked = m.what.origin.is_nil() ? question_about(call, core::approval_kind::input) : std::move(m.what);
  if (asked.origin.is_nil()) {
    asked.prompt = std::move(m.what.prompt);
    asked.schema = m.what.schema.empty() ? std::string(any_object) : std::move(m.what.schema);
    if (!tools::schema::compile(asked.schema)) {
      // Nobody could answer it.
      core::approval_decided declined;
      declined.call = m.call;
      if (call.invocation) self->send(call.invocation, tool_answer{std::move(declined)});
      return;
    }
  } else {
    asked.run = s.order.run;
    asked.call = m.call;
    asked.approval = s.services->environment->make<core::approval_id>();
  }
  call.questions.push_back({asked.approval, asked.kind, asked.origin_approval});
  s.machine.call_waits(*i);
  tell({std::move(asked)});
}

void agent_loop_core::on_decision(approval_outcome& m) {
  if (s.machine.is_over()) return;
  if (!s.has_begun) return s.early.push_back(std::move(m));
  auto i = find_open(m.what.call);
  if (!i) return;
  auto& call = s.calls[*i];
  auto question =
      std::find_if(call.questions.begin(), call.questions.end(), [&](const auto& q) { return q.approval == m.what.approval; });
  if (question == call.questions.end()) return;
  auto asked = *question;
  call.questions.erase(question);
  if (asked.is_of_invocation()) {
    if (!asked.origin.is_nil()) m.what.approval = asked.origin;
    if (call.invocation) self->send(call.invocation, tool_answer{std::move(m.what)});
    if (call.questions.empty()) s.machine.call_released(*i);
    return;
  }
  if (asked.kind == core::approval_kind::outcome_unknown && m.what.choice != core::outcome_choice::retry) {
    auto result = result_of_choice(m.what.choice, m.what.note);
    return settle(*i, result.ok, std::move(result.output));
  }
  if (m.what.decision != core::decision::approved) return settle(*i, false, refusal_text(m.what.decision, m.what.note));
  run_approved(*i, m.what);
}

/// What was approved is what runs: to the letter, or not at all.
void agent_loop_core::run_approved(std::size_t i, const core::approval_decided& said) {
  auto& call = s.calls[i];
  if (!call.tool) {
    select_tools();  // it may have come since the restart
    call.tool = find_tool(call.asked.tool);
  }
  if (!call.tool) return settle(i, false, "Tool not found: " + call.asked.tool);
  if (!said.edited_input.empty()) call.input = said.edited_input;
  auto arguments = call.tool->check(call.input);
  if (!arguments)
    return settle(
        i, false,
        (said.edited_input.empty() ? "Invalid arguments: " : "Invalid arguments after editing: ") + arguments.error().text);
  if (tools::arguments_hash(*arguments) != said.arguments_hash)
    return settle(i, false, "The arguments are not those that were approved; the call was not carried out.");
  call.arguments = std::move(*arguments);
  s.machine.call_released(i);
  run_call(i);
}

}  // namespace troupe::actors
