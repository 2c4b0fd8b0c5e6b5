// store.hpp's `queries` on one SQLite connection: a reader's own, or the one of an in-memory store.
#pragma once

#include "storage/connection.hpp"
#include "storage/store.hpp"

#include <memory>

namespace troupe::storage {

[[nodiscard]] std::unique_ptr<queries> make_queries(std::shared_ptr<connection> c);

}  // namespace troupe::storage
