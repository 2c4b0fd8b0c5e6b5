// What was spent, by day, agent, session, user and model, and alerts of budgets (store.hpp's `queries`). Throws
// SQLite::Exception. Inside storage/ only.
#pragma once

#include "storage/connection.hpp"
#include "storage/projection.hpp"
#include "storage/store.hpp"

#include <vector>

namespace troupe::storage {

[[nodiscard]] std::vector<core::usage_day> usage_by_day(connection& db, const core::project_id& project, core::millis since);
[[nodiscard]] core::page<core::usage_share> usage_by(connection& db, const core::project_id& project, core::millis since,
                                                     core::usage_key key, core::window w);
[[nodiscard]] core::page<core::alert_record> list_alerts(connection& db, const alert_filter& filter, core::window w);
/// Whether the table has of the session what its whole log says.
[[nodiscard]] bool has_alerts_of(connection& db, const session_projection& folded);
[[nodiscard]] std::vector<agent_day> usage_since(connection& db, core::millis since);

}  // namespace troupe::storage
