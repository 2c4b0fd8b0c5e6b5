// How a command says what came of it: with --json one object in one line, a success on stdout, a failure on stderr in the shape
// of the REST API's.
#pragma once

#include "app/cli/remote_api.hpp"
#include "core/error.hpp"

#include <boost/json/object.hpp>

namespace troupe::app {

/// On stderr, `troupe: text`; as JSON `{"error": {"code", "message"}}`. 1, the exit status of a failure.
int failed(const core::error& e, bool as_json);
/// The same for what was asked in a wrong way: 2.
int wrong_usage(const core::error& e, bool as_json);

/// One line on stdout. 1 where nobody reads it, else 0.
int print_json(const boost::json::object& o);
/// `{"items": …, "total": …}` in one line.
int print_list(listing list);

}  // namespace troupe::app
