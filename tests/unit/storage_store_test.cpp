#include "storage/connection.hpp"
#include "storage/schema.hpp"
#include "tests/unit/storage_test_support.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

using namespace storage_test;
using Catch::Contains;

namespace {

error failure_of(const std::string& folder) {
  storage_config config;
  config.data = folder;
  auto r = storage::store::open(config);
  REQUIRE(r.has_error());
  CHECK_THAT(r.error().text, Contains(folder));
  return r.error();
}

void run_sql(const std::string& path, const std::string& sql) {
  SQLite::Database(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE).exec(sql);
}

}  // namespace

TEST_CASE("store: what was committed is there after opening again", "[storage]") {
  temporary_folder folder;
  session_log log;
  {
    auto s = open_store(folder.path() + "/made/for/it");
    log.whole_turn();
    commit(*s, log);
  }
  auto s = open_store(folder.path() + "/made/for/it");
  CHECK(s->open_queries().value()->session(log.id)->last_seq == log.seq);
  log.whole_turn();
  commit(*s, log);
  CHECK(s->open_queries().value()->messages(log.id, {}).total == 6);
}

TEST_CASE("store: readers have their own connections and see what is committed", "[storage]") {
  temporary_folder folder;
  auto s = open_store(folder.path());
  auto first = s->open_queries().value();
  auto second = s->open_queries().value();
  session_log log;
  CHECK_FALSE(first->session(log.id));
  commit(*s, log);
  CHECK(first->session(log.id));
  CHECK(second->session(log.id));
}

TEST_CASE("store: the settings of the file are those of the design", "[storage]") {
  temporary_folder folder;
  for (bool full : {false, true}) {
    storage_config config;
    config.data = folder.path();
    config.full_sync = full;
    auto s = storage::store::open(config);
    REQUIRE(s.has_value());
    storage::connection reader(folder.database(), storage::connection::mode::read_only);
    CHECK(reader.database().execAndGet("PRAGMA journal_mode").getString() == "wal");
    CHECK(reader.database().execAndGet("PRAGMA foreign_keys").getInt() == 1);
    CHECK(reader.database().execAndGet("PRAGMA busy_timeout").getInt() == 5000);
    CHECK(storage::version_of(reader) == storage::schema_version);
    CHECK_THROWS_AS(reader.database().exec("DELETE FROM sessions"), SQLite::Exception);
  }
  struct stat info {};
  REQUIRE(stat((folder.path() + "/lock").c_str(), &info) == 0);
  CHECK((info.st_mode & 0077) == 0);
}

TEST_CASE("store: a folder in use is refused and names who has it", "[storage]") {
  temporary_folder folder;
  auto s = open_store(folder.path());
  auto e = failure_of(folder.path());
  CHECK(e.code == errc::storage_unavailable);
  CHECK_THAT(e.text, Contains("in use") && Contains(std::to_string(getpid())) && Contains("--data"));
  s.reset();
  CHECK(open_store(folder.path()));
}

TEST_CASE("store: a file that is no database of ours is left alone", "[storage]") {
  temporary_folder folder;
  SECTION("text") {
    std::ofstream(folder.database()) << std::string(5000, 'x');
    auto e = failure_of(folder.path());
    CHECK(e.code == errc::configuration_error);
    CHECK_THAT(e.text, Contains("not a SQLite database"));
  }
  SECTION("another program's database") {
    run_sql(folder.database(), "CREATE TABLE theirs (a)");
    auto e = failure_of(folder.path());
    CHECK(e.code == errc::configuration_error);
    CHECK_THAT(e.text, Contains("not made by troupe"));
    CHECK(SQLite::Database(folder.database()).tableExists("theirs"));
  }
  SECTION("a newer schema") {
    run_sql(folder.database(), "PRAGMA user_version = 999");
    auto e = failure_of(folder.path());
    CHECK(e.code == errc::configuration_error);
    CHECK_THAT(e.text, Contains("999") && Contains("newer"));
  }
}

TEST_CASE("store: a folder that cannot be made or written is named", "[storage]") {
  temporary_folder folder;
  std::ofstream(folder.path() + "/file") << "x";
  CHECK(failure_of(folder.path() + "/file/data").code == errc::storage_unavailable);
  std::filesystem::create_directory(folder.database());
  CHECK(failure_of(folder.path()).code == errc::storage_unavailable);
  if (geteuid() != 0) {  // root may write anywhere
    std::filesystem::create_directory(folder.path() + "/closed");
    std::filesystem::permissions(folder.path() + "/closed",
                                 std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
    CHECK(failure_of(folder.path() + "/closed").code == errc::storage_unavailable);
  }
}

TEST_CASE("store: in memory, queries see what the writer wrote, and stores do not mix", "[storage]") {
  auto a = storage::store::open_in_memory().value();
  auto b = storage::store::open_in_memory().value();
  session_log log;
  commit(*a, log);
  CHECK(a->open_queries().value()->session(log.id));
  CHECK_FALSE(b->open_queries().value()->session(log.id));
  auto q = a->open_queries().value();
  a.reset();
  CHECK(q->session(log.id));
}

TEST_CASE("store: a person can follow a session with the sqlite3 shell", "[storage]") {
  temporary_folder folder;
  auto s = open_store(folder.path());
  session_log log;
  log.whole_turn();
  commit(*s, log);
  SQLite::Database db(folder.database());
  CHECK(db.execAndGet("SELECT count(*) FROM events WHERE session = '" + log.id.str() + "'").getInt64() ==
        static_cast<std::int64_t>(log.all.size()));
  CHECK(db.execAndGet("SELECT json_extract(payload, '$.input.zone') FROM events WHERE kind = 'tool_started'").getString() ==
        "UTC");
  CHECK(db.execAndGet("SELECT content FROM messages WHERE role = 'user'").getString() == "What time is it?");
  CHECK(db.execAndGet("SELECT count(*) FROM spans").getInt() == 4);
  CHECK(db.execAndGet("SELECT provider || '/' || model || ' ' || config_hash FROM agents WHERE id = 'writer'").getString() ==
        "local/qwen3 0000000000000007");
}
