// Answers that must fit a JSON Schema.
#include "actors_world.hpp"

using namespace troupe;
using namespace troupe::test;
using core::errc;

namespace {

struct with_schema {
  world w{[](auto&, auto&, core::agent_config& agent) {
    agent.response_schema =
        R"({"type":"object","properties":{"city":{"type":"string"}},"required":["city"],"additionalProperties":false})";
    agent.tools = {"clock"};
    agent.limits.max_steps = 4;
  }};
  core::session_id id = w.opened(1);

  /// The model's answers one after the other, the last one for ever.
  void answers(std::vector<providers::model_output> all) {
    auto at = std::make_shared<std::size_t>(0);
    w.model->answer = [all = std::move(all), at](const auto&) { return all[std::min((*at)++, all.size() - 1)]; };
  }
  void ask() { (void)w.must<core::message_accepted>(id, {}, say("Where?")); }
  [[nodiscard]] std::string last_told() const { return w.model->asked.back().history->back().content; }
};

auto says(const std::string& text) { return heard_model::says(text); }

}  // namespace

TEST_CASE("structured answers: one that fits is the end of it") {
  with_schema f;
  f.answers({says(R"({"city":"Rome"})")});
  f.ask();
  CHECK(f.w.model->asked.size() == 1);
  CHECK(f.w.all<core::run_completed>(f.id).size() == 1);
}

TEST_CASE("structured answers: one that does not is told so, once, in a step of its own") {
  with_schema f;
  f.answers({says(R"({"town":"Rome"})"), says(R"({"city":"Rome"})")});
  f.ask();
  REQUIRE(f.w.model->asked.size() == 2);
  const auto& history = *f.w.model->asked[1].history;
  REQUIRE(history.size() == 3);
  CHECK(history[1].content == R"({"town":"Rome"})");
  CHECK(history[2].role == core::role::user);
  CHECK_THAT(history[2].content, Catch::Contains("city"));
  CHECK(core::defect_of(history).empty());
  auto done = f.w.all<core::message_completed>(f.id);
  REQUIRE(done.size() == 2);
  CHECK(done[1].step == 2);
  CHECK(done[1].message != done[0].message);
  auto end = f.w.all<core::run_completed>(f.id);
  REQUIRE(end.size() == 1);
  CHECK(end[0].message == done[1].message);
  CHECK(end[0].cost == core::micro_usd::from_usd(2));
  SECTION("the conversation goes on as if the first had never been") {
    f.ask();
    CHECK(f.w.model->asked[2].history->size() == 3);
    CHECK(f.w.model->asked[2].history->at(1).content == R"({"city":"Rome"})");
    f.w.restart();
    f.ask();
    CHECK(f.w.model->asked[3].history->size() == 5);
  }
  CHECK(f.w.defects() == "");
}

TEST_CASE("structured answers: a second one that does not fit fails the run, with the place") {
  with_schema f;
  f.answers({says("Rome"), says(R"({"city":7})")});
  f.ask();
  CHECK_THAT(f.last_told(), Catch::Contains("is not valid JSON"));
  CHECK(f.w.model->asked.size() == 2);
  auto failed = f.w.all<core::run_failed>(f.id);
  REQUIRE(failed.size() == 1);
  CHECK(failed[0].code == errc::validation_error);
  CHECK(failed[0].text ==
        "The answer does not fit the response_schema of agent a, also after the model was told so: at `/city`: "
        "does not fit; expected string, got an integer");
  CHECK(f.w.all<core::usage_recorded>(f.id).size() == 2);
  CHECK(f.w.defects() == "");
}

TEST_CASE("structured answers: text beside tool calls is free, and the run's last step has no second chance") {
  with_schema f;
  auto looks = heard_model::says("Let me look.", {{{"c"}, "clock", "{}"}});
  SECTION("free") {
    f.answers({looks, says(R"({"city":"Rome"})")});
    f.ask();
    CHECK(f.w.all<core::run_completed>(f.id).size() == 1);
  }
  SECTION("last") {
    f.answers({looks, looks, looks, says("Rome")});
    f.ask();
    CHECK(f.w.model->asked.size() == 4);
    REQUIRE(f.w.all<core::run_failed>(f.id).size() == 1);
    CHECK_THAT(f.w.all<core::run_failed>(f.id)[0].text, Catch::Contains("of agent a: the answer is not valid JSON"));
  }
}

TEST_CASE("structured answers: a restart in between leaves the one chance that there is") {
  with_schema f;
  f.answers({says("Rome"), says("still Rome")});
  f.w.model->holds = true;
  f.ask();
  f.w.model->let_go();
  f.w.settle();
  REQUIRE(f.w.model->asked.size() == 2);
  f.w.restart();
  REQUIRE(f.w.model->asked.size() == 3);
  CHECK(f.w.model->asked[2].history->back() == f.w.model->asked[1].history->back());
  f.w.model->let_go();
  f.w.settle();
  CHECK(f.w.model->asked.size() == 3);
  CHECK(f.w.all<core::run_failed>(f.id).size() == 1);
  CHECK(f.w.defects() == "");
}

TEST_CASE("structured answers: a schema that is none is said before money is spent") {
  world w([](auto&, auto&, core::agent_config& agent) { agent.response_schema = R"({"type":"array"})"; });
  auto id = w.opened(1);
  (void)w.must<core::message_accepted>(id, {}, say("hi"));
  CHECK(w.model->asked.empty());
  REQUIRE(w.all<core::run_failed>(id).size() == 1);
  CHECK(w.all<core::run_failed>(id)[0].code == errc::configuration_error);
}
