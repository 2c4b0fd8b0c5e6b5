// The agent loop and its tools: intents before deeds, approvals, results.
#include "actors/agent_loop_core.hpp"
#include "actors/tool_invocation.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace troupe::actors {

using payloads = agent_loop_core::payloads;

namespace {

/// What the log keeps as input: the arguments where they are JSON (as the log writes JSON, without its blanks), else the
/// model's text as a JSON string.
std::string logged_input(const std::string& arguments) {
  if (arguments.empty()) return "{}";
  boost::system::error_code error;
  auto value = boost::json::parse(arguments, error, {}, {.max_depth = 64});
  return boost::json::serialize(error ? boost::json::value(arguments) : value);
}

}  // namespace

bool agent_loop_core::needs_approval(const tools::tool& tool) const {
  const auto& policy = s.order.agent->approval;
  auto it = policy.find(tool.spec().name);
  return (it == policy.end() ? tool.spec().approval : it->second) == core::approval_policy::always;
}

bool agent_loop_core::may_use(const std::string& tool) const {
  const auto& allowed = s.order.agent->tools;
  return std::find(allowed.begin(), allowed.end(), tool) != allowed.end();
}

/// Intents, refusals and questions of one step are one group of facts: a restart finds all of them or none.
void agent_loop_core::start_calls(std::vector<core::tool_call> asked, payloads facts) {
  std::vector<std::size_t> refused;
  payloads results, questions;
  for (auto& a : asked) {
    auto i = s.calls.size();
    agent_loop_state::call call{std::move(a), nullptr, {}, {}, false, {}};
    auto input = logged_input(call.asked.arguments);
    auto refuse = [&](std::string why) {
      results.emplace_back(core::tool_completed{s.order.run, call.asked.id, call.asked.tool, false, std::move(why), 0});
      refused.push_back(i);
    };
    const auto* tool = may_use(call.asked.tool) ? s.services->tools->find(call.asked.tool) : nullptr;
    auto effect = tool ? tool->spec().effect : core::effect::read_only;
    facts.emplace_back(core::tool_started{s.order.run, call.asked.id, call.asked.tool, input, effect});
    if (!tool) {
      refuse("Tool not found: " + call.asked.tool);
    } else if (auto arguments = s.services->tools->check(*tool, call.asked.arguments); !arguments) {
      refuse("Invalid arguments: " + arguments.error().text);
    } else {
      call.tool = tool;
      call.arguments = std::move(*arguments);
      if (needs_approval(*tool)) {
        call.question = s.services->environment->make<core::approval_id>();
        questions.emplace_back(core::approval_requested{s.order.run, call.question, call.asked.id, call.asked.tool, input,
                                                        core::approval_kind::tool, tool->spec().risk,
                                                        now() + s.order.agent->limits.approval_timeout});
      }
    }
    s.calls.push_back(std::move(call));
  }
  std::move(results.begin(), results.end(), std::back_inserter(facts));
  std::move(questions.begin(), questions.end(), std::back_inserter(facts));
  tell_and(std::move(facts), [this_loop = *this, refused = std::move(refused)]() mutable { this_loop.dispatch(refused); });
}

void agent_loop_core::dispatch(const std::vector<std::size_t>& refused) {
  if (s.machine.is_over()) return;
  for (std::size_t i = 0; i < s.calls.size(); ++i) {
    auto& call = s.calls[i];
    if (!call.tool) continue;
    if (!call.question.is_nil())
      s.machine.call_waits(i);
    else
      run_call(i);
  }
  // Last, because the final result of a step starts the next one.
  auto phase = s.machine.phase();
  for (auto i : refused) {
    s.calls[i].settled = true;
    phase = s.machine.call_settled(i);
  }
  if (!refused.empty()) go_on(phase);
}

void agent_loop_core::run_call(std::size_t i) {
  auto& call = s.calls[i];
  tools::tool_context context;
  context.session = s.order.session;
  context.call = call.asked.id;
  context.idempotency_key = s.order.run.str() + "/" + std::to_string(s.machine.step()) + "/" + call.asked.id.str();
  context.workspace = s.services->workspaces / s.order.session.str();
  context.environment = s.services->environment;
  auto limit = std::min(call.tool->spec().time_limit, s.order.agent->limits.tool_timeout);
  call.invocation =
      self->spawn<caf::linked>(tool_invocation, s.services, me(), std::move(context), call.tool, call.arguments, limit);
}

std::optional<std::size_t> agent_loop_core::find_open(const core::tool_call_id& id) const {
  for (std::size_t i = 0; i < s.calls.size(); ++i)
    if (s.calls[i].asked.id == id && !s.calls[i].settled) return i;
  return std::nullopt;
}

void agent_loop_core::settle(std::size_t i, core::tool_completed result) {
  auto& call = s.calls[i];
  call.settled = true;
  call.invocation = tool_invocation_actor();
  tell({std::move(result)});
  go_on(s.machine.call_settled(i));
}

void agent_loop_core::on_result(tool_outcome& m) {
  auto i = find_open(m.call);
  if (!i || s.machine.is_over()) return;
  settle(*i, {s.order.run, m.call, s.calls[*i].asked.tool, m.ok, std::move(m.output), m.ms});
}

std::string refusal_text(core::decision said, const std::string& note) {
  if (said == core::decision::expired) return "Nobody approved this call in time; it was not carried out.";
  return "The user denied this call; it was not carried out." + (note.empty() ? "" : " Note: " + note);
}

void agent_loop_core::on_decision(const approval_outcome& m) {
  auto i = find_open(m.call);
  if (!i || s.machine.is_over()) return;
  auto& call = s.calls[*i];
  call.question = {};
  auto refuse = [&](std::string why) { settle(*i, {s.order.run, m.call, call.asked.tool, false, std::move(why), 0}); };
  if (m.decision != core::decision::approved) return refuse(refusal_text(m.decision, m.note));
  if (!call.tool) return refuse("Tool not found: " + call.asked.tool);
  if (!m.edited_input.empty()) {
    auto edited = s.services->tools->check(*call.tool, m.edited_input);
    if (!edited) return refuse("Invalid arguments after editing: " + edited.error().text);
    call.arguments = std::move(*edited);
  }
  s.machine.call_released(*i);
  run_call(*i);
}

}  // namespace troupe::actors
