#include "storage/store.hpp"

#include "storage/connection.hpp"
#include "storage/folder_lock.hpp"
#include "storage/journal.hpp"
#include "storage/queries.hpp"
#include "storage/schema.hpp"

#include <sqlite3.h>

#include <optional>

namespace troupe::storage {

using core::errc;
using core::error;

namespace {

class sqlite_store final : public store {
 public:
  sqlite_store(std::optional<folder_lock> lock, std::string path, std::shared_ptr<connection> c)
      : lock_(std::move(lock)), path_(std::move(path)), connection_(std::move(c)), journal_(*connection_) {}

  journal& writer() override { return journal_; }

  core::result<std::unique_ptr<queries>> open_queries() override {
    if (path_.empty()) return make_queries(connection_);
    try {
      return make_queries(std::make_shared<connection>(path_, connection::mode::read_only));
    } catch (const SQLite::Exception& e) {
      return translate(e, "opening `" + path_ + "` for reading");
    }
  }

 private:
  std::optional<folder_lock> lock_;  // given back last
  std::string path_;                 ///< empty: in memory
  std::shared_ptr<connection> connection_;
  sqlite_journal journal_;
};

error opening_failed(const SQLite::Exception& e, const std::string& path) {
  auto subject = "database `" + path + "`";
  switch (e.getErrorCode() & 0xff) {
    case SQLITE_NOTADB:
      return {errc::configuration_error,
              subject + " is not a SQLite database; move the file away or choose another folder with --data"};
    case SQLITE_CORRUPT:
      return {errc::configuration_error, subject + " is damaged; see `troupe check` and restore a backup"};
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return {errc::storage_unavailable,
              subject + " cannot be written: " + e.what() + "; change its permissions or choose another folder with --data"};
    case SQLITE_IOERR:
      return {errc::storage_unavailable, subject + ": " + e.what() + "; the disk of the data folder has a problem"};
    default:
      return translate(e, "opening " + subject);
  }
}

std::optional<error> refuse(connection& c, const std::string& path) {
  auto version = version_of(c);
  if (version > schema_version)
    return error{errc::configuration_error, "database `" + path + "` has schema " + std::to_string(version) +
                                                ", this program knows " + std::to_string(schema_version) +
                                                "; start a newer troupe or restore a backup"};
  if (version == 0 && c.database().execAndGet("SELECT count(*) FROM sqlite_schema").getInt() > 0)
    return error{errc::configuration_error,
                 "database `" + path + "` was not made by troupe; move the file away or choose another folder with --data"};
  return std::nullopt;
}

// Pages are written back to the file every 16 MB of log: often enough to keep recovery short, rarely enough that pages
// which change in every commit are written once. The log file is cut back to 64 MB.
void set_up_file(connection& c, bool full_sync) {
  auto& db = c.database();
  db.exec("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 4096; PRAGMA journal_size_limit = 67108864");
  db.exec(full_sync ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
}

}  // namespace

core::result<std::unique_ptr<store>> store::open(const core::storage_config& config) {
  auto lock = folder_lock::take(config.data);
  if (!lock) return lock.error();
  auto path = config.data + "/troupe.db";
  try {
    auto c = std::make_shared<connection>(path, connection::mode::read_write);
    if (auto refusal = refuse(*c, path)) return *refusal;
    set_up_file(*c, config.full_sync);
    migrate(*c);
    return std::make_unique<sqlite_store>(std::move(*lock), path, std::move(c));
  } catch (const SQLite::Exception& e) {
    return opening_failed(e, path);
  }
}

core::result<std::unique_ptr<queries>> open_for_reading(const std::string& data) {
  auto path = data + "/troupe.db";
  try {
    auto c = std::make_shared<connection>(path, connection::mode::read_only);
    if (auto refusal = refuse(*c, path)) return *refusal;
    if (version_of(*c) < schema_version)
      return error{errc::configuration_error, "database `" + path + "` is of an older troupe; start a server on it once"};
    return make_queries(std::move(c));
  } catch (const SQLite::Exception& e) {
    if ((e.getErrorCode() & 0xff) == SQLITE_CANTOPEN)
      return error{errc::configuration_error, "there is no database `" + path + "`; name its folder with --data"};
    return opening_failed(e, path);
  }
}

core::result<std::unique_ptr<store>> store::open_in_memory() {
  try {
    auto c = std::make_shared<connection>(":memory:", connection::mode::read_write);
    migrate(*c);
    return std::make_unique<sqlite_store>(std::nullopt, std::string(), std::move(c));
  } catch (const SQLite::Exception& e) {
    return translate(e, "opening an in-memory database");
  }
}

}  // namespace troupe::storage
