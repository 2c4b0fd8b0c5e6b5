// Agents that people made over REST, beside those of the configuration file. Readers on any thread take a snapshot and need
// no lock; one writer at a time (transport/agent_desk.cpp, at start app/stored_agents.cpp) publishes what is on disk already.
#pragma once

#include "core/event.hpp"
#include "core/ids.hpp"

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace troupe::core {

struct agent_config;
using agent_ptr = std::shared_ptr<const agent_config>;

/// The newest version of an id. That of a deleted one stays: its versions go on counting.
struct stored_agent {
  std::uint32_t version = 0;
  bool deleted = false;
  agent_ptr agent;      ///< null: deleted, or it cannot be used
  agent_ptr shown;      ///< of one that cannot be used, as much of it as could be read
  std::string problem;  ///< why it cannot be used
  std::string definition;
  millis updated_at{0};
  std::string updated_by;

  [[nodiscard]] bool is_listed() const noexcept { return !deleted; }
};

class agent_catalogue {
 public:
  using by_agent = std::map<agent_id, stored_agent>;
  using contents = std::map<project_id, by_agent>;
  /// So many versions that are no longer the newest are kept for the runs that began with them, over all agents.
  static constexpr std::size_t most_former = 1'000;

  [[nodiscard]] std::shared_ptr<const contents> all() const { return all_.load(); }
  /// Those of a project, deleted ones too; never null.
  [[nodiscard]] std::shared_ptr<const by_agent> of(const project_id& project) const;
  /// The newest; nothing where it was never stored. Deleted ones are found.
  [[nodiscard]] std::shared_ptr<const stored_agent> find(const project_id& project, const agent_id& agent) const;
  /// A version by the hash of its configuration (`agent_config::hash`), also one that is no longer the newest.
  [[nodiscard]] agent_ptr find_version(const project_id& project, const agent_id& agent, std::uint64_t hash) const;

  /// Takes the place of what is there, where its version is not below that one's.
  void publish(const project_id& project, const agent_id& agent, stored_agent newest);
  /// For runs that began with it. `hash` is the one they know it by: prices of the file may have changed it since.
  void keep_version(std::uint64_t hash, agent_ptr agent);

 private:
  void keep(std::uint64_t hash, agent_ptr agent);

  std::atomic<std::shared_ptr<const contents>> all_{std::make_shared<const contents>()};
  mutable std::mutex writing_;
  std::deque<std::pair<std::uint64_t, agent_ptr>> former_;  ///< oldest first
};

}  // namespace troupe::core
