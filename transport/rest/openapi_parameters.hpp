// Parameters of the OpenAPI document: those of queries and headers by name, those of paths by where they stand. Examples are
// values that the demo takes; an end-to-end test sends them. Pure functions, any thread.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <string_view>

namespace troupe::transport {

/// Every parameter of queries and headers, by the name that the routes table has for it.
[[nodiscard]] boost::json::object openapi_parameters();

/// Those of a path: `{name}` under the segment before it. Throws std::invalid_argument on one that nothing is known of.
[[nodiscard]] boost::json::array openapi_path_parameters(std::string_view pattern);

}  // namespace troupe::transport
