// What was spent, by day, agent, session and user (store.hpp's `queries`). Throws SQLite::Exception. Inside storage/ only.
#pragma once

#include "storage/connection.hpp"
#include "storage/store.hpp"

#include <vector>

namespace troupe::storage {

[[nodiscard]] std::vector<core::usage_day> usage_by_day(connection& db, const core::project_id& project, core::millis since);
[[nodiscard]] core::page<core::usage_share> usage_by(connection& db, const core::project_id& project, core::millis since,
                                                     core::usage_key key, core::window w);
[[nodiscard]] std::vector<agent_day> usage_since(connection& db, core::millis since);

}  // namespace troupe::storage
