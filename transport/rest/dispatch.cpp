// Finds the route of a request in the routes table and calls it.
#include "transport/rest/routes.hpp"

#include "transport/rest/route_match.hpp"

namespace troupe::transport {

namespace {

bool is_below(std::string_view path, std::string_view prefix) {
  return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

/// With the slash the path is nexus's and agent-stream's; until its body is read, errors are agent-stream's (PROTOCOLS §7).
bool is_ambiguous(std::string_view path) { return path == "/api/v1/chat/"; }

/// Of paths that are nobody's: whose clients would ask for them.
error_shape shape_of(std::string_view path) {
  for (std::string_view prefix : {"/api/v1/chats", "/api/v1/auth", "/auth", "/chat"})
    if (is_below(path, prefix)) return error_shape::statuscode;
  for (std::string_view prefix : {"/api/v1/agents", "/api/v1/health"})
    if (is_below(path, prefix)) return error_shape::detail;
  return is_ambiguous(path) || (path.starts_with("/api/") && !is_below(path, "/api/v1")) ? error_shape::detail
                                                                                         : error_shape::nexus;
}

}  // namespace

void dispatch(feed_hub& hub, http_request request, std::shared_ptr<http_exchange> exchange) {
  std::string allowed;
  auto shape = shape_of(request.path);
  auto shape_for = [ambiguous = is_ambiguous(request.path)](const route& r) {
    return ambiguous ? error_shape::detail : r.shape;
  };
  path_parameters parameters;
  for (const auto& r : all_routes()) {
    if (!matches(r.pattern, request.path, parameters)) continue;
    if (r.method == request.method || (request.method == "HEAD" && r.method == "GET")) {
      auto call = std::make_shared<rest_call>(hub, std::move(request), std::move(exchange), shape_for(r));
      call->parameters = std::move(parameters);
      if (call->admit(r.needs)) r.handler(call);
      return;
    }
    shape = shape_for(r);
    if (allowed.find(r.method) != allowed.npos) continue;
    if (!allowed.empty()) allowed += ", ";
    allowed += r.method;
  }
  auto call = std::make_shared<rest_call>(hub, std::move(request), std::move(exchange), shape);
  if (allowed.empty()) return call->fail({core::errc::not_found, "No such path: " + call->request.path.substr(0, 200)});
  call->fail_method(allowed);
}

}  // namespace troupe::transport
