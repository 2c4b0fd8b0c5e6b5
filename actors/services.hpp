// What the actors of a session are given by app/: the other actors they talk to and the world they live in. Shared,
// immutable; dropped on shutdown so that no handle outlives its actor.
#pragma once

#include "actors/grants.hpp"
#include "actors/interfaces.hpp"
#include "actors/spend_ledger.hpp"
#include "core/config.hpp"
#include "core/environment.hpp"
#include "core/health.hpp"
#include "tools/tool.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <vector>

namespace troupe::actors {

struct services {
  core::config_ptr config;
  std::shared_ptr<core::environment> environment;
  std::shared_ptr<const tools::toolbox> tools;
  std::filesystem::path workspaces;  ///< one folder per session below it
  /// Runs a blocking function on a thread made for it (replay: at once).
  std::function<void(std::function<void()>)> run_blocking;
  persistence_actor persistence;
  std::vector<reader_actor> readers;
  std::map<core::provider_id, provider_actor> providers;
  std::shared_ptr<spend_ledger> spending;
  std::shared_ptr<grant_registry> grants = std::make_shared<grant_registry>();
  std::shared_ptr<core::status_board> health = std::make_shared<core::status_board>();
  /// Sinks that get the events of every session created through a dialect; complete before the first session wakes.
  std::shared_ptr<std::map<std::string, std::vector<event_sink_ptr>>> watchers;

  /// The same session always asks the same reader.
  [[nodiscard]] const reader_actor& reader_for(const core::session_id& id) const {
    return readers[std::hash<core::session_id>{}(id) % readers.size()];
  }
};
using services_ptr = std::shared_ptr<const services>;

}  // namespace troupe::actors
