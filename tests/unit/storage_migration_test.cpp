// A file that an earlier version wrote is brought up to date when it is opened.
#include "storage/connection.hpp"
#include "storage/schema.hpp"
#include "tests/unit/storage_test_support.hpp"

#include <sqlite3.h>

using namespace storage_test;

namespace {

/// What that version would have written for `log`: its tables made by its own steps, its columns filled from a current file.
void write_version(int version, std::size_t table_count, const std::string& path, session_log& log) {
  temporary_folder current;
  {
    auto s = open_store(current.path());
    commit(*s, log);
  }
  storage::connection old(path, storage::connection::mode::read_write);
  storage::migrate(old, version);
  auto& db = old.database();
  db.exec("ATTACH '" + current.database() + "' AS current; PRAGMA foreign_keys = OFF");
  std::vector<std::string> tables;
  {
    storage::cursor c(old.statement("SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name <> 'meta'"));
    while (c.next()) tables.push_back(c.text());
  }
  REQUIRE(tables.size() == table_count);
  for (const auto& table : tables) {
    db.exec("DELETE FROM main." + table);
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
  write_version(1, 9, folder.database(), log);
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

TEST_CASE("migration: a file of version 2 keeps its approvals, calls and files and goes on", "[storage]") {
  temporary_folder folder;
  session_log log;
  log.whole_turn();
  auto m = log.user("delete it");
  log.add(file_added{{make<file_id>(), "a", "text/plain", 3}, "ann", std::make_shared<const std::string>("abc")});
  log.add(reaction_changed{m, "+1", true, "bob", "Bob"});
  log.add(session_updated{session_status::active, "Title", std::vector<std::string>{"bob"}, ""});
  auto r = log.start(m);
  auto reply = log.step(r, 1);
  log.add(message_completed{r, 1, reply, "", {{{"c1"}, "delete_file", "{}"}}, finish_reason::tool_calls, false});
  log.add(tool_started{r, {"c1"}, "delete_file", R"({"path":"a"})", effect::once});
  auto denied = make<approval_id>();
  auto open = make<approval_id>();
  log.add(approval_requested{r, denied, {"c1"}, "delete_file", "{}", approval_kind::tool, "high", log.now + millis(9)});
  log.add(approval_decided{r, denied, {"c1"}, decision::denied, "bob", "no", R"({"path":"b"})"});
  log.add(approval_decided{r, denied, {"c1"}, decision::approved, "eve", "late", R"({"path":"c"})"});
  log.add(approval_requested{r, open, {"c1"}, "delete_file", "{}", approval_kind::tool, "high", log.now + millis(9)});
  write_version(2, 12, folder.database(), log);
  {
    storage::connection old(folder.database(), storage::connection::mode::read_only);
    REQUIRE(storage::version_of(old) == 2);
    REQUIRE(old.database().execAndGet("SELECT count(*) FROM approvals").getInt() == 2);
    REQUIRE_FALSE(old.database().tableExists("grants"));
  }

  auto s = open_store(folder.path());
  CHECK(findings_of(folder.path()) == std::vector<std::string>{});
  auto q = s->open_queries().value();
  CHECK(q->session(log.id)->parent.is_nil());
  CHECK(q->session(log.id)->depth == 0);
  auto waiting = q->approvals({"pending", {}, {}}, {});
  REQUIRE(waiting.items.size() == 1);
  CHECK(waiting.items[0].id == open);
  CHECK(waiting.items[0].deciders == 1);
  CHECK(waiting.items[0].choice == outcome_choice::none);
  CHECK(waiting.items[0].origin.is_nil());
  CHECK(q->approval(denied)->note == "no");
  CHECK(q->approval(denied)->edited_input == R"({"path":"b"})");  // of version 2 only the log had it
  CHECK(q->tool_calls(log.id).size() == 2);
  CHECK(q->tool_output(log.id, {"call_1"}, 0, 100)->text == "12:00");
  CHECK(q->files(log.id).size() == 1);
  CHECK(q->grants({{}, {}, true}, {}).total == 0);
  CHECK(q->spans(std::get<run_started>(log.all[2].payload).trace).size() == 4);

  auto grant = make<grant_id>();
  log.add(approval_endorsed{r, open, {"c1"}, "eve", "", ""});
  log.add(approval_decided{r, open, {"c1"}, decision::approved, "bob", "", R"({"path":"c"})"});
  log.add(grant_given{grant, grant_scope::session, "delete_file", "", millis(0), "bob", open});
  log.add(
      tool_completed{r, {"c1"}, "delete_file", true, "some", 4, 9, {}, {}, std::make_shared<const std::string>("some more")});
  commit(*s, log);
  CHECK(q->approval(open)->endorsed_by == std::vector<std::string>{"eve"});
  CHECK(q->grant(grant)->grant.approval == open);
  CHECK(q->tool_output(log.id, {"c1"}, 5, 100)->text == "more");
  CHECK(findings_of(folder.path()) == std::vector<std::string>{});
}

TEST_CASE("migration: the alerts in the log of a file of version 3 become a list, and feedback can be given", "[storage]") {
  temporary_folder folder;
  session_log log;
  log.whole_turn();
  log.add(cost_alert{"session", {500}, {1'000}, 50});
  log.add(cost_alert{"agent", {800}, {1'000}, 80});
  log.whole_turn();
  log.add(cost_alert{"project", {1'000}, {1'000}, 100});
  message_id answer;
  for (const auto& e : log.all)
    if (const auto* m = e.as<message_completed>()) answer = m->message;
  write_version(3, 14, folder.database(), log);
  {
    storage::connection old(folder.database(), storage::connection::mode::read_only);
    REQUIRE(storage::version_of(old) == 3);
    REQUIRE_FALSE(old.database().tableExists("alerts"));
  }

  auto s = open_store(folder.path());
  CHECK(findings_of(folder.path()) == std::vector<std::string>{});
  auto q = s->open_queries().value();
  auto alerts = q->alerts({log.project, {}}, {20, 0}).items;
  REQUIRE(alerts.size() == 3);
  CHECK(alerts[0].id == "demo");
  CHECK(alerts[1].id == "writer");
  CHECK(alerts[1].percent == 80);
  CHECK(alerts[1].spend == micro_usd{800});
  CHECK(alerts[2].id == log.id.str());
  CHECK(q->message(log.id, answer)->feedback.empty());

  log.add(message_feedback{answer, rating::up, "still good", "ann"});
  log.add(cost_alert{"session", {900}, {1'000}, 90});
  commit(*s, log);
  CHECK(q->message(log.id, answer)->feedback.at(0).note == "still good");
  CHECK(q->alerts({log.project, {}}, {20, 0}).total == 4);
  CHECK(findings_of(folder.path()) == std::vector<std::string>{});
}

TEST_CASE("migration: the list of alerts of one session takes time in proportion to its length, and knows each agent",
          "[storage]") {
  // Steps of SQLite's machine, in thousands, to bring up to date what has so many bills with an alert behind each.
  auto steps_for = [](int count) {
    temporary_folder folder;
    storage::connection c(folder.database(), storage::connection::mode::read_write);
    storage::migrate(c, 3);
    auto& db = c.database();
    db.exec(
        "PRAGMA foreign_keys = OFF;"
        "INSERT INTO sessions (n, id, project, agent, dialect, alias, owner, title, status, metadata, last_seq, reserved_seq,"
        " message_rows, message_count, prompt_tokens, cached_prompt_tokens, completion_tokens, cost_micro_usd)"
        " VALUES (1, 's', 'demo', 'last', 'd', '', 'ann', '', 'active', '', 0, 0, 0, 0, 0, 0, 0, 0);"
        "CREATE TEMP TABLE numbers AS WITH RECURSIVE up(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM up WHERE i + 1 < " +
        std::to_string(count) +
        ") SELECT i FROM up;"
        "INSERT INTO runs (id, session, project, agent, provider, model, config_hash, status, steps, error_code, error_text,"
        " first_seq, started_seq, ended_seq, prompt_tokens, cached_prompt_tokens, completion_tokens, cost_micro_usd)"
        " SELECT 'r' || i, 's', 'demo', 'a' || i % 7, '', '', '', 'completed', 1, '', '', 0, 0, 0, 0, 0, 0, 0 FROM numbers;"
        "INSERT INTO usage (run, seq, session, project, agent, step, provider, model, prompt_tokens, cached_prompt_tokens,"
        " completion_tokens, cost_micro_usd, estimated, attempts, at_ms)"
        " SELECT 'r' || i, 2 * i + 2, 's', 'demo', 'a' || i % 7, 1, 'x', 'm', 1, 0, 1, 1, 0, 1, i FROM numbers;"
        "INSERT INTO log (session, first_seq, last_seq, at_ms, kind, payload)"
        " SELECT 1, 2 * i + 1, 2 * i + 1, i, 'cost_alert', json_object('scope', 'agent', 'percent', 50) FROM numbers;");
    int steps = 0;
    auto count_one = [](void* n) { return ++*static_cast<int*>(n), 0; };
    sqlite3_progress_handler(db.getHandle(), 1'000, count_one, &steps);
    storage::migrate(c, 4);
    sqlite3_progress_handler(db.getHandle(), 0, nullptr, nullptr);
    // Each alert stands behind the bill before it; before the first there is none.
    CHECK(db.execAndGet("SELECT count(*) FROM alerts WHERE subject = CASE seq WHEN 1 THEN 'last'"
                        " ELSE 'a' || ((seq - 3) / 2) % 7 END")
              .getInt() == count);
    return steps;
  };
  const auto few = steps_for(500);
  const auto many = steps_for(2'000);
  CHECK(few > 0);
  CHECK(many < 8 * few);
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
