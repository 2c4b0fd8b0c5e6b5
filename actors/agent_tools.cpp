#include "actors/agent_tools.hpp"

#include <boost/json/serialize.hpp>

namespace troupe::actors {

namespace json = boost::json;

namespace {

/// A delegated task may take as long as the sub-agent's own limits let it, questions to people apart.
constexpr std::chrono::hours longest_delegation{1};

std::string list_of(const std::vector<core::agent_id>& ids, const core::project_id& project, const core::config& config) {
  std::string out;
  for (const auto& id : ids) {
    auto agent = config.find_agent(project, id);
    if (!agent) continue;
    out += "\n- " + id.str() + (agent->description.empty() ? "" : ": " + agent->description);
  }
  return out;
}

/// The schema of an object with the agent's name and one text.
std::string schema_of(const std::vector<core::agent_id>& ids, std::string_view text, std::string_view meaning, bool is_needed) {
  json::array names;
  for (const auto& id : ids) names.emplace_back(id.str());
  json::array required{"agent"};
  if (is_needed) required.emplace_back(text);
  json::object properties{{"agent", {{"type", "string"}, {"enum", std::move(names)}}},
                          {text, {{"type", "string"}, {"description", meaning}}}};
  if (is_needed) properties.at(text).as_object()["minLength"] = 1;
  return json::serialize(json::object{{"type", "object"},
                                      {"properties", std::move(properties)},
                                      {"required", std::move(required)},
                                      {"additionalProperties", false}});
}

tools::tool_ptr make(tools::tool_spec spec) {
  spec.mode = tools::tool_mode::actors;
  spec.source = "agents";
  auto made = std::make_shared<tools::tool>(std::move(spec));
  return made->prepare() ? made : nullptr;
}

}  // namespace

std::vector<tools::tool_ptr> agent_tools(const core::agent_config& agent, const core::config& config, std::uint32_t depth) {
  std::vector<tools::tool_ptr> out;
  if (!agent.delegates.empty() && depth < agent.limits.max_depth) {
    tools::tool_spec spec;
    spec.name = delegate_tool;
    spec.description =
        "Gives a task to another agent and waits for its answer. It sees nothing of this conversation but the task." +
        list_of(agent.delegates, agent.project, config);
    spec.parameters = schema_of(agent.delegates, "task", "All that the agent needs to know.", true);
    // The session of the sub-agent is the same one again: asked twice, it works once.
    spec.effect = core::effect::idempotent;
    spec.time_limit = longest_delegation;
    out.push_back(make(std::move(spec)));
  }
  if (!agent.handoffs.empty()) {
    tools::tool_spec spec;
    spec.name = handoff_tool;
    spec.description = "Passes the conversation on to another agent, which answers from here on." +
                       list_of(agent.handoffs, agent.project, config);
    spec.parameters = schema_of(agent.handoffs, "note", "What the other agent should know besides the conversation.", false);
    spec.effect = core::effect::idempotent;
    out.push_back(make(std::move(spec)));
  }
  return out;
}

}  // namespace troupe::actors
