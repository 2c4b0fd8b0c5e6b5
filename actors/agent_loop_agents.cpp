// The agent loop and other agents: giving one a task, handing the conversation over.
#include "actors/agent_loop_core.hpp"
#include "actors/agent_tools.hpp"
#include "actors/delegation.hpp"

namespace troupe::actors {

namespace {

std::string text_of(const boost::json::object& arguments, std::string_view key) {
  const auto* value = arguments.if_contains(key);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

}  // namespace

void agent_loop_core::run_agent_tool(std::size_t i) {
  auto& call = s.calls[i];
  const core::agent_id agent{text_of(call.arguments, "agent")};
  auto found = s.services->config->find_agent(s.order.agent->project, agent);
  if (!found || agent.empty()) return settle(i, false, "There is no agent " + agent.str() + " any more.");
  if (call.tool->spec().name == handoff_tool) return hand_over(i, std::move(found));
  delegation_order order;
  order.call = call.asked.id;
  order.child = call.child;
  order.parent = s.order.record;
  order.agent = agent;
  order.task = text_of(call.arguments, "task");
  call.invocation = self->spawn<caf::linked>(delegation, s.services, s.order.directory, me(), std::move(order));
}

/// From the next step on the other agent answers, in the same run.
void agent_loop_core::hand_over(std::size_t i, std::shared_ptr<const core::agent_config> next) {
  const auto& call = s.calls[i];
  const auto note = text_of(call.arguments, "note");
  const auto from = s.order.agent->id;
  core::agent_changed change{s.order.run, next->id, note};
  auto output = from.str() + " passed the conversation on to " + next->id.str() + "." + (note.empty() ? "" : " Note: " + note);
  core::tool_completed result{s.order.run, call.asked.id, call.asked.tool, true, std::move(output), 0};
  s.order.agent = std::move(next);
  s.choice = 0;
  s.tried.clear();
  auto defect = prepare();
  if (defect) {
    s.calls[i].settled = true;
    return fail(std::move(*defect), {std::move(change), std::move(result)});
  }
  settle(i, std::move(result), {std::move(change)});
}

}  // namespace troupe::actors
