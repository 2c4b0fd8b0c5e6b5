// Where a scenario and what came part, as JSON for programs: `divergence` of `troupe replay --json` (docs/scenarios.md). Pure.
#pragma once

#include <boost/json/object.hpp>

#include <deque>
#include <string>
#include <vector>

namespace troupe::app {

/// An event that was expected and came, and the line of its step.
struct passed_event {
  int line = 0;
  boost::json::object event;
};

/// The value, or where it is longer than programs want to see its text, cut.
[[nodiscard]] boost::json::value bounded_value(const boost::json::value& v);
/// `[{line, event}]`
[[nodiscard]] boost::json::array passed_to_json(const std::deque<passed_event>& passed);
/// The first of them, bounded.
[[nodiscard]] boost::json::array events_to_json(const std::vector<boost::json::object>& events, std::size_t most);

}  // namespace troupe::app
