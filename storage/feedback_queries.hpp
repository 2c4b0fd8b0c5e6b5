// What people think of answers (store.hpp's `queries`, and `check`). Throws SQLite::Exception. Inside storage/ only.
#pragma once

#include "storage/connection.hpp"
#include "storage/projection.hpp"

namespace troupe::storage {

/// Adds the feedback of `message` to it, in the order it came.
void read_feedback(connection& db, core::message_record& message);

/// Whether the table has of the session what its whole log says.
[[nodiscard]] bool has_feedback_of(connection& db, const session_projection& folded);

}  // namespace troupe::storage
