// Plays a scenario on a stage and compares what comes with what is expected. Everything that came must be expected, in
// order, before the next command, and every command must be answered as expected. One thread.
#pragma once

#include "app/scenario/scenario.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace troupe::app {

struct run_options {
  bool restart_every_step = false;
};

enum class verdict : std::uint8_t { passed, failed, skipped };

struct scenario_outcome {
  verdict what = verdict::passed;
  std::string text;                         ///< why it was skipped, or how it failed: file, line, step, expected, came
  std::vector<boost::json::object> events;  ///< everything that the client got, in order
};

[[nodiscard]] scenario_outcome run_scenario(const scenario& s, const run_options& options);

}  // namespace troupe::app
