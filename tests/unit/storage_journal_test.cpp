#include "core/event_json.hpp"
#include "storage/connection.hpp"
#include "storage/journal.hpp"
#include "storage/schema.hpp"
#include "tests/unit/storage_test_support.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <random>

using namespace storage_test;
using Catch::Contains;

namespace {

std::vector<std::string> as_text(const std::vector<event>& events) {
  std::vector<std::string> out;
  for (const auto& e : events) out.push_back(boost::json::serialize(event_to_json(e)));
  return out;
}

}  // namespace

TEST_CASE("journal: a turn is stored as its events and as rows", "[storage]") {
  auto s = storage::store::open_in_memory().value();
  auto q = s->open_queries().value();
  session_log log;
  auto r = log.whole_turn();
  commit(*s, log, 5000);

  CHECK(as_text(q->events(log.id, 0, log.seq, 1000)) == as_text(log.all));
  auto session = q->session(log.id);
  REQUIRE(session);
  CHECK(session->project == log.project);
  CHECK(session->agent == agent_id{"writer"});
  CHECK(session->dialect == "nexus");
  CHECK(session->alias == "alias");
  CHECK(session->owner == "ann");
  CHECK(session->metadata == R"({"k":1})");
  CHECK(session->last_seq == log.seq);
  CHECK(session->reserved_seq == 5000);
  CHECK(session->message_count == 2);
  CHECK(session->tokens == token_usage{240, 40, 60});
  CHECK(session->cost == micro_usd{900});
  CHECK(session->updated_at == log.now);

  auto run = q->run(r);
  REQUIRE(run);
  CHECK(run->status == run_status::completed);
  CHECK(run->steps == 2);
  CHECK(run->cost == micro_usd{900});
  CHECK(run->ended_at == log.now);

  auto messages = q->messages(log.id, {});
  REQUIRE(messages.items.size() == 3);
  CHECK(messages.total == 3);
  CHECK(messages.items[0].content == "What time is it?");
  CHECK(messages.items[0].run == r);
  CHECK(messages.items[1].calls == std::vector<tool_call>{{{"call_1"}, "clock", R"({"zone":"UTC"})"}});
  CHECK(messages.items[2].content == "It is noon.");
  CHECK(messages.items[2].number == 3);

  auto calls = q->tool_calls(log.id);
  REQUIRE(calls.size() == 1);
  CHECK(calls[0].ok == true);
  CHECK(calls[0].output == "12:00");
  CHECK(calls[0].effect == effect::read_only);
}

TEST_CASE("journal: rows do not depend on how a log is cut into commits", "[storage]") {
  temporary_folder one;
  temporary_folder many;
  session_log log;
  log.whole_turn();
  auto queued = log.user("later");
  auto r = make<run_id>();
  log.add(run_queued{r, queued, 1});
  log.add(run_dequeued{r, queued});
  log.whole_turn("again");
  auto pieces = log.all;
  {
    auto s = open_store(one.path());
    commit(*s, log);
  }
  for (const auto& e : pieces) {
    auto s = open_store(many.path());  // opened again: nothing is known from before
    storage::append a{std::make_shared<event_batch>(event_batch{log.id, {e}}), {}};
    REQUIRE(s->writer().commit({&a, 1}).has_value());
  }
  CHECK(findings_of(one.path()).empty());
  CHECK(findings_of(many.path()).empty());
  auto a = open_store(one.path());
  auto b = open_store(many.path());
  CHECK(as_text(b->open_queries().value()->events(log.id, 0, log.seq, 1000)) == as_text(log.all));
  CHECK(a->open_queries().value()->messages(log.id, {}).total == b->open_queries().value()->messages(log.id, {}).total);
}

TEST_CASE("journal: transient events are not stored", "[storage]") {
  auto s = storage::store::open_in_memory().value();
  session_log log;
  auto a = log.take();
  auto batch = std::make_shared<event_batch>(*a.batch);
  batch->events.push_back({0, 0, millis(1), typing_changed{"u", "Ann", true}});
  a.batch = batch;
  REQUIRE(s->writer().commit({&a, 1}).has_value());
  CHECK(s->open_queries().value()->events(log.id, 0, 100, 100).size() == 1);
}

