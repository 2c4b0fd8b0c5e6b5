// The text of a recording, one item on a line. Made by the writer of a recording.
#pragma once

#include "core/event.hpp"
#include "core/money.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::app {

/// Lists hold JSON texts.
struct recording_text {
  std::string title;
  std::string made_by;
  core::millis begun_at{0};
  boost::json::object agent;
  std::optional<core::token_price> price;
  bool crashes = false;
  std::string url_skip;                   ///< why no other server can play it; else empty
  std::vector<std::string_view> ignored;  ///< kinds
  std::vector<std::string> exchanges;
  std::vector<std::string> tools;
  std::vector<std::string> results;
  std::vector<std::string> steps;

  [[nodiscard]] std::string str() const;
};

}  // namespace troupe::app
