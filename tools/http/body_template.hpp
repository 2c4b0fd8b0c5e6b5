// The body of a declared HTTP tool: JSON of the configuration in which a string that is exactly `"${name}"`, at any depth,
// stands for an argument of the model, of that argument's own type. Pure values; read once at start-up, then shared by all
// calls.
#pragma once

#include "core/error.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <set>
#include <string>
#include <string_view>

namespace troupe::tools {

class body_template {
 public:
  /// The error says what is wrong and where (a JSON pointer).
  [[nodiscard]] static core::result<body_template> parse(std::string_view text);

  [[nodiscard]] const std::set<std::string, std::less<>>& names() const noexcept { return names_; }
  /// JSON text. A member or element whose argument is absent is left out.
  [[nodiscard]] std::string fill(const boost::json::object& arguments) const;

 private:
  boost::json::value body_;
  std::set<std::string, std::less<>> names_;
};

}  // namespace troupe::tools
