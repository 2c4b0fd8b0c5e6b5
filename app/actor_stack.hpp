// The actors of a process, made in the right order and ended in the right order. The server runs them on threads, replay
// on CAF's test scheduler; everything else is the same. Owned by main; used from its thread only.
#pragma once

#include "actors/services.hpp"
#include "core/config.hpp"
#include "core/environment.hpp"
#include "providers/provider.hpp"
#include "storage/store.hpp"
#include "tools/tool.hpp"

#include <caf/actor_system.hpp>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace troupe::app {

struct actor_stack_parts {
  core::config_ptr config;
  std::shared_ptr<core::environment> environment;
  std::shared_ptr<const tools::toolbox> tools;
  std::filesystem::path workspaces;
  std::function<void(std::function<void()>)> run_blocking;
  std::function<void(const core::error&)> on_fatal;
  storage::store* store = nullptr;  ///< outlives the actors
  std::map<core::provider_id, std::shared_ptr<providers::model_client>> clients;
  /// By dialect; whoever gives them fills them before the first session wakes.
  std::shared_ptr<std::map<std::string, std::vector<actors::event_sink_ptr>>> watchers =
      std::make_shared<std::map<std::string, std::vector<actors::event_sink_ptr>>>();
  std::shared_ptr<core::status_board> health = std::make_shared<core::status_board>();
  /// Real threads for the actors that block; false on a test scheduler.
  bool detached = true;
};

class actor_stack {
 public:
  /// A store that cannot be read is a `storage_unavailable`.
  [[nodiscard]] static core::result<std::unique_ptr<actor_stack>> start(caf::actor_system& system, actor_stack_parts parts);
  ~actor_stack();

  [[nodiscard]] const actors::directory_actor& directory() const noexcept { return directory_; }
  [[nodiscard]] actors::listener_actor spawn_listener();

  /// Wakes the sessions whose runs were in flight; they go on. Tells how many.
  std::size_t resume(const std::vector<core::session_id>& in_flight);
  /// Sessions park their runs and leave, then the rest ends. `settle` is called until everything has ended: it waits a
  /// moment (threads) or runs the scheduler (tests). Handles held elsewhere must be gone by now.
  void stop(const std::function<void()>& settle);

 private:
  actor_stack(caf::actor_system& system, actor_stack_parts parts) : system_(system), parts_(std::move(parts)) {}

  caf::actor_system& system_;
  actor_stack_parts parts_;
  actors::services_ptr services_;
  actors::directory_actor directory_;
  std::vector<actors::listener_actor> listeners_;
  bool stopped_ = false;
};

}  // namespace troupe::app
