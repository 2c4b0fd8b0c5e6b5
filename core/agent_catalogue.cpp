#include "core/agent_catalogue.hpp"

#include "core/config.hpp"

#include <algorithm>

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
  std::lock_guard lock(writing_);
  auto found = std::find_if(former_.rbegin(), former_.rend(), [&](const auto& kept) {
    return kept.first == hash && kept.second->id == agent && kept.second->project == project;
  });
  return found == former_.rend() ? nullptr : found->second;
}

void agent_catalogue::publish(const project_id& project, const agent_id& agent, stored_agent newest) {
  std::lock_guard lock(writing_);
  auto next = std::make_shared<contents>(*all());
  auto& place = (*next)[project][agent];
  if (place.version > newest.version) return;
  if (place.agent) keep(place.agent->hash, place.agent);
  place = std::move(newest);
  all_.store(std::move(next));
}

void agent_catalogue::keep_version(std::uint64_t hash, agent_ptr agent) {
  std::lock_guard lock(writing_);
  keep(hash, std::move(agent));
}

void agent_catalogue::keep(std::uint64_t hash, agent_ptr agent) {
  former_.emplace_back(hash, std::move(agent));
  if (former_.size() > most_former) former_.pop_front();
}

}  // namespace troupe::core
