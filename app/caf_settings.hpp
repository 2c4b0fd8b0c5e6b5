// CAF's settings as measured on small machines (docs/decisions): the sharing scheduler wakes up faster than the stealing
// one and does not poll; as many workers as cores.
#pragma once

#include <caf/actor_system_config.hpp>

#include <cstdint>
#include <thread>

namespace troupe::app {

struct caf_settings : caf::actor_system_config {
  explicit caf_settings(std::uint32_t workers) {
    auto threads = workers != 0 ? workers : std::max(1U, std::thread::hardware_concurrency());
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", static_cast<std::size_t>(threads));
    set("scheduler.max-throughput", static_cast<std::size_t>(64));
    set("logger.console", caf::atom("none"));
  }
};

}  // namespace troupe::app
