// Approvals and what is remembered of them (store.hpp's `queries`). Throws SQLite::Exception. Inside storage/ only.
#pragma once

#include "storage/connection.hpp"
#include "storage/store.hpp"

#include <optional>
#include <vector>

namespace troupe::storage {

[[nodiscard]] std::optional<core::approval_record> find_approval(connection& db, core::approval_id id);
[[nodiscard]] core::page<core::approval_record> list_approvals(connection& db, const approval_filter& filter, core::window w);
[[nodiscard]] std::optional<core::grant_record> find_grant(connection& db, core::grant_id id);
[[nodiscard]] core::page<core::grant_record> list_grants(connection& db, const grant_filter& filter, core::window w);
[[nodiscard]] std::vector<core::grant_record> grants_in_force(connection& db, core::millis now);

}  // namespace troupe::storage
