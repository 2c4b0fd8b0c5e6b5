#include "storage/connection.hpp"
#include "tests/unit/storage_test_support.hpp"

#include <fstream>
#include <iterator>

using namespace storage_test;
using Catch::Contains;

namespace {

struct damaged {
  temporary_folder folder;
  session_log log;
  run_id run;

  damaged() {
    auto s = open_store(folder.path());
    run = log.whole_turn();
    auto r = log.start(log.user("delete"));
    log.add(tool_started{r, {"c"}, "delete_file", "{}", effect::once});
    log.add(approval_requested{r, make<approval_id>(), {"c"}, "delete_file", "{}", approval_kind::tool, "", millis(0)});
    commit(*s, log);
    session_log other;
    other.whole_turn();
    commit(*s, other);
  }
  /// Changes the file behind the program's back.
  void exec(const std::string& sql) const {
    SQLite::Database(folder.database(), SQLite::OPEN_READWRITE).exec("PRAGMA foreign_keys = OFF; " + sql);
  }
  [[nodiscard]] std::string found() const {
    std::string out;
    for (const auto& f : findings_of(folder.path())) out += f + "\n";
    return out;
  }
};

std::string bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("check: a sound database has no findings, is counted and is not changed", "[storage]") {
  damaged d;
  auto before = bytes_of(d.folder.database());
  auto report = storage::check(d.folder.path());
  REQUIRE(report.has_value());
  CHECK(report->findings.empty());
  CHECK(report->sessions == 2);
  CHECK(report->events > 20);
  CHECK(bytes_of(d.folder.database()) == before);
}

TEST_CASE("check: works while the store is open", "[storage]") {
  temporary_folder folder;
  auto s = open_store(folder.path());
  session_log log;
  log.whole_turn();
  commit(*s, log);
  CHECK(findings_of(folder.path()).empty());
}

TEST_CASE("check: reads what a crash left behind", "[storage]") {
  temporary_folder folder;
  temporary_folder copy;
  auto s = open_store(folder.path());
  session_log log;
  log.whole_turn();
  commit(*s, log);
  for (auto name : {"/troupe.db", "/troupe.db-wal"}) std::filesystem::copy_file(folder.path() + name, copy.path() + name);
  auto report = storage::check(copy.path());
  REQUIRE(report.has_value());
  CHECK(report->findings.empty());
  CHECK(report->sessions == 1);
  s.reset();
  CHECK(open_store(copy.path())->open_queries().value()->session(log.id)->last_seq == log.seq);
}

TEST_CASE("check: a missing event is a gap", "[storage]") {
  damaged d;
  d.exec("DELETE FROM log WHERE session = 1 AND last_seq = 2");
  CHECK_THAT(d.found(), Contains(d.log.id.str()) && Contains("seqs 2 to 2 are missing"));
}

TEST_CASE("check: a log without its end is noticed", "[storage]") {
  damaged d;
  d.exec("DELETE FROM log WHERE session = 1 AND last_seq = (SELECT max(last_seq) FROM log WHERE session = 1)");
  CHECK_THAT(d.found(), Contains(d.log.id.str()) && Contains("ends at seq"));
}

TEST_CASE("check: events that overlap or have too few pieces are noticed", "[storage]") {
  damaged d;
  d.exec("UPDATE log SET first_seq = first_seq - 1 WHERE session = 1 AND kind = 'run_completed'");
  CHECK_THAT(d.found(), Contains("overlaps") && Contains("1 pieces for 2 seqs"));
}

TEST_CASE("check: an unreadable event is named", "[storage]") {
  damaged d;
  d.exec("UPDATE log SET payload = '{\"step\":\"x\"}' WHERE session = 1 AND last_seq = 4");
  CHECK_THAT(d.found(), Contains(d.log.id.str()) && Contains("event 4") && Contains("step"));
}

TEST_CASE("check: a changed message is named", "[storage]") {
  damaged d;
  d.exec("UPDATE messages SET content = 'never said' WHERE session = '" + d.log.id.str() + "' AND number = 3");
  CHECK_THAT(d.found(), Contains("message 3: content differs"));
  d.exec("DELETE FROM messages WHERE session = '" + d.log.id.str() + "' AND number = 3");
  CHECK_THAT(d.found(), Contains("message 3: the row is missing"));
}

TEST_CASE("check: money that does not add up is named", "[storage]") {
  damaged d;
  d.exec("UPDATE usage SET cost_micro_usd = 1 WHERE run = '" + d.run.str() + "'");
  auto found = d.found();
  CHECK_THAT(found, Contains("cost_micro_usd differs"));
  CHECK_THAT(found, Contains("usage_agent_days differs"));
  d.exec("UPDATE runs SET cost_micro_usd = 5 WHERE id = '" + d.run.str() +
         "'; UPDATE sessions SET prompt_tokens = 1 WHERE n = 1");
  found = d.found();
  CHECK_THAT(found, Contains("run " + d.run.str() + ": cost_micro_usd (the sum of its usage)"));
  CHECK_THAT(found, Contains("tokens (the sum of its usage)"));
}

TEST_CASE("check: a completed run with an unanswered call is named", "[storage]") {
  damaged d;
  // The result's event becomes a cost alert: seqs stay whole, the call stays open.
  d.exec("UPDATE log SET kind = 'cost_alert', payload = '{}' WHERE session = 1 AND kind = 'tool_completed'");
  CHECK_THAT(d.found(), Contains("call call_1 of completed run " + d.run.str() + " has no result"));
}

TEST_CASE("check: totals that the log itself contradicts are named", "[storage]") {
  damaged d;
  d.exec("UPDATE log SET payload = json_set(payload, '$.cost', 1) WHERE session = 1 AND kind = 'run_completed'");
  CHECK_THAT(d.found(), Contains("run_completed differs from the sum of its usage"));
}

TEST_CASE("check: rows without their parents, and rows too many, are named", "[storage]") {
  damaged d;
  d.exec("DELETE FROM sessions WHERE n = 1");
  CHECK_THAT(d.found(), Contains("table log row") && Contains("belongs to no row of sessions"));
  damaged e;
  e.exec(
      "INSERT INTO tool_calls (run, seq, id, session, tool, input, ok, output, effect, ms, started_at_ms, ended_at_ms) SELECT "
      "run, seq + 1000, id, session, tool, input, ok, output, effect, ms, 1, 1 FROM tool_calls "
      "LIMIT 1");
  CHECK_THAT(e.found(), Contains("tool call at seq") && Contains("the log has no such row"));
}

TEST_CASE("check: changed approvals, calls, runs and agents are named", "[storage]") {
  damaged d;
  d.exec(
      "UPDATE approvals SET decision = 'approved', decided_by = 'eve'; UPDATE tool_calls SET output = 'x' WHERE ok = 1;"
      "UPDATE runs SET status = 'completed' WHERE status = 'parked'; DELETE FROM agents");
  auto found = d.found();
  CHECK_THAT(found, Contains("decision differs") && Contains("decided_by differs"));
  CHECK_THAT(found, Contains("output differs"));
  CHECK_THAT(found, Contains("status differs"));
  CHECK_THAT(found, Contains("agent writer of project demo: the row is missing"));
}

TEST_CASE("check: damaged pages are named", "[storage]") {
  damaged d;
  d.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  {
    std::fstream file(d.folder.database(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096 * 3);
    file << std::string(4096, '\x7f');
  }
  auto report = storage::check(d.folder.path());
  CHECK((report.has_error() || !report->findings.empty()));
}

TEST_CASE("check: no database, or one of another version, is an error", "[storage]") {
  temporary_folder folder;
  CHECK(storage::check(folder.path()).has_error());
  damaged d;
  d.exec("PRAGMA user_version = 7");
  auto r = storage::check(d.folder.path());
  REQUIRE(r.has_error());
  CHECK_THAT(r.error().text, Contains("schema 7"));
}
