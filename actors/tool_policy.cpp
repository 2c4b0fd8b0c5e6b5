#include "actors/tool_policy.hpp"

#include "tools/argument_tests.hpp"
#include "tools/builtin.hpp"

#include <algorithm>

namespace troupe::actors {

namespace {

tools::tool_ptr reader_of_outputs() {
  static const tools::tool_ptr made = [] {
    auto t = tools::make_read_output();
    return t->prepare() ? tools::tool_ptr(std::move(t)) : nullptr;
  }();
  return made;
}

const core::tool_approval* entry_for(const core::agent_config& agent, const tools::tool_spec& tool) {
  auto find = [&](const std::string& key) {
    auto it = agent.approval.find(key);
    return it == agent.approval.end() ? nullptr : &it->second;
  };
  if (const auto* named = find(tool.name)) return named;
  if (tool.name == read_output_tool) return nullptr;
  if (const auto* of_source = find(tool.source)) return of_source;
  return find("*");
}

}  // namespace

std::vector<tools::tool_ptr> tools_of(const tools::toolbox& box, const core::agent_config& agent,
                                      const std::vector<tools::tool_ptr>& own) {
  auto out = box.select(agent.tools);
  auto add = [&](const tools::tool_ptr& t) {
    if (t && !find_tool(out, t->spec().name)) out.push_back(t);
  };
  for (const auto& t : own) add(t);
  bool may_say_much =
      std::any_of(out.begin(), out.end(), [](const auto& t) { return t->spec().mode != tools::tool_mode::instant; });
  if (may_say_much) add(reader_of_outputs());
  return out;
}

tools::tool_ptr find_tool(const std::vector<tools::tool_ptr>& among, std::string_view name) {
  auto it = std::find_if(among.begin(), among.end(), [&](const auto& t) { return t->spec().name == name; });
  return it == among.end() ? nullptr : *it;
}

tool_demand demand_of(const core::agent_config& agent, const tools::tool_spec& tool, const boost::json::object& arguments) {
  tool_demand out;
  out.risk = tool.risk;
  auto policy = tool.approval;
  if (const auto* entry = entry_for(agent, tool)) {
    out.deciders = std::max(1U, entry->deciders);
    out.not_requester = entry->not_requester;
    if (entry->policy) policy = *entry->policy;
    if (!entry->risk.empty()) out.risk = entry->risk;
    auto rule = std::find_if(entry->rules.begin(), entry->rules.end(),
                             [&](const core::approval_rule& r) { return tools::fits(r.when, arguments); });
    if (rule != entry->rules.end()) {
      policy = rule->policy;
      if (!rule->risk.empty()) out.risk = rule->risk;
    }
  }
  out.asks = policy == core::approval_policy::always ||
             (policy == core::approval_policy::by_effect && tool.effect == core::effect::once);
  return out;
}

std::chrono::milliseconds time_limit_of(const core::config& config, const core::agent_config& agent,
                                        const tools::tool_spec& tool) {
  if (tool.source == "builtin") return std::min(tool.time_limit, agent.limits.tool_timeout);
  auto is_declared = [&](const std::string& key) {
    auto it = config.tools.find(key);
    return it != config.tools.end() && it->second.time_limit;
  };
  return is_declared(tool.name) || is_declared(tool.source) ? tool.time_limit : agent.limits.tool_timeout;
}

}  // namespace troupe::actors
