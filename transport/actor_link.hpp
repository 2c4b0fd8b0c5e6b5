// The gateway's one handle to an actor. Alone of transport's headers it brings CAF, whose headers cost seconds a file: only the
// gateway's source and who makes a gateway include it.
#pragma once

#include "actors/interfaces.hpp"

namespace troupe::transport {

struct actor_link {
  actors::listener_actor listener;
};

}  // namespace troupe::transport
