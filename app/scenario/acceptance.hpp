// `troupe replay --update`: what a step would have to say for what came, and the file with such steps in the place of theirs.
// Pure.
#pragma once

#include "app/scenario/match.hpp"
#include "app/scenario/runner.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace troupe::app {

/// An expectation that `came` meets: with the fields that `like` has, where that is of the same kind, else with those that a
/// person would compare. Ids become the variables that are bound to them.
[[nodiscard]] boost::json::object expectation_for(const boost::json::object& came, const boost::json::object* like,
                                                  const bindings& bound);

/// The same fields with what came in them; variables that fit stay.
[[nodiscard]] boost::json::value accepted(const boost::json::value& expected, const boost::json::value& came,
                                          const bindings& bound);

/// All else in `text` stays as it is: comments, blanks, order.
[[nodiscard]] std::string with_edits(std::string_view text, const std::vector<step_edit>& edits);

}  // namespace troupe::app
