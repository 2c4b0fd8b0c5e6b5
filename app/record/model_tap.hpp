// A model client in front of another: passes everything on, and tells a live log which calls failed before anything of them was
// shown. Owned by the actors, as the one behind it would be.
#pragma once

#include "app/record/live_log.hpp"
#include "providers/provider.hpp"

#include <memory>

namespace troupe::app {

[[nodiscard]] std::unique_ptr<providers::model_client> tap_model(std::shared_ptr<providers::model_client> to,
                                                                 std::shared_ptr<live_log> log);

}  // namespace troupe::app
