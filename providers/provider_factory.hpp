// Picks the adapter of a configured provider. Called by app/ at start-up and on reload; any thread.
#pragma once

#include "core/environment.hpp"
#include "providers/openai.hpp"
#include "providers/provider.hpp"

namespace troupe::providers {

/// What adapters need of the world. All of it outlives the clients.
struct client_deps {
  core::timer_service* timers = nullptr;
  curl_loop* loop = nullptr;  ///< null where there is no network, as in replay
  environment_lookup environment;
};

/// The process environment; an empty variable counts as absent.
[[nodiscard]] environment_lookup process_environment();

/// A `configuration_error` names the provider, the field and the remedy; an unknown kind names the known ones.
[[nodiscard]] core::result<std::unique_ptr<model_client>> make_client(const core::provider_config& config,
                                                                      const client_deps& deps);

}  // namespace troupe::providers
