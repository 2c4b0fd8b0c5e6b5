// The OpenAPI 3.1 document of this server's REST API, made from the routes table. Pure functions, any thread; the document is
// made at its first use and kept.
#pragma once

#include "transport/rest/routes.hpp"

#include <boost/json/object.hpp>

#include <span>
#include <string>
#include <string_view>

namespace troupe::transport {

struct openapi_document {
  std::string text;
  std::string etag;  ///< with its quotes
};
[[nodiscard]] const openapi_document& openapi();

/// Throws std::invalid_argument where a route names what does not exist.
[[nodiscard]] boost::json::object make_openapi(std::span<const route> routes, std::string_view version);

/// GET /api/v1/openapi.json
void get_openapi(const rest_call_ptr& call);

}  // namespace troupe::transport
