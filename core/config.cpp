#include "core/config.hpp"

namespace troupe::core {

agent_ptr config::find_agent(const project_id& project, const agent_id& agent) const {
  auto p = projects.find(project.empty() ? default_project : project);
  if (p == projects.end()) return nullptr;
  const auto& id = agent.empty() ? p->second.default_agent : agent;
  if (auto a = p->second.agents.find(id); a != p->second.agents.end()) return a->second;
  auto made = stored->find(p->first, id);
  return made ? made->agent : nullptr;
}

agent_ptr config::find_agent(const project_id& project, const agent_id& agent, std::uint64_t hash) const {
  auto now = find_agent(project, agent);
  if (now && now->hash == hash) return now;
  auto former = stored->find_version(project.empty() ? default_project : project, agent, hash);
  return former ? former : now;
}

std::vector<agent_ptr> config::agents_of(const project_id& project) const {
  std::vector<agent_ptr> out;
  auto p = projects.find(project.empty() ? default_project : project);
  if (p == projects.end()) return out;
  auto all = p->second.agents;
  auto made = stored->of(p->first);
  for (const auto& [id, agent] : *made)
    if (agent.agent) all.emplace(id, agent.agent);
  out.reserve(all.size());
  for (auto& [id, agent] : all) out.push_back(std::move(agent));
  return out;
}

std::string config::problem_of_agent(const project_id& project, const agent_id& agent) const {
  auto made = stored->find(project.empty() ? default_project : project, agent);
  if (!made || made->deleted || made->problem.empty()) return {};
  return "Agent " + agent.str() + " is stored but cannot be used: " + made->problem;
}

std::string config::why_no_agent(const project_id& project, const agent_id& agent) const {
  auto problem = problem_of_agent(project, agent);
  return problem.empty() ? "Agent not found: " + agent.str().substr(0, 64) : problem;
}

}  // namespace troupe::core
