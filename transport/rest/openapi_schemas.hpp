// The schemas of the OpenAPI document, each written once, in a shorthand of JSON Schema: every text here is a JSON object of
// them by name. A test compares the answers of a running server with them. Pure functions, any thread.
//
//   {"record": {"id": "uuid", "note": "string? why", "cost?": "number"}}   an object with these members and no others;
//   {"input": {…}}                                                       the same, and others are ignored: a request body
//   "extends": "Other"                                                   …with the members of that record before its own
//
// A name with `?` may be absent. A type is `string`, `integer`, `number`, `boolean`, `object`, `any`, `uuid`, `time`, `date`,
// `trace`, the name of a schema, `=constant` or `one|of|these`; `[]` after it makes it an array and `?` nullable; what follows
// the first space describes it. In place of a type may stand any JSON Schema, whose parts may again be written so.
#pragma once

#include <boost/json/object.hpp>

#include <string_view>

namespace troupe::transport {

[[nodiscard]] std::string_view openapi_session_schemas() noexcept;
[[nodiscard]] std::string_view openapi_approval_schemas() noexcept;
[[nodiscard]] std::string_view openapi_server_schemas() noexcept;
[[nodiscard]] std::string_view openapi_dialect_schemas() noexcept;
[[nodiscard]] std::string_view openapi_scenario_schemas() noexcept;
/// Of the session's events by their type, written as records without `type`.
[[nodiscard]] std::string_view openapi_event_schemas() noexcept;

/// A shorthand as JSON Schema; `all` holds the records that it extends. Throws std::invalid_argument on what it cannot read.
[[nodiscard]] boost::json::value expanded_schema(const boost::json::value& shorthand, const boost::json::object& all);

/// All of them as JSON Schema, with `Event` and `ErrorCode`, which follow from the others and from the code.
[[nodiscard]] boost::json::object openapi_schemas();

}  // namespace troupe::transport
