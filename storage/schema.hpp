// The tables and how an older file becomes a current one. docs/storage.md describes them for people.
#pragma once

#include "storage/connection.hpp"

namespace troupe::storage {

/// The `user_version` this program writes and reads.
inline constexpr int schema_version = 5;

[[nodiscard]] int version_of(connection& c);
/// Brings an empty or older file up to version `upto`, in one transaction. Throws SQLite::Exception.
void migrate(connection& c, int upto = schema_version);

}  // namespace troupe::storage
