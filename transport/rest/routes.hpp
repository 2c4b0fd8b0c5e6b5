// The routes table: what serves requests, and what the OpenAPI document is made from. Constants, any thread.
#pragma once

#include "transport/rest/openapi_operation.hpp"
#include "transport/rest/rest.hpp"

#include <span>

namespace troupe::transport {

using rest_handler = void (*)(const rest_call_ptr&);

struct route {
  std::string_view method;
  std::string_view pattern;  ///< `{name}` matches one segment; a trailing slash of the request is ignored
  rest_handler handler;
  operation is;
  error_shape shape = error_shape::nexus;
  access needs = access::usual;
};

/// The first that matches a request is its route.
[[nodiscard]] std::span<const route> all_routes() noexcept;

}  // namespace troupe::transport
