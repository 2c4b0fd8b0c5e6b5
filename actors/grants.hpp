// Remembered approvals: which calls need no question any more. Shared by all sessions, any thread. Filled from the store at
// start, kept up by the sessions whose log a grant is given or revoked in; the log stays the truth.
#pragma once

#include "core/config.hpp"
#include "core/event.hpp"
#include "core/records.hpp"

#include <boost/json/object.hpp>

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace troupe::actors {

class grant_registry {
 public:
  /// From the store, before the first session wakes; and when one is given, after it is on disk.
  void add(core::grant_record grant);
  void revoke(const core::grant_id& id);

  /// The one that allows this call; nothing where a person must be asked.
  [[nodiscard]] std::optional<core::grant_id> find(const core::session_record& session, std::string_view tool,
                                                   const boost::json::object& arguments, core::millis now) const;

 private:
  struct held;
  mutable std::mutex mutex_;
  std::multimap<std::string, std::shared_ptr<const held>, std::less<>> by_tool_;
};

}  // namespace troupe::actors
