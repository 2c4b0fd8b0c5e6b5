// Long outputs of tools: the table `tool_outputs`, read in parts (store.hpp's `queries`). A copied session has none of what
// it took over: they are read in its source, which keeps them. Throws SQLite::Exception. Inside storage/ only.
#pragma once

#include "storage/connection.hpp"
#include "storage/store.hpp"

#include <cstdint>
#include <optional>

namespace troupe::storage {

/// The row of the latest output of that call in the sources of this session that has so many bytes.
[[nodiscard]] std::optional<std::int64_t> find_output_in_source(connection& db, core::session_id session,
                                                                const core::tool_call_id& call, std::int64_t bytes);
[[nodiscard]] std::optional<core::tool_output_part> read_output(connection& db, core::session_id session,
                                                                const core::tool_call_id& call, std::int64_t offset,
                                                                std::int64_t limit);

}  // namespace troupe::storage
