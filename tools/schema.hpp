// One compiled JSON Schema: checks what a model sent and tells it what to send instead. Owned by the toolbox,
// immutable, any thread. valijson (drafts 4 and 7) does the checking and stays inside schema.cpp.
#pragma once

#include "core/error.hpp"

#include <boost/json/value.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace troupe::tools {

/// Bounds of every JSON text that comes from a model or from a tool server.
inline constexpr std::size_t max_json_bytes = 1 << 20;
inline constexpr std::size_t max_json_depth = 64;

/// Parses within the bounds; a `parse_error` names the place. `what` names the text in it.
[[nodiscard]] core::result<boost::json::value> parse_bounded(std::string_view text, std::string_view what);

class schema {
 public:
  /// `text` must describe an object. `pattern`, `patternProperties` and `format` are not checked (and an
  /// `additionalProperties` beside patterns neither): valijson runs them on std::regex, which takes exponential time
  /// and unbounded stack on text that a model chose. Anything that is not a schema is a `configuration_error`.
  [[nodiscard]] static core::result<schema> compile(std::string_view text);

  /// A `validation_error` names up to three places by JSON pointer, with what was expected there.
  [[nodiscard]] core::result<void> check(const boost::json::value& value) const;

  ~schema();
  schema(schema&&) noexcept;
  schema& operator=(schema&&) noexcept;

 private:
  struct impl;
  explicit schema(std::unique_ptr<impl> i);
  std::unique_ptr<impl> impl_;
};

}  // namespace troupe::tools
