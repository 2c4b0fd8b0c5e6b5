// Where the refused commands of a session stood in its log, and the steps they are in a recording. Pure.
#pragma once

#include "app/record/expectations.hpp"
#include "app/record/live_notes.hpp"
#include "core/event.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <utility>
#include <vector>

namespace troupe::app {

/// After which seq of the log each of them is told: between its sending and its answer, where the session's state explains it.
/// In the order of `refused`.
[[nodiscard]] std::vector<core::seq_t> places_of(const std::vector<refused_command>& refused,
                                                 const std::vector<core::event>& log);

/// What was sent, and what is compared of the answer. Nothing where a scenario has no word for it.
[[nodiscard]] std::optional<std::pair<boost::json::object, boost::json::object>> steps_of(const refused_command& refused,
                                                                                          expectation_names& names);

}  // namespace troupe::app
