// JSON as model APIs send and take it: reading that never fails for a wrong shape, writing that is always UTF-8. Pure; used
// by the adapters of this folder.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <string_view>

namespace troupe::providers {

/// Nested deeper than this, a text from outside is not read.
inline constexpr std::size_t max_json_depth = 64;

/// The string there, or an empty one.
[[nodiscard]] std::string_view text_at(const boost::json::object& object, std::string_view key);
/// The object there, or null.
[[nodiscard]] const boost::json::object* object_at(const boost::json::object& object, std::string_view key);
/// The number there as a count of tokens: 0 to 10⁹, 0 where there is none.
[[nodiscard]] std::int64_t count_at(const boost::json::object& object, std::string_view key);

/// The object that the text is, or null. Bytes that are not UTF-8 are let through where `any_bytes` says so.
[[nodiscard]] boost::json::value object_in(std::string_view text, bool any_bytes = false, boost::json::storage_ptr memory = {});

/// A JSON string of bytes that may be anything; what is not UTF-8 becomes U+FFFD.
[[nodiscard]] boost::json::string text_of(std::string_view bytes);

}  // namespace troupe::providers
