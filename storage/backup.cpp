#include "storage/backup.hpp"

#include "storage/connection.hpp"
#include "storage/schema.hpp"

#include <SQLiteCpp/Backup.h>
#include <sqlite3.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

namespace troupe::storage {

namespace fs = std::filesystem;
using core::errc;
using core::error;

namespace {

/// 1 MiB of SQLite's usual pages: some hundred reports for a database of some hundred megabytes.
constexpr int pages_per_step = 256;

/// Removes the unfinished copy, unless it was finished.
struct unfinished {
  std::string path;
  bool is_kept = false;

  explicit unfinished(std::string at) : path(std::move(at)) { remove(); }
  ~unfinished() {
    if (!is_kept) remove();
  }
  unfinished(const unfinished&) = delete;
  unfinished& operator=(const unfinished&) = delete;

  void remove() const {
    for (const char* more : {"", "-journal", "-wal", "-shm"}) {
      std::error_code ignored;
      fs::remove(path + more, ignored);
    }
  }
};

bool sync(const std::string& path, int flags) {
  int fd = ::open(path.c_str(), flags | O_CLOEXEC);
  if (fd < 0) return false;
  bool done = ::fsync(fd) == 0;
  ::close(fd);
  return done;
}

core::result<void> copy_database(const std::string& from, const std::string& to, const backup_progress& progress) {
  connection source(from, connection::mode::read_only);
  if (version_of(source) == 0)
    return error{errc::configuration_error, "database `" + from + "` was not made by troupe; name its folder with --data"};
  connection target(to, connection::mode::read_write);
  // A read transaction holds the snapshot: without one every commit of the server would start the copy again.
  source.database().exec("BEGIN");
  source.database().execAndGet("SELECT count(*) FROM sqlite_schema");
  {
    SQLite::Backup copying(target.database(), source.database());
    for (bool is_more = true; is_more;) {
      int got = copying.executeStep(pages_per_step);
      if (got == SQLITE_BUSY || got == SQLITE_LOCKED)
        return error{errc::storage_unavailable, "backup: database `" + from + "` is locked by another program; end it"};
      is_more = got != SQLITE_DONE;
      std::int64_t total = copying.getTotalPageCount();
      if (!progress(total - copying.getRemainingPageCount(), total))
        return error{errc::cancelled, "backup: stopped; nothing was written"};
    }
  }
  source.roll_back();
  // The copy says of itself that it has a log beside it, as the original has. It is one file.
  target.database().execAndGet("PRAGMA journal_mode = DELETE");
  return {};
}

}  // namespace

core::result<backup_report> back_up(const std::string& data, const std::string& file, bool replace,
                                    const backup_progress& progress) {
  const auto from = data + "/troupe.db";
  std::error_code failure;
  if (!fs::is_regular_file(from, failure))
    return error{errc::configuration_error, "there is no database `" + from + "`; name its folder with --data"};
  if (fs::is_directory(file, failure))
    return error{errc::configuration_error, "--to " + file + " is a folder; name a file in it"};
  if (fs::exists(file, failure) && fs::equivalent(from, file, failure))
    return error{errc::configuration_error, "--to " + file + " is the database itself; name another file"};
  if (fs::exists(file, failure) && !fs::is_regular_file(file, failure))
    return error{errc::configuration_error, "--to " + file + " is no regular file; name another"};
  if (fs::exists(file, failure) && !replace)
    return error{errc::configuration_error, "`" + file + "` exists; name another file, or replace it with --force"};
  auto folder = fs::path(file).parent_path();
  if (folder.empty()) folder = ".";
  if (!fs::is_directory(folder, failure))
    return error{errc::configuration_error, "there is no folder `" + folder.string() + "`; make it first"};

  unfinished part(file + ".part");
  // Everything that anybody has said is in it: for its owner only, as the data folder is.
  if (int fd = ::open(part.path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR); fd >= 0)
    ::close(fd);
  else
    return error{errc::storage_unavailable, "`" + part.path + "` cannot be written; check the folder's permissions"};
  std::int64_t pages = 0;
  try {
    auto done = copy_database(from, part.path, [&](std::int64_t copied, std::int64_t total) {
      pages = total;
      return progress(copied, total);
    });
    if (!done) return done.error();
  } catch (const SQLite::Exception& e) {
    if (e.getErrorCode() == SQLITE_FULL)
      return error{errc::storage_unavailable,
                   "backup: there is no room for `" + file + "`; make some, or name a file on another disk"};
    return translate(e, "backup of `" + from + "` to `" + file + "`");
  }
  backup_report report{pages, static_cast<std::int64_t>(fs::file_size(part.path, failure))};
  if (failure || !sync(part.path, O_RDWR))
    return error{errc::storage_unavailable, "backup: `" + part.path + "` cannot be written to disk; is there room?"};
  fs::rename(part.path, file, failure);
  if (failure) return error{errc::storage_unavailable, "backup: `" + file + "`: " + failure.message()};
  part.is_kept = true;
  // The name is on disk too.
  if (!sync(folder.string(), O_RDONLY | O_DIRECTORY))
    return error{errc::storage_unavailable, "backup: the folder of `" + file + "` cannot be written to disk"};
  return report;
}

}  // namespace troupe::storage
