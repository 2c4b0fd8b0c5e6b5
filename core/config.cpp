#include "core/config.hpp"

namespace troupe::core {

std::shared_ptr<const agent_config> config::find_agent(const project_id& project, const agent_id& agent) const {
  auto p = projects.find(project.empty() ? default_project : project);
  if (p == projects.end()) return nullptr;
  auto a = p->second.agents.find(agent.empty() ? p->second.default_agent : agent);
  return a == p->second.agents.end() ? nullptr : a->second;
}

}  // namespace troupe::core