TEST_CASE("journal: an append without events sets the reserved seq, one with events only raises it", "[storage]") {
  auto s = storage::store::open_in_memory().value();
  auto q = s->open_queries().value();
  session_log log;
  commit(*s, log, 100);
  commit(*s, log, 4000);
  CHECK(q->session(log.id)->reserved_seq == 4000);
  log.user("hi");
  commit(*s, log, 50);  // not lowered
  CHECK(q->session(log.id)->reserved_seq == 4000);
  CHECK(q->session(log.id)->last_seq == 2);
  commit(*s, log, 2);  // a clean stop gives the rest back
  CHECK(q->session(log.id)->reserved_seq == 2);
  commit(*s, log, 1);  // but never what is stored
  CHECK(q->session(log.id)->reserved_seq == 2);
}

TEST_CASE("journal: what cannot follow the log is refused as a whole and spoils nothing", "[storage]") {
  auto s = storage::store::open_in_memory().value();
  auto q = s->open_queries().value();
  session_log log;
  commit(*s, log);
  session_log other;
  log.user("hi");
  log.all.clear();

  SECTION("a gap") {
    auto a = log.take();
    auto batch = std::make_shared<event_batch>(*a.batch);
    batch->events[0].first = batch->events[0].seq = 9;
    std::vector<storage::append> both{other.take(), {batch, {}}};
    auto r = s->writer().commit(both);
    REQUIRE(r.has_error());
    CHECK(r.error().code == errc::internal_error);
    CHECK_THAT(r.error().text, Contains(log.id.str()) && Contains("9"));
    CHECK_FALSE(q->session(other.id));
    REQUIRE(s->writer().commit({&a, 1}).has_value());
    CHECK(q->session(log.id)->last_seq == 2);
  }
  SECTION("a session nobody created") {
    auto a = log.take();
    auto batch = std::make_shared<event_batch>(*a.batch);
    batch->session = make<session_id>();
    storage::append stray{batch, {}};
    CHECK(s->writer().commit({&stray, 1}).has_error());
  }
  SECTION("usage of a run nobody started") {
    log.usage(make<run_id>(), 1);
    auto a = log.take();
    CHECK(s->writer().commit({&a, 1}).has_error());
    CHECK(q->session(log.id)->last_seq == 1);
    CHECK(q->usage_by_day(log.project, millis(0)).empty());
  }
}

