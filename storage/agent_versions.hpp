// Agents made over REST: their versions, rows that are only ever added (store.hpp's `journal` and `queries`). Throws
// SQLite::Exception. Inside storage/ only.
#pragma once

#include "storage/connection.hpp"
#include "storage/store.hpp"

#include <optional>
#include <vector>

namespace troupe::storage {

void add_agent_version(connection& db, const core::agent_version_record& version);
[[nodiscard]] core::page<core::agent_version_record> list_agent_versions(connection& db, const core::project_id& project,
                                                                         const core::agent_id& agent, core::window w);
[[nodiscard]] std::optional<core::agent_version_record> find_agent_version(connection& db, const core::project_id& project,
                                                                           const core::agent_id& agent, std::uint32_t version);
[[nodiscard]] std::optional<core::agent_version_record> find_agent_version_of(connection& db, const core::project_id& project,
                                                                              const core::agent_id& agent, std::uint64_t hash);
[[nodiscard]] std::vector<core::agent_version_record> newest_agent_versions(connection& db);
/// What is wrong with the rows themselves, by `agent project/id`. Whether a definition still means something depends on the
/// configuration: the server says so when it starts.
[[nodiscard]] std::vector<finding> check_agent_versions(connection& db);

}  // namespace troupe::storage
