// What the server is without a configuration file: project `demo` with the scripted agent `guide` and its helper `scout`, and
// an agent for every API key that the environment has. Called at start-up; pure but for the environment it is given.
#pragma once

#include "app/configuration.hpp"
#include "core/config.hpp"

#include <string>
#include <string_view>

namespace troupe::app {

[[nodiscard]] core::config demo_configuration(const environment_lookup& environment);

/// The rules of `guide` as it plays them (docs/scripted.md has the language). The first two model calls of a session
/// report a large usage, so that its budget passes 50 % and a cost alert shows; later ones are cheap, so that a long
/// look around does not end at the budget.
[[nodiscard]] const std::string& demo_script();

/// The same rules without usage, as they are written.
[[nodiscard]] std::string_view demo_rules() noexcept;

/// Those of `scout`, the agent that the guide delegates to.
[[nodiscard]] std::string_view scout_rules() noexcept;

}  // namespace troupe::app
