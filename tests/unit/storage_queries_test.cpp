#include "core/event_json.hpp"
#include "core/history.hpp"
#include "storage/connection.hpp"
#include "storage/store.hpp"
#include "tests/unit/storage_test_support.hpp"

using namespace storage_test;

namespace {

struct queries_fixture {
  std::unique_ptr<storage::store> store = storage::store::open_in_memory().value();
  std::unique_ptr<storage::queries> q = store->open_queries().value();
};

}  // namespace

TEST_CASE("queries: events after any seq are exact, also in the middle of a delta", "[storage]") {
  queries_fixture f;
  session_log log;
  log.whole_turn();
  commit(*f.store, log);
  // One entry per seq: the piece or the kind that owns it.
  auto spell_out = [](const std::vector<event>& events) {
    std::vector<std::string> out;
    for (const auto& e : events) {
      if (const auto* d = e.as<text_delta>()) {
        std::size_t at = 0;
        for (auto n : d->pieces.lengths) {
          out.push_back(d->pieces.text.substr(at, n));
          at += n;
        }
      } else {
        out.emplace_back(kind_of(e.payload));
      }
    }
    return out;
  };
  auto all = spell_out(log.all);
  REQUIRE(all.size() == log.seq);
  for (seq_t after = 0; after <= log.seq + 1; ++after) {
    auto got = f.q->events(log.id, after, log.seq, 1000);
    if (!got.empty()) CHECK(got.front().first == after + 1);
    CHECK(spell_out(got) ==
          std::vector<std::string>(all.begin() + static_cast<std::ptrdiff_t>(std::min<seq_t>(after, log.seq)), all.end()));
  }
}

