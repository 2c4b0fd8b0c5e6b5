// Fields of a JSON object that somebody else wrote: what is not there, or of another type, is nothing. A view of the object.
#pragma once

#include "app/scenario/client_view.hpp"
#include "core/event.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace troupe::app {

/// Of an event whose time nobody told.
inline constexpr core::millis unknown_time{-1};

struct json_view {
  const boost::json::object& of;

  [[nodiscard]] std::string text(std::string_view key) const {
    const auto* v = of.if_contains(key);
    return v && v->is_string() ? std::string(v->get_string()) : std::string();
  }
  [[nodiscard]] std::int64_t whole(std::string_view key) const {
    const auto* v = of.if_contains(key);
    return v && v->is_int64() ? v->get_int64() : 0;
  }
  [[nodiscard]] bool flag(std::string_view key) const {
    const auto* v = of.if_contains(key);
    return v && v->is_bool() && v->get_bool();
  }
  [[nodiscard]] core::millis time(std::string_view key) const { return time_of(text(key)).value_or(unknown_time); }
  [[nodiscard]] const boost::json::object& object(std::string_view key) const {
    static const boost::json::object none;
    const auto* v = of.if_contains(key);
    return v && v->is_object() ? v->get_object() : none;
  }
  /// The objects of a list.
  [[nodiscard]] std::vector<json_view> list(std::string_view key) const {
    std::vector<json_view> out;
    const auto* v = of.if_contains(key);
    if (!v || !v->is_array()) return out;
    for (const auto& item : v->get_array())
      if (const auto* o = item.if_object()) out.push_back({*o});
    return out;
  }
};

}  // namespace troupe::app
