// JSON made and read at the edge. The hot frames (text deltas) are written by hand: no tree, no allocation per frame.
#pragma once

#include "core/error.hpp"
#include "core/event.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::transport {

/// Appends `text` as a JSON string with its quotes (RFC 8259 §7). Bytes above 0x7F are copied as they are.
void append_json_string(std::string& out, std::string_view text);
void append_number(std::string& out, std::uint64_t value);

/// Parses a client's JSON, at most 64 levels deep. The error says where it stops being JSON.
[[nodiscard]] core::result<boost::json::value> parse_json(std::string_view text);
/// The same for texts that must be objects.
[[nodiscard]] core::result<boost::json::object> parse_object(std::string_view text);

/// JSON text of ours (an input, an action) as a value; what is not JSON becomes a string.
[[nodiscard]] boost::json::value json_or_string(std::string_view text);
/// A tool's output: objects and arrays as JSON, everything else as the text it is.
[[nodiscard]] boost::json::value output_value(std::string_view text);

/// ISO-8601 UTC with milliseconds.
[[nodiscard]] std::string iso_time(core::millis at);
/// The inverse, also of a date alone and of times without milliseconds; digits alone are milliseconds since 1970.
[[nodiscard]] std::optional<core::millis> time_from(std::string_view text);

/// A string field: absent gives "", another type is a VALIDATION_ERROR that names it.
[[nodiscard]] core::result<std::string> string_field(const boost::json::object& o, std::string_view name);
/// The number of an event: absent gives nothing, anything but a non-negative integer is a VALIDATION_ERROR.
[[nodiscard]] core::result<std::optional<core::seq_t>> seq_field(const boost::json::object& o, std::string_view name);

}  // namespace troupe::transport
