// Compares what a scenario expects with what came: objects by subset, arrays exactly, `$x` binds once, `{"$regex": "…"}`
// and `{"$any": true}`. Pure.
#pragma once

#include <boost/json/value.hpp>

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::app {

/// Variables of a scenario, without the `$`.
using bindings = std::map<std::string, boost::json::value, std::less<>>;

struct mismatch {
  std::string path;  ///< of the first field that differs, e.g. `calls[0].tool`; empty: the value itself
  std::string text;
};

/// Nothing when it fits; then, and only then, new variables are in `bound`.
[[nodiscard]] std::optional<mismatch> match(const boost::json::value& expected, const boost::json::value& actual,
                                            bindings& bound);

/// The variable that a text names (`$run`), or empty. `$$` begins a text that starts with a dollar.
[[nodiscard]] std::string_view variable_in(std::string_view text) noexcept;

/// What is wrong with an expectation itself (an unknown `$` word, a pattern that is none), or nothing.
[[nodiscard]] std::optional<mismatch> defect_in(const boost::json::value& expected);

}  // namespace troupe::app
