// The transport's way into the actors: a call from an io thread becomes a request, its reply goes back through the
// caller's function (which posts to its own thread). One per listening port.
#pragma once

#include "actors/services.hpp"

namespace troupe::actors {

listener_actor::behavior_type listener(listener_actor::pointer self, services_ptr services, directory_actor directory);

}  // namespace troupe::actors
