// A file that an earlier version wrote is brought up to date when it is opened.
#include "storage/connection.hpp"
#include "storage/schema.hpp"
#include "tests/unit/storage_test_support.hpp"

using namespace storage_test;

namespace {

/// What version 1 would have written for `log`: its tables made by its own step, its columns filled from a current file.
void write_version_1(const std::string& path, session_log& log) {
  temporary_folder current;
  {
    auto s = open_store(current.path());
    commit(*s, log);
  }
  storage::connection old(path, storage::connection::mode::read_write);
  storage::migrate(old, 1);
  auto& db = old.database();
  db.exec("ATTACH '" + current.database() + "' AS current; PRAGMA foreign_keys = OFF");
  std::vector<std::string> tables;
  {
    storage::cursor c(old.statement("SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name <> 'meta'"));
    while (c.next()) tables.push_back(c.text());
  }
  REQUIRE(tables.size() == 9);
  for (const auto& table : tables) {
    std::string columns;
    {
      SQLite::Statement info(db, "SELECT name FROM pragma_table_info('" + table + "', 'main')");
      while (info.executeStep()) columns += (columns.empty() ? "" : ", ") + info.getColumn(0).getString();
    }
    db.exec("INSERT INTO main." + table + " (" + columns + ") SELECT " + columns + " FROM current." + table);
  }
}

}  // namespace

TEST_CASE("migration: a file of version 1 keeps everything and goes on", "[storage]") {
  temporary_folder folder;
  session_log log;
  log.whole_turn();
  auto queued = log.user("waits");
  auto run = make<run_id>();
  log.add(run_queued{run, queued, 1});
  auto usage_of_first_day = log.now;
  write_version_1(folder.database(), log);
  {
    storage::connection old(folder.database(), storage::connection::mode::read_only);
    REQUIRE(storage::version_of(old) == 1);
    REQUIRE(old.database().execAndGet("SELECT count(*) FROM usage_days").getInt() == 1);
    REQUIRE(old.database().execAndGet("SELECT count(*) FROM log").getInt() == static_cast<int>(log.all.size()));
  }
  CHECK(storage::check(folder.path()).has_error());  // not without bringing it up to date

  auto s = open_store(folder.path());
  CHECK(findings_of(folder.path()) == std::vector<std::string>{});
  auto q = s->open_queries().value();
  CHECK(q->messages(log.id, {}).total == 4);
  CHECK(q->session_state(log.id)->queue.at(0).content == "waits");
  CHECK(q->usage_by_day(log.project, usage_of_first_day).at(0).cost == micro_usd{900});
  auto shares = q->usage_by(log.project, millis(0), usage_key::agent, {}).items;
  REQUIRE(shares.size() == 1);
  CHECK(shares[0].key == "writer");
  CHECK(shares[0].requests == 2);

  log.add(message_edited{queued, "edited"});
  log.add(session_updated{session_status::active, "", std::vector<std::string>{"bob"}, ""});
  log.add(history_cleared{"ann"});
  log.whole_turn();
  commit(*s, log);
  CHECK(q->messages(log.id, {}).total == 4);
  CHECK(q->usage_by_day(log.project, millis(0)).at(0).cost == micro_usd{1800});
  CHECK(findings_of(folder.path()) == std::vector<std::string>{});
}

TEST_CASE("migration: an empty file of version 1, and one brought up to date twice", "[storage]") {
  temporary_folder folder;
  {
    storage::connection old(folder.database(), storage::connection::mode::read_write);
    storage::migrate(old, 1);
  }
  for (int i = 0; i < 2; ++i) {
    auto s = open_store(folder.path());
    storage::connection c(folder.database(), storage::connection::mode::read_only);
    CHECK(storage::version_of(c) == storage::schema_version);
  }
  CHECK(findings_of(folder.path()).empty());
}
