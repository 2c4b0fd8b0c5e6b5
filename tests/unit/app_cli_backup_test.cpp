#include "storage/backup.hpp"
#include "storage/store.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace troupe;
namespace fs = std::filesystem;

namespace {

/// A data folder with a table large enough for several steps; removed at the end.
struct data_folder {
  std::string path;
  std::unique_ptr<storage::store> store;

  data_folder() {
    std::string name = (fs::temp_directory_path() / "troupe-backup-XXXXXX").string();
    path = ::mkdtemp(name.data());
    core::storage_config config;
    config.data = path + "/data";
    fs::create_directory(config.data);
    auto opened = storage::store::open(config);
    REQUIRE(opened.has_value());
    store = std::move(*opened);
    write("CREATE TABLE filler (n INTEGER PRIMARY KEY, bytes BLOB)");
    for (int i = 0; i < 10; ++i) write("INSERT INTO filler (bytes) VALUES (zeroblob(1000000))");
  }
  ~data_folder() {
    store.reset();
    fs::remove_all(path);
  }
  data_folder(const data_folder&) = delete;
  data_folder& operator=(const data_folder&) = delete;

  [[nodiscard]] std::string data() const { return path + "/data"; }
  void write(const std::string& sql) const { SQLite::Database(data() + "/troupe.db", SQLite::OPEN_READWRITE, 5000).exec(sql); }
};

std::int64_t count(const std::string& file) {
  return SQLite::Database(file, SQLite::OPEN_READONLY).execAndGet("SELECT count(*) FROM filler").getInt64();
}

bool always(std::int64_t, std::int64_t) { return true; }

}  // namespace

TEST_CASE("backup: is of one moment, however much is written meanwhile", "[app]") {
  data_folder folder;
  auto file = folder.path + "/copy.db";
  int steps = 0;
  std::int64_t last = 0;
  auto report = storage::back_up(folder.data(), file, false, [&](std::int64_t copied, std::int64_t total) {
    CHECK(copied > last);
    CHECK(copied <= total);
    last = copied;
    // Every commit of another connection would begin the copy anew, if it held no snapshot.
    folder.write("INSERT INTO filler (bytes) VALUES (zeroblob(100000))");
    return ++steps < 1000;
  });
  REQUIRE(report.has_value());
  CHECK(steps > 5);
  CHECK(last == report->pages);
  CHECK(count(file) == 10);
  CHECK(static_cast<std::uintmax_t>(report->bytes) == fs::file_size(file));
  CHECK(count(folder.data() + "/troupe.db") == 10 + steps);
  SQLite::Database copy(file, SQLite::OPEN_READONLY);
  CHECK(copy.execAndGet("PRAGMA journal_mode").getString() == "delete");
  CHECK(copy.execAndGet("PRAGMA integrity_check").getString() == "ok");
}

TEST_CASE("backup: one that is stopped leaves nothing behind, and what was there before as it was", "[app]") {
  data_folder folder;
  auto file = folder.path + "/copy.db";
  std::ofstream(file) << "before";
  auto stopped = storage::back_up(folder.data(), file, true, [](std::int64_t, std::int64_t) { return false; });
  REQUIRE(stopped.has_error());
  CHECK(stopped.error().code == core::errc::cancelled);
  CHECK(fs::file_size(file) == 6);
  CHECK(std::distance(fs::directory_iterator(folder.path), fs::directory_iterator()) == 2);
}

TEST_CASE("backup: what it refuses, it says why", "[app]") {
  data_folder folder;
  auto refusal = [&](const std::string& data, const std::string& file) {
    auto done = storage::back_up(data, file, false, always);
    return done ? std::string("done") : done.error().text;
  };
  std::ofstream(folder.path + "/there") << "x";
  fs::create_directory(folder.path + "/other");
  std::ofstream(folder.path + "/other/troupe.db") << "no database at all, but long enough to be looked at as if it were one";
  CHECK(refusal(folder.path, "x").find("there is no database") == 0);
  CHECK(refusal(folder.data(), folder.path).find("is a folder") != std::string::npos);
  CHECK(refusal(folder.data(), folder.path + "/there").find("--force") != std::string::npos);
  CHECK(storage::back_up(folder.data(), "/dev/null", true, always).error().text.find("no regular file") != std::string::npos);
  CHECK(refusal(folder.data(), folder.data() + "/troupe.db").find("the database itself") != std::string::npos);
  CHECK(refusal(folder.data(), folder.path + "/none/copy.db").find("make it first") != std::string::npos);
  CHECK(refusal(folder.path + "/other", folder.path + "/copy.db").find("not a database") != std::string::npos);
  CHECK(!fs::exists(folder.path + "/copy.db.part"));
}
