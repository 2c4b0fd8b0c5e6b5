// Which errors a route can answer with, as the OpenAPI document shows them. Pure functions, any thread.
#pragma once

#include "transport/rest/routes.hpp"

#include <boost/json/object.hpp>

namespace troupe::transport {

/// Puts references to the errors of `r` behind its answers, and what they refer to into `components`.
void add_openapi_errors(const route& r, boost::json::object& responses, boost::json::object& components);

}  // namespace troupe::transport
