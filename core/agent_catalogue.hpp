// Agents that people made over REST, beside those of the configuration file. Readers on any thread take a snapshot and need
// no lock; one writer at a time (transport/agent_desk.cpp, at start app/stored_agents.cpp) publishes what is on disk already.
// Of versions that are no longer the newest only those stay in memory that somebody holds; others are asked for again.
#pragma once

#include "core/event.hpp"
#include "core/ids.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

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
  millis updated_at{0};
  std::string updated_by;
};

class agent_catalogue {
 public:
  using by_agent = std::map<agent_id, stored_agent>;
  using contents = std::map<project_id, by_agent>;
  /// Reads a version that is not in memory; null where there is none. Any thread, several at once; never throws.
  using version_source = std::function<agent_ptr(const project_id&, const agent_id&, std::uint64_t hash)>;

  [[nodiscard]] std::shared_ptr<const contents> all() const { return all_.load(); }
  /// Those of a project, deleted ones too; never null.
  [[nodiscard]] std::shared_ptr<const by_agent> of(const project_id& project) const;
  /// The newest; nothing where it was never stored. Deleted ones are found.
  [[nodiscard]] std::shared_ptr<const stored_agent> find(const project_id& project, const agent_id& agent) const;
  /// A version by the hash that a run knows it by, also one that is no longer the newest: out of memory while anything holds
  /// it, else from the source. Prices of the file may have changed `agent_config::hash` since.
  [[nodiscard]] agent_ptr find_version(const project_id& project, const agent_id& agent, std::uint64_t hash) const;

  /// Takes the place of what is there, where its version is not below that one's.
  void publish(const project_id& project, const agent_id& agent, stored_agent newest);
  /// The same of many, which all appear at once; the catalogue is copied once.
  void publish(contents newest);
  /// Null: none any more; a call that is under way may still go on.
  void read_versions_from(version_source source);

 private:
  struct former {
    project_id project;
    agent_id id;
    std::uint64_t hash = 0;
    std::weak_ptr<const agent_config> agent;
  };
  void keep(const project_id& project, const agent_id& id, std::uint64_t hash, const agent_ptr& agent) const;
  [[nodiscard]] agent_ptr find_kept(const project_id& project, const agent_id& id, std::uint64_t hash) const;
  void replace(contents& all, const project_id& project, const agent_id& agent, stored_agent newest);

  std::atomic<std::shared_ptr<const contents>> all_{std::make_shared<const contents>()};
  mutable std::mutex writing_;
  mutable std::vector<former> former_;  ///< those still held, as of the last one that came
  version_source source_;
};

}  // namespace troupe::core
