#include "core/agent_catalogue.hpp"

#include "core/config.hpp"

#include <utility>

namespace troupe::core {

std::shared_ptr<const agent_catalogue::by_agent> agent_catalogue::of(const project_id& project) const {
  static const auto none = std::make_shared<const by_agent>();
  auto now = all();
  auto found = now->find(project);
  return found == now->end() ? none : std::shared_ptr<const by_agent>(now, &found->second);
}

std::shared_ptr<const stored_agent> agent_catalogue::find(const project_id& project, const agent_id& agent) const {
  auto there = of(project);
  auto found = there->find(agent);
  return found == there->end() ? nullptr : std::shared_ptr<const stored_agent>(there, &found->second);
}

agent_ptr agent_catalogue::find_version(const project_id& project, const agent_id& agent, std::uint64_t hash) const {
  if (hash == 0) return nullptr;
  if (auto newest = find(project, agent); newest && newest->agent && newest->agent->hash == hash) return newest->agent;
  version_source source;
  {
    std::lock_guard lock(writing_);
    if (auto kept = find_kept(project, agent, hash)) return kept;
    source = source_;
  }
  if (!source) return nullptr;
  auto read = source(project, agent, hash);  // without the lock: it reads from the disk
  if (!read) return nullptr;
  std::lock_guard lock(writing_);
  if (auto kept = find_kept(project, agent, hash)) return kept;  // somebody else was faster: one of it is enough
  keep(project, agent, hash, read);
  return read;
}

void agent_catalogue::publish(const project_id& project, const agent_id& agent, stored_agent newest) {
  std::lock_guard lock(writing_);
  auto next = std::make_shared<contents>(*all());
  replace(*next, project, agent, std::move(newest));
  all_.store(std::move(next));
}

void agent_catalogue::publish(contents newest) {
  std::lock_guard lock(writing_);
  auto next = std::make_shared<contents>(*all());
  for (auto& [project, agents] : newest)
    for (auto& [id, agent] : agents) replace(*next, project, id, std::move(agent));
  all_.store(std::move(next));
}

void agent_catalogue::read_versions_from(version_source source) {
  std::lock_guard lock(writing_);
  source_ = std::move(source);
}

void agent_catalogue::replace(contents& all, const project_id& project, const agent_id& agent, stored_agent newest) {
  auto& place = all[project][agent];
  if (place.version > newest.version) return;
  if (place.agent && place.agent != newest.agent) keep(project, agent, place.agent->hash, place.agent);
  place = std::move(newest);
}

void agent_catalogue::keep(const project_id& project, const agent_id& id, std::uint64_t hash, const agent_ptr& agent) const {
  std::erase_if(former_, [](const former& f) { return f.agent.expired(); });
  former_.push_back({project, id, hash, agent});
}

agent_ptr agent_catalogue::find_kept(const project_id& project, const agent_id& id, std::uint64_t hash) const {
  for (auto f = former_.rbegin(); f != former_.rend(); ++f)
    if (f->hash == hash && f->id == id && f->project == project)
      if (auto agent = f->agent.lock()) return agent;
  return nullptr;
}

}  // namespace troupe::core