TEST_CASE("queries: events come one by one as they come in pages, with their sizes, until enough were taken", "[storage]") {
  queries_fixture f;
  session_log log;
  log.whole_turn();
  auto edited = log.user("first words");
  log.add(run_queued{make<run_id>(), edited, 1});
  log.add(message_edited{edited, "other words"});
  log.start(edited);
  commit(*f.store, log);
  for (seq_t after : {seq_t{0}, seq_t{3}, seq_t{9}, log.seq}) {
    std::vector<event> all;
    std::size_t bytes = 0;
    f.q->each_event(log.id, after, [&](event e, std::size_t size) {
      all.push_back(std::move(e));
      bytes += size;
      return true;
    });
    auto pages = f.q->events(log.id, after, log.seq, 1'000);
    REQUIRE(all.size() == pages.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
      CHECK(all[i].first == pages[i].first);
      CHECK(all[i].seq == pages[i].seq);
      CHECK(payload_to_text(all[i].payload) == payload_to_text(pages[i].payload));
      const auto* run = all[i].as<run_started>();
      if (run) CHECK(run->question == pages[i].as<run_started>()->question);
    }
    CHECK((bytes > 0) == !all.empty());
  }
  int taken = 0;
  f.q->each_event(log.id, 0, [&](const event&, std::size_t) { return ++taken < 3; });
  CHECK(taken == 3);
  f.q->each_event(make<session_id>(), 0, [&](const event&, std::size_t) { return ++taken > 0; });
  CHECK(taken == 3);
}

TEST_CASE("queries: events end at `upto` and at the limit", "[storage]") {
  queries_fixture f;
  session_log log;
  auto r = log.start(log.user("hi"));
  auto m = log.step(r, 1);
  log.text(m, {"a", "b", "c"});  // seqs 5 to 7
  commit(*f.store, log);
  CHECK(f.q->events(log.id, 0, 7, 100).size() == 5);
  CHECK(f.q->events(log.id, 0, 6, 100).size() == 4);
  CHECK(f.q->events(log.id, 0, 7, 2).size() == 2);
  CHECK(f.q->events(log.id, 0, std::numeric_limits<seq_t>::max(), 100).size() == 5);
  CHECK(f.q->events(make<session_id>(), 0, 7, 100).empty());
}

TEST_CASE("queries: a reader finds where the run begins that a seq is in", "[storage]") {
  queries_fixture f;
  session_log log;
  log.whole_turn();
  auto between = log.seq;
  log.whole_turn();
  commit(*f.store, log);
  CHECK(f.q->run_start_before(log.id, 0) == 0);
  CHECK(f.q->run_start_before(log.id, 1) == 1);
  CHECK(f.q->run_start_before(log.id, 2) == 1);
  CHECK(f.q->run_start_before(log.id, between) == 3);
  CHECK(f.q->run_start_before(log.id, log.seq) == between + 2);
  CHECK(f.q->run_start_before(make<session_id>(), 5) == 0);
}

TEST_CASE("queries: history events fold to the same history as the whole log", "[storage]") {
  queries_fixture f;
  session_log log;
  log.whole_turn();
  auto r = log.start(log.user("more"));
  auto m = log.step(r, 1);
  log.text(m, {"a", "b"});
  log.add(message_completed{r, 1, m, "", {{{"c"}, "clock", "{}"}}, finish_reason::tool_calls, false});
  log.add(run_cancelled{r, "", false});
  commit(*f.store, log);
  history whole;
  for (const auto& e : log.all) whole.apply(e);
  history folded;
  for (const auto& e : f.q->history_events(log.id, log.seq)) {
    CHECK_FALSE(e.as<text_delta>());
    folded.apply(e);
  }
  CHECK(folded.messages() == whole.messages());
  CHECK(folded.messages().size() == 7);
  CHECK(f.q->history_events(log.id, 2).size() == 1);
}

TEST_CASE("queries: a session wakes with its queue and its live run, and nothing older", "[storage]") {
  queries_fixture f;
  session_log log;
  log.whole_turn();
  auto live_question = log.user("the live one");
  auto started = log.seq + 1;
  auto live = log.start(live_question);
  auto m = log.step(live, 1);
  log.text(m, {"a", "b"});
  auto waiting = log.user("the next one", "client-9");
  auto queued = make<run_id>();
  log.add(run_queued{queued, waiting, 1});
  commit(*f.store, log, 9000);

  auto state = f.q->session_state(log.id);
  REQUIRE(state);
  CHECK(state->session.last_seq == log.seq);
  CHECK(state->session.reserved_seq == 9000);
  REQUIRE(state->live_run.size() == 5);
  CHECK(state->live_run.front().seq == started);
  CHECK(state->live_run.front().as<run_started>()->run == live);
  CHECK(state->live_content == "the live one");
  REQUIRE(state->queue.size() == 1);
  CHECK(state->queue[0].run == queued);
  CHECK(state->queue[0].message == waiting);
  CHECK(state->queue[0].content == "the next one");
  CHECK(state->queue[0].author == "ann");
  CHECK(state->queue[0].client_message_id == "client-9");
  CHECK(f.q->sessions_in_flight() == std::vector<session_id>{log.id});
  CHECK_FALSE(f.q->session_state(make<session_id>()));

  log.add(run_failed{live, errc::timeout, "slow", 1});
  log.add(run_dequeued{queued, waiting});
  commit(*f.store, log);
  state = f.q->session_state(log.id);
  CHECK(state->live_run.empty());
  CHECK(state->queue.empty());
  CHECK(f.q->sessions_in_flight().empty());
  auto failed = f.q->run(live);
  CHECK(failed->error_code == "TIMEOUT");
  CHECK(failed->error_text == "slow");
}

TEST_CASE("queries: messages are paged oldest first, without those taken out of the queue", "[storage]") {
  queries_fixture f;
  session_log log;
  std::vector<message_id> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(log.user("m" + std::to_string(i)));
  auto r = make<run_id>();
  log.add(run_queued{r, ids[1], 1});
  commit(*f.store, log);
  log.add(run_dequeued{r, ids[1]});
  commit(*f.store, log);
  auto page = f.q->messages(log.id, {2, 1});
  CHECK(page.total == 4);
  REQUIRE(page.items.size() == 2);
  CHECK(page.items[0].content == "m2");
  CHECK(page.items[0].number == 3);
  CHECK(f.q->messages(log.id, {100, 100}).items.empty());
  CHECK(f.q->session(log.id)->message_count == 4);
  CHECK(f.q->run(r)->status == run_status::dequeued);
}

TEST_CASE("queries: a client's own id finds its message and run, in its session only", "[storage]") {
  queries_fixture f;
  session_log log;
  session_log other;
  auto m = log.user("hi", "c-1");
  commit(*f.store, log);
  auto r = log.start(m);
  other.user("hi", "c-2");
  commit(*f.store, log);
  commit(*f.store, other);
  auto found = f.q->message_by_client_id(log.id, "c-1");
  REQUIRE(found);
  CHECK(found->id == m);
  CHECK(found->run == r);
  CHECK_FALSE(f.q->message_by_client_id(log.id, "c-2"));
  CHECK_FALSE(f.q->message_by_client_id(log.id, ""));
}

TEST_CASE("queries: sessions are filtered, and last used come first", "[storage]") {
  queries_fixture f;
  session_log a("demo", "nexus", "ann");
  session_log b("demo", "sse", "bob");
  session_log c("other", "nexus", "ann");
  a.add(session_updated{session_status::active, "100% Holiday_plans"});
  b.now += millis(5000);
  b.user("newest");
  for (auto* log : {&a, &b, &c}) commit(*f.store, *log);

  auto ids = [&](const storage::session_filter& filter, window w = {}) {
    std::vector<session_id> out;
    for (const auto& s : f.q->sessions(filter, w).items) out.push_back(s.id);
    return out;
  };
  CHECK(ids({}).size() == 3);
  CHECK(ids({})[0] == b.id);
  CHECK(ids({project_id{"demo"}, {}, {}, ""}) == std::vector{b.id, a.id});
  CHECK(ids({{}, "nexus", {}, ""}).size() == 2);
  CHECK(ids({project_id{"demo"}, {}, "ann", ""}) == std::vector{a.id});
  CHECK(ids({{}, {}, {}, "holiday"}) == std::vector{a.id});
  CHECK(ids({{}, {}, {}, "0% h"}) == std::vector{a.id});
  CHECK(ids({{}, {}, {}, "holiday-plans"}).empty());
  CHECK(ids({{}, {}, {}, "100_ h"}).empty());
  CHECK(ids({}, {1, 1}).size() == 1);
  CHECK(f.q->sessions({}, {1, 1}).total == 3);

  a.add(session_updated{session_status::deleted, ""});
  commit(*f.store, a);
  CHECK(ids({{}, {}, {}, "holiday"}).empty());
  CHECK(f.q->session(a.id)->status == session_status::deleted);
  CHECK(f.q->session(a.id)->title == "100% Holiday_plans");
}

TEST_CASE("queries: approvals are filtered by status, project and session", "[storage]") {
  queries_fixture f;
  session_log a;
  session_log b("other");
  std::vector<approval_id> ids;
  for (auto* log : {&a, &a, &b}) {
    auto r = log->start(log->user("x"));
    ids.push_back(make<approval_id>());
    log->add(approval_requested{
        r, ids.back(), {"c"}, "delete_file", R"({"path":"a"})", approval_kind::tool, "high", log->now + millis(9)});
    if (ids.size() == 1) log->add(approval_decided{r, ids.back(), {"c"}, decision::denied, "bob", "no", ""});
  }
  commit(*f.store, a);
  commit(*f.store, b);
  auto count = [&](const storage::approval_filter& filter) { return f.q->approvals(filter, {}).total; };
  CHECK(count({}) == 3);
  CHECK(count({"pending", {}, {}}) == 2);
  CHECK(count({"denied", {}, {}}) == 1);
  CHECK(count({"pending", project_id{"other"}, {}}) == 1);
  CHECK(count({{}, {}, a.id}) == 2);
  auto denied = f.q->approval(ids[0]);
  REQUIRE(denied);
  CHECK(denied->decision == decision::denied);
  CHECK(denied->note == "no");
  CHECK(denied->action == R"({"path":"a"})");
  CHECK(denied->agent == agent_id{"writer"});
  CHECK_FALSE(f.q->approval(make<approval_id>()));
}

TEST_CASE("queries: a trace has a span for each thing that took time", "[storage]") {
  queries_fixture f;
  session_log log;
  trace_id trace{next_uuid()};
  auto m = log.user("hi");
  auto r = make<run_id>();
  log.add(run_queued{r, m, 1});
  log.add(run_started{r, m, make<message_id>(), trace, {"writer"}, 7, log.now});
  auto reply = log.step(r, 1);
  log.add(message_completed{r, 1, reply, "", {{{"c"}, "clock", "{}"}}, finish_reason::tool_calls, false});
  log.usage(r, 1);
  log.add(tool_started{r, {"c"}, "clock", "{}", effect::once});
  log.add(approval_requested{r, make<approval_id>(), {"c"}, "clock", "{}", approval_kind::tool, "", millis(0)});
  commit(*f.store, log);
  auto spans = f.q->spans(trace);
  std::vector<std::string> kinds;
  for (const auto& s : spans) kinds.push_back(s.kind + " " + s.name + " " + s.status);
  CHECK(kinds == std::vector<std::string>{"run writer parked", "queue_wait writer ok", "model_call local/qwen3 ok",
                                          "tool_call clock open", "approval_wait clock pending"});
  CHECK(spans[0].ended_at == millis(0));
  CHECK(spans[0].cost == micro_usd{450});
  CHECK(spans[2].started_at < spans[2].ended_at);
  CHECK(spans[2].tokens == token_usage{120, 20, 30});
  CHECK(f.q->spans(trace_id{next_uuid()}).empty());
}

TEST_CASE("queries: traces and runs are listed newest first", "[storage]") {
  queries_fixture f;
  session_log log;
  session_log other("other");
  auto first = log.whole_turn();
  auto second = log.whole_turn();
  log.add(run_queued{make<run_id>(), log.user("waits"), 1});
  other.whole_turn();
  commit(*f.store, log);
  commit(*f.store, other);
  auto traces = f.q->traces({log.project, {}}, {});
  CHECK(traces.total == 2);
  REQUIRE(traces.items.size() == 2);
  CHECK(traces.items[0].run == second);
  CHECK(traces.items[1].run == first);
  CHECK(traces.items[0].kind == "run");
  CHECK(f.q->traces({}, {}).total == 3);
  CHECK(f.q->traces({{}, other.id}, {}).total == 1);
  auto runs = f.q->runs(log.id, {2, 1});
  CHECK(runs.total == 3);
  CHECK(runs.items[0].id == second);
}

TEST_CASE("queries: a run that waited in a queue is among the traces where it began", "[storage]") {
  queries_fixture f;
  session_log waits;
  auto m = waits.user("waits");
  auto late = make<run_id>();
  waits.add(run_queued{late, m, 1});
  commit(*f.store, waits);
  session_log other("demo");
  other.now = waits.now + millis(1'000);
  auto early = other.whole_turn();
  commit(*f.store, other);
  waits.now = other.now + millis(60'000);
  waits.add(run_started{late, m, make<message_id>(), trace_id{next_uuid()}, {"writer"}, 7, waits.now});
  commit(*f.store, waits);
  for (const auto& project : {std::optional<project_id>(waits.project), std::optional<project_id>()}) {
    auto traces = f.q->traces({project, {}}, {});
    REQUIRE(traces.items.size() == 2);
    CHECK(traces.items[0].run == late);
    CHECK(traces.items[1].run == early);
  }
}

TEST_CASE("queries: usage is summed by project and UTC day", "[storage]") {
  queries_fixture f;
  session_log log;
  session_log other("other");
  log.now = new_year - millis(1000);
  auto r = log.start(log.user("x"));
  log.usage(r, 1, 100);
  log.now = new_year;
  log.usage(r, 2, 30);
  commit(*f.store, log);
  log.usage(r, 3, 4);
  other.usage(other.start(other.user("x")), 1, 5000);
  commit(*f.store, log);
  commit(*f.store, other);
  auto days = f.q->usage_by_day(log.project, new_year - millis(86'400'000));
  REQUIRE(days.size() == 2);
  CHECK(days[0].date == "2024-12-31");
  CHECK(days[0].cost == micro_usd{100});
  CHECK(days[1].date == "2025-01-01");
  CHECK(days[1].cost == micro_usd{34});
  CHECK(days[1].requests == 2);
  CHECK(days[1].tokens == 300);
  CHECK(f.q->usage_by_day(log.project, new_year + millis(5)).size() == 1);
}

TEST_CASE("queries: what cannot be read is not taken for nothing", "[storage]") {
  temporary_folder folder;
  auto s = open_store(folder.path());
  session_log log;
  log.user("hi");
  commit(*s, log);
  storage::connection(folder.database(), storage::connection::mode::read_write)
      .database()
      .exec("UPDATE log SET payload = '{' WHERE last_seq = 2");
  auto q = s->open_queries().value();
  CHECK_THROWS_AS(q->events(log.id, 0, 10, 10), bad_result);
  storage::connection(folder.database(), storage::connection::mode::read_write).database().exec("DROP TABLE usage_agent_days");
  CHECK_THROWS_AS(q->usage_by_day(log.project, millis(0)), bad_result);
}

TEST_CASE("queries: the frequent ones use an index", "[storage]") {
  temporary_folder folder;
  auto s = open_store(folder.path());
  storage::connection c(folder.database(), storage::connection::mode::read_only);
  auto plan = [&](const std::string& sql) {
    std::string out;
    storage::cursor rows(c.statement("EXPLAIN QUERY PLAN " + sql));
    while (rows.next()) {
      rows.integer();
      rows.integer();
      rows.integer();
      out += rows.text() + "\n";
    }
    INFO(out);
    CHECK(out.find("SCAN") == std::string::npos);
    CHECK(out.find("TEMP B-TREE") == std::string::npos);
  };
  plan("SELECT payload FROM log WHERE session = 1 AND last_seq > 5 AND last_seq <= 9 ORDER BY last_seq LIMIT 3");
  plan("SELECT content FROM messages WHERE session = 'x' AND id = 'y' ORDER BY number DESC LIMIT 1");
  plan("SELECT content FROM messages WHERE session = 'x' AND client_message_id = 'y' AND client_message_id <> ''");
  plan("SELECT id FROM runs WHERE session = 'x' ORDER BY n DESC LIMIT 5");
  plan("SELECT id FROM runs WHERE trace IS NOT NULL AND project = 'x' ORDER BY started_at_ms DESC, n DESC LIMIT 5");
  plan("SELECT id FROM runs WHERE session = 'x' AND status IN ('queued', 'running', 'parked') ORDER BY n");
  plan("SELECT id FROM sessions WHERE project = 'x' ORDER BY updated_at_ms DESC LIMIT 5");
  plan("SELECT id FROM sessions WHERE id BETWEEN 'x' AND 'y' ORDER BY id LIMIT 1");
  std::string visible =
      " IN (SELECT id FROM sessions WHERE owner = 'x' UNION ALL SELECT session FROM participants WHERE user = 'x')";
  plan("SELECT count(*) FROM sessions WHERE +project = 'x' AND id" + visible);
  plan("SELECT count(*) FROM runs WHERE +project = 'x' AND session" + visible);
  plan("SELECT count(*) FROM approvals WHERE +project = 'x' AND session" + visible);
  plan("SELECT user FROM participants WHERE session = 'x' ORDER BY user");
  plan("SELECT emoji FROM reactions WHERE session = 'x' AND message = 'y'");
  plan("SELECT data FROM files WHERE session = 'x' AND id = 'y'");
}
