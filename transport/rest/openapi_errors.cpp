#include "transport/rest/openapi_errors.hpp"

#include <array>
#include <charconv>
#include <set>
#include <stdexcept>
#include <string>

namespace troupe::transport {

namespace json = boost::json;

namespace {

struct meaning {
  int status;
  std::string_view text;
};
constexpr std::array meanings{
    meaning{400, "A parameter or the body is not what it should be."},
    meaning{401, "Credentials are missing, wrong or expired."},
    meaning{403, "The credentials do not allow this."},
    meaning{404, "Something that is named is not there, or the caller may not see it."},
    meaning{409, "The session, the approval or the agent is in another state than this needs."},
    meaning{413, "Too large."},
    meaning{415, "The body's type is not taken here."},
    meaning{422, "The body or the definition in it is not what it should be, or its Idempotency-Key was used for another."},
    meaning{429, "A limit or a budget is reached."},
    meaning{500, "The run failed."},
    meaning{502, "The model's provider failed."},
};
constexpr std::string_view any_other = "Any other error, in the same shape.";

struct shape_names {
  std::string_view prefix;
  std::string_view schema;
};
constexpr shape_names names_of(error_shape shape) {
  switch (shape) {
    case error_shape::detail:
      return {"Detail", "DetailError"};
    case error_shape::statuscode:
      return {"Status", "StatusError"};
    case error_shape::nexus:
      break;
  }
  return {"Nexus", "Error"};
}

void add_listed(std::set<int>& out, std::string_view statuses) {
  while (!statuses.empty()) {
    auto end = std::min(statuses.find(' '), statuses.size());
    int status = 0;
    std::from_chars(statuses.data(), statuses.data() + end, status);
    out.insert(status);
    statuses.remove_prefix(std::min(end + 1, statuses.size()));
  }
}

std::set<int> statuses_of(const route& r) {
  const auto& is = r.is;
  std::set<int> out;
  add_listed(out, is.failures);
  if (r.needs != access::open) out.insert(401);
  if (r.needs != access::open && r.needs != access::known) out.insert(403);
  if (r.pattern.find('{') != r.pattern.npos) out.insert(404);
  const int malformed = r.shape == error_shape::detail ? 422 : 400;
  if (is.is_paged || !is.parameters.empty() || !is.body.empty() || is.takes_files) out.insert(malformed);
  if (!is.body.empty()) out.insert({413, 415});
  if (is.takes_files) out.insert(413);
  if (is.is_send) out.insert({404, 409, 422, 429, 500, 502});
  return out;
}

json::object headers_of(int status) {
  if (status == 401) return {{"WWW-Authenticate", {{"schema", {{"type", "string"}}}}}};
  if (status == 429) return {{"Retry-After", {{"description", "Seconds."}, {"schema", {{"type", "integer"}}}}}};
  return {};
}

std::string_view meaning_of(int status) {
  for (const auto& m : meanings)
    if (m.status == status) return m.text;
  throw std::invalid_argument("openapi: nothing is known of errors with status " + std::to_string(status));
}

}  // namespace

void add_openapi_errors(const route& r, json::object& responses, json::object& components) {
  const auto names = names_of(r.shape);
  auto add = [&](const std::string& status, std::string_view says, json::object headers) {
    auto name = std::string(names.prefix) + (status == "default" ? "Error" : status);
    responses[status] = {{"$ref", "#/components/responses/" + name}};
    json::object response{{"description", says}};
    if (!headers.empty()) response["headers"] = std::move(headers);
    json::object schema{{"$ref", "#/components/schemas/" + std::string(names.schema)}};
    response["content"] = {{"application/json", {{"schema", std::move(schema)}}}};
    components[name] = std::move(response);
  };
  for (int status : statuses_of(r)) add(std::to_string(status), meaning_of(status), headers_of(status));
  add("default", any_other, {});
}

}  // namespace troupe::transport
