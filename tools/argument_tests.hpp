// Conditions on the arguments of a call: rules of approvals and remembered approvals use them. Pure, any thread.
#pragma once

#include "core/config.hpp"
#include "core/error.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace troupe::tools {

/// True where all of `tests` hold. A pointer that leads nowhere holds for `absent` and `not_equals` only; numbers compare as
/// numbers; a test that cannot be made (a broken pattern) does not hold.
[[nodiscard]] bool fits(const std::vector<core::argument_test>& tests, const boost::json::object& arguments);

/// `[{"argument": "/path", "matches": "^tmp/"}, …]` as in a configuration's rule; the error names place and remedy.
[[nodiscard]] core::result<std::vector<core::argument_test>> argument_tests_from(std::string_view json_text);
[[nodiscard]] std::string to_text(const std::vector<core::argument_test>& tests);

/// Tests that only these arguments fit.
[[nodiscard]] std::vector<core::argument_test> exactly(const boost::json::object& arguments);

/// SHA-256, lower-case hex, of the arguments in a form that does not depend on blanks or the order of members.
[[nodiscard]] std::string arguments_hash(const boost::json::object& arguments);

}  // namespace troupe::tools
