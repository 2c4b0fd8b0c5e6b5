// One configured model API: limits how many calls run at once, lets sessions take turns, tries again what may be tried
// again, and rests while the upstream is down. Text goes from the adapter straight to the loop; only beginnings and ends
// pass here.
#pragma once

#include "actors/breaker.hpp"
#include "actors/fair_queue.hpp"
#include "actors/interfaces.hpp"
#include "core/environment.hpp"
#include "core/health.hpp"

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

namespace troupe::actors {

struct provider_options {
  std::string name{};
  std::uint32_t max_concurrent = 256;
  std::uint32_t max_retries = 2;
  std::chrono::milliseconds first_backoff{250};
  std::chrono::milliseconds longest_backoff{8'000};
  std::uint32_t breaker_failures = 8;  ///< 0: no breaker
  std::chrono::milliseconds breaker_open{15'000};
  std::shared_ptr<core::status_board> board{};  ///< is told the breaker's state; null: nobody is
};

struct provider_state {
  /// Kept while the call may be tried again; let go of before its end is told, so that the loop's history is its own again.
  using kept_request = std::shared_ptr<std::shared_ptr<const providers::model_request>>;
  struct call {
    core::session_id session;
    kept_request request;
    agent_loop_actor loop;
    std::shared_ptr<providers::model_stream> stream;  ///< null: waits
    std::uint32_t attempt = 0;
    core::millis began_at{0};                  ///< its first attempt
    bool is_probe = false;                     ///< this attempt decides for the breaker
    bool was_given_delay = false;              ///< the upstream has named one
    std::optional<providers::model_end> last;  ///< how its last attempt failed
  };
  provider_options options;
  std::shared_ptr<core::environment> environment;
  std::shared_ptr<providers::model_client> client;
  std::unordered_map<core::uuid, call> calls;
  fair_queue waiting;
  std::uint32_t running = 0;
  breaker health{0, {}};
  std::optional<breaker::state> told;  ///< to the board
};

/// Pauses between attempts take their jitter from `environment`.
provider_actor::behavior_type provider(provider_actor::stateful_pointer<provider_state> self, provider_options options,
                                       std::shared_ptr<core::environment> environment,
                                       std::shared_ptr<providers::model_client> client);

}  // namespace troupe::actors
