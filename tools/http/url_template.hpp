// The address of a declared HTTP tool: `https://host/path/{name}?key={name}`, whose placeholders take arguments of the model
// (RFC 6570, level 1). Pure values; read once at start-up, then shared by all calls.
#pragma once

#include "tools/http/url.hpp"

#include <boost/json/object.hpp>

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::tools {

class url_template {
 public:
  /// The error says what is wrong and where in the text.
  [[nodiscard]] static core::result<url_template> parse(std::string_view text);

  /// Every argument that a placeholder names.
  [[nodiscard]] const std::set<std::string, std::less<>>& names() const noexcept { return names_; }

  /// Values are text, numbers or booleans; all but letters, digits and `-._~` of them is percent-encoded. One in the path must
  /// be there, not be empty and make no `.` or `..` of its segment. A pair of the query goes with its value's argument: no
  /// argument, no pair. `more` are further pairs; arrays become one each. The error's text is for the model.
  [[nodiscard]] core::result<http_url> fill(const boost::json::object& arguments, const boost::json::object& more) const;

 private:
  struct piece {
    std::string text;  ///< as it is, or the name of an argument
    bool is_name = false;
  };
  using pieces = std::vector<piece>;

  [[nodiscard]] core::result<pieces> read(std::string_view text, std::size_t at);

  std::string origin_;            ///< scheme and authority
  std::vector<pieces> segments_;  ///< of the path, each after a `/`
  std::vector<pieces> pairs_;     ///< of the query
  std::set<std::string, std::less<>> names_;
};

/// The argument, unless it is absent or null.
[[nodiscard]] const boost::json::value* argument_of(const boost::json::object& arguments, std::string_view name);

}  // namespace troupe::tools
