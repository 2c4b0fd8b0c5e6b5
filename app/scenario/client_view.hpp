// What a client of the native protocol is shown of an event (docs/protocols.md): which kinds have a frame, and which of their
// fields. A scenario that is played against a live server is compared in these. Pure.
#pragma once

#include "app/scenario/scenario.hpp"
#include "core/event.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace troupe::app {

[[nodiscard]] bool is_seen_by_clients(std::string_view kind) noexcept;
[[nodiscard]] bool is_seen_by_clients(step_verb assertion) noexcept;
/// An expectation without the fields that frames do not carry.
[[nodiscard]] boost::json::object as_seen_by_clients(const boost::json::object& expected);
/// Without the fields that an answer over REST lacks.
[[nodiscard]] boost::json::object reply_as_seen_by_clients(const boost::json::object& expected,
                                                           const boost::json::object& came);
/// Comes of what the server is set to, not of the conversation: titles, alerts.
[[nodiscard]] bool is_incidental(const boost::json::object& event);

/// `{fileId, name, contentType, size}`, as far as it is there.
[[nodiscard]] core::attachment attachment_of(const boost::json::object& file);
/// ISO-8601 as the server writes it: UTC with milliseconds.
[[nodiscard]] std::optional<core::millis> time_of(const std::string& text);

/// The event that a frame tells, as far as it does; nothing where it tells none.
[[nodiscard]] std::optional<core::event> event_of_frame(const boost::json::object& frame);

}  // namespace troupe::app
