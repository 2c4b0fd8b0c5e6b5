// A listener in front of the listener: passes everything on, and tells a live log which commands were refused. Spawned by
// serve() where it records; ends when the gateway lets go of it.
#pragma once

#include "actors/interfaces.hpp"
#include "app/record/live_log.hpp"

#include <memory>

namespace troupe::app {

[[nodiscard]] actors::listener_actor tap_commands(caf::actor_system& system, actors::listener_actor to,
                                                  std::shared_ptr<live_log> log);

}  // namespace troupe::app
