// One configured model API: limits how many calls run at once, queues the rest in order, tries again what may be tried
// again. Text goes from the adapter straight to the loop; only beginnings and ends pass here.
#pragma once

#include "actors/interfaces.hpp"
#include "core/environment.hpp"

#include <deque>
#include <memory>
#include <unordered_map>

namespace troupe::actors {

struct provider_options {
  std::uint32_t max_concurrent = 256;
  std::uint32_t max_retries = 2;
  std::chrono::milliseconds first_backoff{250};
  std::chrono::milliseconds longest_backoff{8'000};
};

struct provider_state {
  /// Kept while the call may be tried again; let go of before its end is told, so that the loop's history is its own again.
  using kept_request = std::shared_ptr<std::shared_ptr<const providers::model_request>>;
  struct call {
    kept_request request;
    agent_loop_actor loop;
    std::shared_ptr<providers::model_stream> stream;
    std::uint32_t attempt = 0;
  };
  provider_options options;
  std::shared_ptr<providers::model_client> client;
  std::unordered_map<core::uuid, call> calls;
  std::deque<core::uuid> waiting;
  std::uint32_t running = 0;
};

provider_actor::behavior_type provider(provider_actor::stateful_pointer<provider_state> self, provider_options options,
                                       std::shared_ptr<providers::model_client> client);

}  // namespace troupe::actors
