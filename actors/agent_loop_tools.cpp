// The agent loop and its tools: what may be called, intents before deeds, questions before both.
#include "actors/agent_loop_core.hpp"
#include "actors/agent_tools.hpp"
#include "actors/delegation.hpp"
#include "actors/tool_invocation.hpp"
#include "actors/tool_policy.hpp"
#include "tools/argument_tests.hpp"

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

/// Tool names that providers accept have no dots (DESIGN §6); adapters see to that.
std::shared_ptr<const std::vector<providers::tool_description>> describe(const std::vector<tools::tool_ptr>& tools) {
  auto out = std::make_shared<std::vector<providers::tool_description>>();
  for (const auto& t : tools) out->push_back({t->spec().name, t->spec().description, t->spec().parameters});
  return out;
}

}  // namespace

void agent_loop_core::select_tools() {
  auto now = tools_of(*s.services->tools, *s.order.agent, s.agent_tools);
  if (s.tools && now == s.toolset) return;
  s.toolset = std::move(now);
  s.tools = describe(s.toolset);
}

tools::tool_ptr agent_loop_core::find_tool(const std::string& name) const { return actors::find_tool(s.toolset, name); }

/// Intents, refusals and questions of one step are one group of facts: a restart finds all of them or none.
void agent_loop_core::start_calls(std::vector<core::tool_call> asked, payloads facts) {
  std::vector<std::size_t> refused;
  payloads results, questions;
  for (auto& a : asked) {
    auto i = s.calls.size();
    agent_loop_state::call call{std::move(a)};
    call.input = logged_input(call.asked.arguments);
    core::tool_started started{s.order.run, call.asked.id, call.asked.tool, call.input, core::effect::read_only};
    auto refuse = [&](std::string why) {
      results.emplace_back(core::tool_completed{s.order.run, call.asked.id, call.asked.tool, false, std::move(why), 0});
      refused.push_back(i);
    };
    auto tool = find_tool(call.asked.tool);
    if (tool) started.effect = tool->spec().effect;
    if (!tool) {
      refuse("Tool not found: " + call.asked.tool);
    } else if (auto arguments = tool->check(call.asked.arguments); !arguments) {
      refuse("Invalid arguments: " + arguments.error().text);
    } else {
      call.tool = tool;
      call.arguments = std::move(*arguments);
      if (tool->spec().name == delegate_tool)
        call.child = started.child = child_session_of(s.order.session, s.order.run, s.machine.step(), call.asked.id);
      auto demand = demand_of(*s.order.agent, tool->spec(), call.arguments);
      if (demand.asks && demand.may_be_remembered()) {
        auto record = s.order.record;
        record.agent = s.order.agent->id;
        if (auto grant = s.services->grants->find(record, tool->spec().name, call.arguments, now())) {
          started.allowed_by = *grant;
          demand.asks = false;
        }
      }
      if (demand.asks) {
        auto question = question_about(call, core::approval_kind::tool);
        question.risk = demand.risk;
        question.deciders = demand.deciders;
        if (demand.not_requester) question.not_by = s.order.by.id;
        call.questions.push_back({question.approval, question.kind});
        questions.emplace_back(std::move(question));
      }
    }
    facts.emplace_back(std::move(started));
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
    if (!call.tool || call.settled) continue;
    if (!call.questions.empty())
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

/// The call's `arguments` fit its tool.
void agent_loop_core::run_call(std::size_t i) {
  auto& call = s.calls[i];
  const auto& spec = call.tool->spec();
  if (spec.mode == tools::tool_mode::actors) return spec.name == read_output_tool ? read_output(i) : run_agent_tool(i);
  tools::tool_context context;
  context.session = s.order.session;
  context.call = call.asked.id;
  context.trace = s.order.trace;
  context.idempotency_key = s.order.run.str() + "/" + std::to_string(s.machine.step()) + "/" + call.asked.id.str();
  context.workspace = s.services->workspaces / s.order.session.str();
  context.environment = s.services->environment;
  auto limit = time_limit_of(*s.services->config, *s.order.agent, spec);
  call.invocation =
      self->spawn<caf::linked>(tool_invocation, s.services, me(), std::move(context), call.tool, call.arguments, limit);
}

std::optional<std::size_t> agent_loop_core::find_open(const core::tool_call_id& id) const {
  for (std::size_t i = 0; i < s.calls.size(); ++i)
    if (s.calls[i].asked.id == id && !s.calls[i].settled) return i;
  return std::nullopt;
}

}  // namespace troupe::actors