TEST_CASE("journal: a full disk refuses the commit, and the journal goes on when there is room", "[storage]") {
  storage::connection c(":memory:", storage::connection::mode::read_write);
  storage::migrate(c);
  storage::sqlite_journal journal(c);
  session_log log;
  auto first = log.take();
  REQUIRE(journal.commit({&first, 1}).has_value());

  c.database().exec("PRAGMA max_page_count = 1");  // clamps to the pages there are
  log.user(std::string(100'000, 'x'));
  auto a = log.take();
  auto full = journal.commit({&a, 1});
  REQUIRE(full.has_error());
  CHECK(full.error().code == errc::storage_unavailable);
  CHECK_THAT(full.error().text, Contains("room"));
  CHECK_FALSE(c.in_transaction());

  c.database().exec("PRAGMA max_page_count = 100000");
  REQUIRE(journal.commit({&a, 1}).has_value());
  CHECK(c.database().execAndGet("SELECT last_seq FROM sessions").getInt() == 2);
  CHECK(c.database().execAndGet("SELECT count(*) FROM messages").getInt() == 1);
}

TEST_CASE("journal: a lock held by another program is an error that passes", "[storage]") {
  temporary_folder folder;
  auto s = open_store(folder.path());
  storage::connection mine(folder.database(), storage::connection::mode::read_write);
  mine.database().exec("PRAGMA busy_timeout = 1");
  storage::sqlite_journal journal(mine);
  storage::connection other(folder.database(), storage::connection::mode::read_write);
  other.database().exec("BEGIN IMMEDIATE");
  session_log log;
  auto a = log.take();
  auto r = journal.commit({&a, 1});
  REQUIRE(r.has_error());
  CHECK(r.error().code == errc::storage_unavailable);
  other.database().exec("ROLLBACK");
  CHECK(journal.commit({&a, 1}).has_value());
}

TEST_CASE("journal: the end of a run settles what was open in it", "[storage]") {
  auto s = storage::store::open_in_memory().value();
  auto q = s->open_queries().value();
  session_log log;
  auto r = log.start(log.user("delete it"));
  auto m = log.step(r, 1);
  log.add(message_completed{r, 1, m, "", {{{"c1"}, "delete_file", "{}"}}, finish_reason::tool_calls, false});
  log.add(tool_started{r, {"c1"}, "delete_file", "{}", effect::once});
  auto approval = make<approval_id>();
  log.add(approval_requested{r, approval, {"c1"}, "delete_file", "{}", approval_kind::tool, "high", log.now + millis(1000)});
  commit(*s, log);
  CHECK(q->run(r)->status == run_status::parked);
  CHECK(q->approvals({"pending", {}, {}}, {}).total == 1);

  SECTION("a decision releases the run, and the first one wins") {
    log.add(approval_decided{r, approval, {"c1"}, decision::approved, "bob", "ok", R"({"path":"b"})"});
    log.add(approval_decided{r, approval, {"c1"}, decision::denied, "eve", "no", ""});
    commit(*s, log);
    CHECK(q->run(r)->status == run_status::running);
    auto a = q->approval(approval);
    REQUIRE(a);
    CHECK(a->decision == decision::approved);
    CHECK(a->decided_by == "bob");
    CHECK(q->tool_calls(log.id)[0].input == R"({"path":"b"})");
    CHECK_FALSE(q->tool_calls(log.id)[0].ok);
  }
  SECTION("a cancelled run leaves no open question and no open call") {
    log.add(run_cancelled{r, "ann", false});
    log.usage(r, 1);  // the upstream's bill comes late
    commit(*s, log);
    CHECK(q->run(r)->status == run_status::cancelled);
    CHECK(q->run(r)->cost == micro_usd{450});
    CHECK(q->approvals({"pending", {}, {}}, {}).total == 0);
    CHECK(q->approval(approval)->decision == decision::expired);
    CHECK(q->tool_calls(log.id)[0].ok == false);
    CHECK(q->sessions_in_flight().empty());
  }
}

TEST_CASE("journal: an interrupted call that starts again is one call", "[storage]") {
  auto s = storage::store::open_in_memory().value();
  session_log log;
  auto r = log.start(log.user("go"));
  log.add(tool_started{r, {"c1"}, "clock", "{}", effect::read_only});
  commit(*s, log);
  log.add(tool_started{r, {"c1"}, "clock", "{}", effect::read_only});
  log.add(tool_completed{r, {"c1"}, "clock", true, "12:00", 3});
  log.add(tool_started{r, {"c1"}, "clock", "{}", effect::read_only});  // the next step reuses the id
  commit(*s, log);
  auto calls = s->open_queries().value()->tool_calls(log.id);
  REQUIRE(calls.size() == 2);
  CHECK(calls[0].ok == true);
  CHECK_FALSE(calls[1].ok);
}

TEST_CASE("journal: any life of several sessions leaves a database without findings", "[storage]") {
  for (unsigned seed = 0; seed < 12; ++seed) {
    INFO("seed " << seed);
    std::mt19937 random(seed);
    auto any = [&](unsigned n) { return random() % n; };
    temporary_folder folder;
    auto s = open_store(folder.path());
    struct life {
      session_log log;
      std::vector<std::pair<run_id, message_id>> queue;
      std::vector<message_id> said;
      std::optional<run_id> live;
      std::uint32_t step = 0;
      message_id reply;
      std::optional<std::string> call;
      std::optional<approval_id> asked;
      std::vector<grant_id> grants;
      token_usage tokens;
      micro_usd cost;
    };
    std::vector<life> lives(4);
    auto end = [](life& l) {
      l.live.reset();
      l.call.reset();
      l.asked.reset();
      l.step = 0;
      l.tokens = {};
      l.cost = {};
    };
    for (int i = 0; i < 400; ++i) {
      auto& l = lives[any(4)];
      auto& log = l.log;
      if (!l.live && !l.queue.empty() && any(2)) {
        auto [r, m] = l.queue.front();
        l.queue.erase(l.queue.begin());
        log.add(
            run_started{r, m, make<message_id>(), {next_uuid()}, {any(2) ? "writer" : "editor"}, any(3), log.now - millis(50)});
        l.live = r;
      }
      switch (any(25)) {
        case 0:
        case 1: {
          auto m = log.user(any(8) ? "message " + std::to_string(i) : "", any(2) ? "client-" + std::to_string(i) : "");
          if (any(3) == 0) {
            auto& added = std::get<message_added>(log.all.back().payload);
            added.attachments = {{make<file_id>(), "a.txt", "text/plain", 3}};
            added.author_name = "Ann";
            added.options = R"({"max_output_tokens":5})";
            log.rewrite_last();
          }
          l.said.push_back(m);
          if (!l.live && l.queue.empty()) {
            l.live = log.start(m);
          } else {
            auto r = make<run_id>();
            l.queue.emplace_back(r, m);
            log.add(run_queued{r, m, static_cast<std::uint32_t>(l.queue.size())});
          }
          break;
        }
        case 2:
          if (!l.queue.empty()) {
            log.add(run_dequeued{l.queue.back().first, l.queue.back().second});
            l.queue.pop_back();
          }
          break;
        case 3:
        case 4:
          if (l.live && !l.call) l.reply = log.step(*l.live, ++l.step);
          break;
        case 5:
          if (l.live && l.step > 0) log.text(l.reply, {"some ", "te\xC3", "\xA4xt ", ""});
          break;
        case 6:
          if (l.live && l.step > 0 && !l.call) {
            l.call = "call_" + std::to_string(any(3));
            log.add(message_completed{*l.live,
                                      l.step,
                                      l.reply,
                                      any(2) ? "thinking" : "",
                                      {{{*l.call}, "clock", "{}"}},
                                      finish_reason::tool_calls,
                                      false});
            log.add(tool_started{*l.live, {*l.call}, "clock", "{}", effect::once, any(3) ? session_id{} : make<session_id>()});
          }
          break;
        case 7:
          if (l.live && l.call && !l.asked) {
            l.asked = make<approval_id>();
            approval_requested asked{
                *l.live, *l.asked, {*l.call}, "clock", "{}", approval_kind::tool, "low", log.now + millis(500)};
            asked.deciders = any(2) ? 1 : 2;
            log.add(asked);
          }
          break;
        case 8:
          if (l.live && l.asked) {
            log.add(approval_decided{*l.live,
                                     *l.asked,
                                     {*l.call},
                                     any(2) ? decision::approved : decision::denied,
                                     "bob",
                                     "",
                                     any(2) ? R"({"a": 2.5})" : "",
                                     any(2) ? outcome_choice::none : outcome_choice::failed});
            l.asked.reset();
          }
          break;
        case 9:
          if (l.live && l.call) {
            tool_completed done{*l.live, {*l.call}, "clock", any(2) == 0, "result", 4};
            if (any(2) == 0) {
              done.child_tokens = {9, 1, 2};
              done.child_cost = {any(2) ? 50 : 7};
              l.tokens += done.child_tokens;
              l.cost += done.child_cost;
            }
            if (any(2) == 0) {
              done.whole_output = std::make_shared<const std::string>("result and more");
              done.output_bytes = 15;
            }
            log.add(done);
            l.call.reset();
            l.asked.reset();
          }
          break;
        case 10:
          if (l.live && l.step > 0) {
            log.usage(*l.live, l.step, static_cast<std::int64_t>(any(1000)));
            const auto& u = std::get<usage_recorded>(log.all.back().payload);
            l.tokens += u.tokens;
            l.cost += u.cost;
            log.now += millis(any(20) == 0 ? 86'400'000 : 0);
          }
          break;
        case 11:
          if (l.live && l.step > 0) {
            if (any(3) == 0) {
              log.add(run_cancelled{*l.live, "ann", true});
            } else if (any(2) == 0) {
              log.add(run_failed{*l.live, errc::timeout, "slow", l.step});
            } else if (!l.call) {
              log.add(message_completed{*l.live, l.step, l.reply, "done", {}, finish_reason::stop, false});
              log.add(run_completed{*l.live, l.reply, {}, l.tokens, l.cost, l.step});
            } else {
              break;
            }
            end(l);
          }
          break;
        case 12:
          log.add(session_updated{session_status::active, "title " + std::to_string(i)});
          break;
        case 13:
          if (!l.queue.empty()) log.add(message_edited{l.queue[any(2) % l.queue.size()].second, any(3) ? "edited" : ""});
          break;
        case 14: {
          std::shuffle(l.queue.begin(), l.queue.end(), random);
          queue_reordered order;
          for (const auto& waiting : l.queue) order.messages.push_back(waiting.second);
          if (!order.messages.empty()) log.add(std::move(order));
          break;
        }
        case 15:
        case 16:
          if (!l.said.empty())
            log.add(reaction_changed{l.said[any(3) % l.said.size()], any(2) ? "+1" : "-1", any(3) != 0, any(2) ? "bob" : "eve",
                                     "somebody"});
          break;
        case 17: {
          std::string data(any(5), 'x');
          attachment file{make<file_id>(), "f", "text/plain", static_cast<std::int64_t>(data.size())};
          log.add(file_added{file, "ann", std::make_shared<const std::string>(data)});
          break;
        }
        case 18:
          if (any(3) == 0) {
            log.add(history_cleared{"ann"});
          } else {
            log.add(session_updated{session_status::active, "", std::vector<std::string>(any(3), "p" + std::to_string(any(3))),
                                    any(2) ? R"({"n": 0.5})" : ""});
          }
          break;
        case 19:
          if (l.asked) log.add(approval_endorsed{*l.live, *l.asked, {*l.call}, any(2) ? "bob" : "eve", "", any(2) ? "{}" : ""});
          break;
        case 20:
          l.grants.push_back(make<grant_id>());
          log.add(grant_given{l.grants.back(), grant_scope::agent, "clock", any(2) ? R"([{"n":0.5}])" : "",
                              millis(any(2) ? 0 : 9), "bob", make<approval_id>()});
          break;
        case 21:
          if (!l.grants.empty()) log.add(grant_revoked{l.grants[any(2) % l.grants.size()], any(2) ? "bob" : "eve"});
          break;
        case 22:
          if (l.live) log.add(agent_changed{*l.live, {any(2) ? "writer" : "editor"}, "note"});
          break;
        case 23:
          if (l.live && l.call) {
            log.add(tool_progress{{*l.call}, "half way"});
            if (any(2) == 0) log.add(tool_outcome_unknown{*l.live, {*l.call}, "clock"});
            if (any(3) == 0) log.add(run_stop_requested{*l.live, "ann"});
          }
          break;
        default:
          log.add(message_superseded{l.reply, log.seq}, 1 + any(2000));
          break;
      }
      if (any(4) == 0) {
        std::vector<storage::append> appends;
        for (auto& other : lives)
          if (other.log.has_waiting())
            appends.push_back(other.log.take(any(2) ? std::optional<seq_t>(other.log.seq + 500) : std::nullopt));
        REQUIRE(s->writer().commit(appends).has_value());
      }
      if (any(60) == 0) {
        s.reset();
        s = open_store(folder.path());
      }
    }
    for (auto& l : lives) commit(*s, l.log);
    CHECK(findings_of(folder.path()) == std::vector<std::string>{});
    auto q = s->open_queries().value();
    for (auto& l : lives) {
      CHECK(as_text(q->events(l.log.id, 0, l.log.seq, 100'000)) == as_text(l.log.all));
      auto state = q->session_state(l.log.id);
      REQUIRE(state);
      std::vector<std::pair<run_id, message_id>> waiting;
      for (const auto& queued : state->queue) waiting.emplace_back(queued.run, queued.message);
      CHECK(waiting == l.queue);
      CHECK(state->live_run.empty() == !l.live);
    }
  }
}
