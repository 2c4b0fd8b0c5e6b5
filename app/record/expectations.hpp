// The `expect` lines of a recording: which fields of an event are compared, and names for its ids. Owned by the writer of a
// recording.
#pragma once

#include "core/event.hpp"

#include <boost/json/object.hpp>

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::app {

class expectation_names {
 public:
  /// The variable that stands for an id, e.g. `$run_1`; `what` names it when it is new.
  [[nodiscard]] std::string variable(const std::string& id, const char* what = "id");
  [[nodiscard]] bool knows(const std::string& id) const;
  /// What of the event a replay can be held to; nothing for kinds that a recording does not tell. `with_cost`: prices are
  /// known.
  [[nodiscard]] std::optional<boost::json::object> expectation(const core::event& e, bool with_cost);

 private:
  [[nodiscard]] std::optional<boost::json::value> named(std::string_view field, const boost::json::value& v,
                                                        const core::event& e);
  [[nodiscard]] boost::json::value file(const boost::json::value& v);

  std::map<std::string, std::string> names_;
  std::map<std::string, int> counts_;
};

}  // namespace troupe::app
