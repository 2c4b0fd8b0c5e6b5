// Events as JSON: the one codec that the journal, replay and the actor messages share. Ids and enums are text, amounts
// are integers (micro-dollars, milliseconds), JSON texts (inputs, metadata) are embedded as values where they parse.
#pragma once

#include "core/error.hpp"
#include "core/event.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>

namespace troupe::core {

/// Fields only; the kind is told apart (`kind_of`). Empty strings and nil ids are left out, and so are the bytes of a file.
[[nodiscard]] boost::json::object payload_to_json(const event_payload& payload);
/// Unknown fields are ignored, missing ones take their defaults; an unknown kind or a field of the wrong type is a
/// `parse_error` that names it.
[[nodiscard]] result<event_payload> payload_from_json(std::string_view kind, const boost::json::object& fields);

/// The same as JSON text, without the tree in between. Not always valid UTF-8: strings keep the bytes they have.
[[nodiscard]] std::string payload_to_text(const event_payload& payload);
[[nodiscard]] result<event_payload> payload_from_text(std::string_view kind, std::string_view text);

/// `{kind, seq, first?, at, …fields}`, one flat object.
[[nodiscard]] boost::json::object event_to_json(const event& e);
[[nodiscard]] result<event> event_from_json(const boost::json::object& object);

}  // namespace troupe::core
