// An agent loop that hears what a provider delivers and nothing else: the other half of a test of the provider actor. Header
// only.
#pragma once

#include "actors/interfaces.hpp"

#include <utility>

namespace troupe::testing {

/// `hear` takes a `model_delivery&`.
template <class Hear>
actors::agent_loop_actor::behavior_type model_listener(Hear hear) {
  return {std::move(hear),
          [](actors::tool_outcome&) {},
          [](actors::tool_output&) {},
          [](actors::tool_question&) {},
          [](const actors::approval_outcome&) {},
          [](const actors::stop_run&) {},
          [](const actors::tools_ready&) {}};
}

}  // namespace troupe::testing
