// Sessions as lists, searches and clients' names find them (store.hpp's `queries`). Throws SQLite::Exception. Inside
// storage/ only.
#pragma once

#include "storage/connection.hpp"
#include "storage/store.hpp"

#include <optional>
#include <string>
#include <vector>

namespace troupe::storage {

[[nodiscard]] std::optional<core::session_record> find_session(connection& db, core::session_id id);
[[nodiscard]] core::page<core::session_record> list_sessions(connection& db, const session_filter& filter, core::window w);
[[nodiscard]] std::vector<core::session_record> list_children(connection& db, core::session_id id);
[[nodiscard]] std::optional<core::session_id> resolve(connection& db, const core::project_id& project, const std::string& text);

}  // namespace troupe::storage
