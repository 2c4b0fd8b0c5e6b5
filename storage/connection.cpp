#include "storage/connection.hpp"

#include <sqlite3.h>

namespace troupe::storage {

namespace {

constexpr int busy_timeout_ms = 5000;

int flags_of(connection::mode m) {
  return SQLite::OPEN_NOMUTEX |
         (m == connection::mode::read_only ? SQLite::OPEN_READONLY : SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
}

}  // namespace

core::error translate(const SQLite::Exception& e, std::string_view doing) {
  auto primary = e.getErrorCode() & 0xff;
  auto what = std::string(doing) + ": " + e.what();
  switch (primary) {
    case SQLITE_FULL:
      return {core::errc::storage_unavailable, what + "; make room on the disk of the data folder"};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {core::errc::storage_unavailable, what + "; another program holds a lock on troupe.db, end it"};
    default:
      return {core::errc::internal_error, what + " (SQLite code " + std::to_string(e.getExtendedErrorCode()) + ")"};
  }
}

connection::connection(const std::string& path, mode m) : db_(path, flags_of(m), busy_timeout_ms) {
  db_.exec("PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY; PRAGMA secure_delete = OFF");
  db_.exec(m == mode::read_only ? "PRAGMA query_only = ON; PRAGMA cache_size = -8192" : "PRAGMA cache_size = -65536");
}

SQLite::Statement& connection::statement(std::string_view sql) {
  std::string key(sql);
  auto it = statements_.find(key);
  if (it == statements_.end()) it = statements_.try_emplace(key, db_, key).first;
  return it->second;
}

bool connection::in_transaction() const noexcept { return sqlite3_get_autocommit(db_.getHandle()) == 0; }

void connection::roll_back() noexcept {
  if (in_transaction()) sqlite3_exec(db_.getHandle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void cursor::read(core::trace_id& v) {
  auto hex = text();
  if (hex.size() == 32)
    for (std::size_t at : {8U, 13U, 18U, 23U}) hex.insert(at, 1, '-');
  v = core::trace_id::parse(hex).value_or(core::trace_id{});
}

}  // namespace troupe::storage
