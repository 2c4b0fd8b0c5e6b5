#include "actors_world.hpp"
#include "app/scenario/scenario.hpp"
#include "app/scenario/stage.hpp"
#include "core/event_json.hpp"
#include "core/history.hpp"

#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>

#include <map>

using namespace troupe;
using app::stage;
using std::chrono::milliseconds;
using troupe::test::say;

namespace {

/// More jobs than any of these exchanges takes from first to last.
constexpr std::size_t sweep = 80;

core::config_ptr config_of(const std::string& agent, const std::string& model) {
  auto s = app::parse_scenario(R"({"scenario": "x", "agent": )" + agent + R"(, "model": )" + model +
                                   R"(, "steps": [{"expect": {"kind": "run_started"}}]})",
                               "test");
  INFO((s ? std::string() : s.error().text));
  REQUIRE(s.has_value());
  return s->config;
}

struct session_fixture {
  std::unique_ptr<stage> on;
  std::vector<core::event> came;

  explicit session_fixture(const std::string& model, const std::string& agent = "{}") {
    auto opened = stage::open(config_of(agent, model));
    INFO((opened ? std::string() : opened.error().text));
    REQUIRE(opened.has_value());
    on = std::move(*opened);
  }
  static void good(const core::result<void>& r) {
    INFO((r ? std::string() : r.error().text));
    REQUIRE(r.has_value());
  }
  void settle() { good(on->settle()); }
  void listen() {
    for (auto& e : on->take_events()) came.push_back(std::move(e));
  }
  template <class Kind>
  [[nodiscard]] std::vector<Kind> all() {
    listen();
    std::vector<Kind> out;
    for (const auto& e : came)
      if (const auto* k = e.as<Kind>()) out.push_back(*k);
    return out;
  }
  [[nodiscard]] core::command_reply reply_of(const std::shared_ptr<const std::optional<stage::reply>>& r) {
    REQUIRE(r->has_value());
    INFO((r->value() ? std::string() : r->value().error().text));
    REQUIRE(r->value().has_value());
    return r->value().value();
  }
  /// What the store has of the session, folded as the model would read it.
  [[nodiscard]] std::string history_defect() {
    auto queries = on->store().open_queries();
    REQUIRE(queries.has_value());
    core::history h;
    for (const auto& e : (*queries)->history_events(on->session(), 1'000'000'000)) h.apply(e);
    return core::defect_of(h.messages());
  }
};

const std::string slow = R"({"otherwise": [{"text": "Wait"}, {"delay_ms": 1000}, {"text": " done."}]})";
const std::string quick = R"({"otherwise": [{"text": "You said: ${user}"}]})";
const std::string asks = R"({"rules": [{"when": {"after": "tool"}, "say": [{"text": "ok"}]}],
                             "otherwise": [{"tool": "write_file", "arguments": {"path": "a", "content": "b"}, "id": "c"}]})";
const std::string asking_agent = R"({"tools": ["write_file"], "approval": {"write_file": "always"}})";

}  // namespace

TEST_CASE("session: of two decisions the first wins, and both are told so, whenever the second comes") {
  for (std::size_t jobs = 0; jobs < sweep; ++jobs) {
    INFO("jobs between the decisions: " << jobs);
    session_fixture f(asks, asking_agent);
    session_fixture::good(f.on->send({}, say("write")));
    auto asked = f.all<core::approval_requested>();
    REQUIRE(asked.size() == 1);
    auto first = f.on->post({"alice", {}}, core::decide_approval{asked[0].approval, {}, true, {}, {}});
    f.on->run_some(jobs);
    auto second = f.on->post({"bob", {}}, core::decide_approval{asked[0].approval, {}, false, {}, {}});
    f.settle();
    auto winner = std::get<core::approval_settled>(f.reply_of(first));
    auto loser = std::get<core::approval_settled>(f.reply_of(second));
    CHECK(winner.won);
    CHECK_FALSE(loser.won);
    CHECK(loser.decision == core::decision::approved);
    CHECK(loser.by == "alice");
    CHECK(f.all<core::approval_decided>().size() == 1);
    CHECK(f.all<core::run_completed>().size() == 1);
  }
}

TEST_CASE("session: a cancel stops the run at any moment, also while its history is still being read") {
  for (bool is_woken : {false, true}) {
    for (std::size_t jobs = 0; jobs < sweep; ++jobs) {
      INFO("woken: " << is_woken << " jobs: " << jobs);
      session_fixture f(slow);
      if (is_woken) {
        session_fixture::good(f.on->send({}, say("first")));
        session_fixture::good(f.on->advance(milliseconds{1000}));
        session_fixture::good(f.on->restart());
        f.listen();
        f.came.clear();
      }
      (void)f.on->post({}, say("hi"));
      f.on->run_some(jobs);
      auto cancelled = f.on->post({"alice", {}}, core::cancel_run{});
      f.settle();
      (void)f.reply_of(cancelled);
      CHECK(f.all<core::run_cancelled>().size() == 1);
      CHECK(f.all<core::run_started>().size() == 1);
      session_fixture::good(f.on->advance(milliseconds{2000}));
      CHECK(f.all<core::run_completed>().empty());
      CHECK(f.history_defect().empty());
    }
  }
}

