// Assertions of scenarios: what must hold of all that came so far, whatever else came (docs/scenarios.md). Pure.
#pragma once

#include "app/json_fields.hpp"
#include "app/scenario/match.hpp"
#include "app/scenario/scenario.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <string>
#include <vector>

namespace troupe::app {

/// What is wrong with an assertion itself is thrown as `fault`.
void check_assertion(step_verb verb, const node& at);

/// What an assertion looked at, as it would have to stand in the file to hold; `wrong` is empty when it holds.
struct assertion_result {
  std::string wrong;
  std::string came;
  std::optional<boost::json::value> fitting;  ///< absent: no other wording of the same assertion would hold
};
/// `past` are events as they are compared, adjacent text merged. Only one that holds binds variables.
[[nodiscard]] assertion_result evaluate(step_verb verb, const boost::json::value& body,
                                        const std::vector<boost::json::object>& past, bindings& bound);

}  // namespace troupe::app