TEST_CASE("session: a message that interrupts does so at any moment") {
  for (std::size_t jobs = 0; jobs < sweep; ++jobs) {
    INFO("jobs: " << jobs);
    session_fixture f(slow);
    session_fixture::good(f.on->send({}, say("first")));
    session_fixture::good(f.on->advance(milliseconds{1000}));
    session_fixture::good(f.on->restart());
    f.listen();
    f.came.clear();
    (void)f.on->post({}, say("slow"));
    f.on->run_some(jobs);
    (void)f.on->post({}, core::send_message{"now", {}, core::busy_policy::interrupt});
    f.settle();
    CHECK(f.all<core::run_cancelled>().size() == 1);
    CHECK(f.all<core::run_started>().size() == 2);
  }
}

TEST_CASE("session: a command that comes while the session retires is carried out once") {
  for (std::size_t jobs = 0; jobs < sweep; ++jobs) {
    INFO("jobs: " << jobs);
    session_fixture f(quick);
    session_fixture::good(f.on->send({}, say("first")));
    session_fixture::good(f.on->advance(milliseconds{59'999}));
    f.on->elapse(milliseconds{1});
    f.on->run_some(jobs);
    auto sent = f.on->post({}, say("second"));
    f.settle();
    (void)f.reply_of(sent);
    auto completed = f.all<core::message_completed>();
    REQUIRE(completed.size() == 2);
    CHECK(completed[1].content == "You said: second");
  }
}

TEST_CASE("session: a rested session is woken by an event of its client and shows nothing twice") {
  session_fixture f(quick);
  for (int i = 0; i < 3; ++i) {
    session_fixture::good(f.on->send({}, say("again")));
    session_fixture::good(f.on->advance(milliseconds{600'000}));
  }
  CHECK(f.all<core::run_completed>().size() == 3);
  for (std::size_t i = 1; i < f.came.size(); ++i) CHECK(f.came[i].first == f.came[i - 1].seq + 1);
}

TEST_CASE("session: one client id gives one message, even when its copies come together") {
  for (std::size_t jobs = 0; jobs < sweep; ++jobs) {
    INFO("jobs: " << jobs);
    session_fixture f(quick);
    auto first = f.on->post({}, core::send_message{"hi", "m-1", std::nullopt});
    f.on->run_some(jobs);
    auto second = f.on->post({}, core::send_message{"hi", "m-1", std::nullopt});
    f.settle();
    auto a = std::get<core::message_accepted>(f.reply_of(first));
    auto b = std::get<core::message_accepted>(f.reply_of(second));
    CHECK(a.run == b.run);
    CHECK(a.message == b.message);
    CHECK(f.all<core::message_added>().size() == 1);
    CHECK(f.all<core::run_started>().size() == 1);
  }
}

TEST_CASE("session: a restart at any moment loses nothing and repeats nothing") {
  const std::string tools = R"({"tools": ["write_file", "list_files"]})";
  const std::string model =
      R"({"rules": [{"when": {"tool": "write_file"}, "say": [{"text": "next "}, {"tool": "list_files", "id": "l"}]},
                                          {"when": {"tool": "list_files"}, "say": [{"text": "end"}, {"usage": {"prompt": 1, "completion": 1}}]}],
                                "otherwise": [{"tool": "write_file", "arguments": {"path": "a", "content": "b"}, "id": "w"}]})";
  for (bool crashes : {false, true}) {
    for (std::size_t jobs = 0; jobs < 2 * sweep; ++jobs) {
      INFO("crash: " << crashes << " jobs: " << jobs);
      session_fixture f(model, tools);
      auto sent = f.on->post({}, core::send_message{"go", "m-1", std::nullopt});
      f.on->run_some(jobs);
      session_fixture::good(crashes ? f.on->crash() : f.on->restart());
      // As a client does that got no answer.
      if (!sent->has_value()) session_fixture::good(f.on->send({}, core::send_message{"go", "m-1", std::nullopt}));
      CHECK(f.all<core::message_added>().size() == 1);
      CHECK(f.all<core::run_completed>().size() == 1);
      CHECK(f.all<core::message_completed>().size() == 3);
      std::map<std::string, int> results;
      for (const auto& r : f.all<core::tool_completed>()) {
        CHECK(r.ok);
        ++results[r.call.str()];
      }
      CHECK(results == std::map<std::string, int>{{"l", 1}, {"w", 1}});
      for (std::size_t i = 1; i < f.came.size(); ++i) CHECK(f.came[i].first == f.came[i - 1].seq + 1);
      CHECK(f.history_defect().empty());
    }
  }
}

TEST_CASE("session: a once call is dispatched at most once, whenever the process crashes") {
  const std::string tools = R"({"tools": ["delete_file"], "approval": {"delete_file": "never"}})";
  const std::string model = R"({"rules": [{"when": {"after": "tool"}, "say": [{"text": "${result}"}]}],
                                "otherwise": [{"tool": "delete_file", "arguments": {"path": "a"}, "id": "d"}]})";
  bool was_unknown = false;
  for (std::size_t jobs = 0; jobs < sweep; ++jobs) {
    INFO("jobs: " << jobs);
    session_fixture f(model, tools);
    auto sent = f.on->post({}, core::send_message{"go", "m-1", std::nullopt});
    f.on->run_some(jobs);
    session_fixture::good(f.on->crash());
    if (!sent->has_value()) session_fixture::good(f.on->send({}, core::send_message{"go", "m-1", std::nullopt}));
    auto unknown = f.all<core::tool_outcome_unknown>();
    auto cards = f.all<core::approval_requested>();
    REQUIRE(cards.size() == unknown.size());
    if (!cards.empty()) {
      CHECK(cards[0].kind == core::approval_kind::outcome_unknown);
      CHECK(f.all<core::run_completed>().empty());
      session_fixture::good(f.on->send({}, core::decide_approval{cards[0].approval, {}, false, {}, {}}));
    }
    CHECK(f.all<core::run_completed>().size() == 1);
    auto results = f.all<core::tool_completed>();
    REQUIRE(results.size() == 1);
    CHECK(unknown.size() == (results[0].output.starts_with("Outcome unknown") ? 1 : 0));
    was_unknown = was_unknown || !unknown.empty();
    CHECK(f.history_defect().empty());
  }
  CHECK(was_unknown);
}

TEST_CASE("session: a disk that is full for a while refuses or delays, and loses and repeats nothing") {
  const std::string tools = R"({"tools": ["write_file", "list_files"]})";
  const std::string model =
      R"({"rules": [{"when": {"tool": "write_file"}, "say": [{"text": "next "}, {"tool": "list_files", "id": "l"}]},
                                          {"when": {"tool": "list_files"}, "say": [{"text": "end"}]}],
                                "otherwise": [{"tool": "write_file", "arguments": {"path": "a", "content": "b"}, "id": "w"}]})";
  for (std::size_t commits : {1U, 2U}) {
    for (std::size_t jobs = 0; jobs < sweep; ++jobs) {
      INFO("refused commits: " << commits << " jobs: " << jobs);
      session_fixture f(model, tools);
      auto sent = f.on->post({}, core::send_message{"go", "m-1", std::nullopt});
      f.on->run_some(jobs);
      f.on->fill_disk(commits);
      f.settle();
      session_fixture::good(f.on->advance(milliseconds{5'000}));
      f.on->fill_disk(0);
      REQUIRE(sent->has_value());
      if (!sent->value()) {
        CHECK(sent->value().error().code == core::errc::storage_unavailable);
        session_fixture::good(f.on->send({}, core::send_message{"go", "m-1", std::nullopt}));
      }
      CHECK(f.all<core::message_added>().size() == 1);
      CHECK(f.all<core::run_completed>().size() == 1);
      CHECK(f.all<core::tool_completed>().size() == 2);
      for (std::size_t i = 1; i < f.came.size(); ++i) CHECK(f.came[i].first == f.came[i - 1].seq + 1);
      CHECK(f.history_defect().empty());
    }
  }
}

TEST_CASE("session: the number of model calls goes on after a restart") {
  const std::string model =
      R"({"rules": [{"when": {"call": 1}, "say": [{"text": "one"}]}, {"when": {"call": 2}, "say": [{"text": "two"}]}],
                                "otherwise": [{"text": "more"}]})";
  session_fixture f(model);
  session_fixture::good(f.on->send({}, say("a")));
  session_fixture::good(f.on->restart());
  session_fixture::good(f.on->send({}, say("b")));
  session_fixture::good(f.on->restart());
  session_fixture::good(f.on->send({}, say("c")));
  auto completed = f.all<core::message_completed>();
  REQUIRE(completed.size() == 3);
  CHECK(completed[0].content == "one");
  CHECK(completed[1].content == "two");
  CHECK(completed[2].content == "more");
}
