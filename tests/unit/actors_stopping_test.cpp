// A run that is to stop does, whenever the process ends in between.
#include "actors_world.hpp"

using namespace troupe;
using namespace troupe::test;

namespace {

/// The model has said a part of its answer and is silent.
void talk_half_way(world& w, const core::session_id& id) {
  w.model->answer = [](const auto&) {
    auto part = heard_model::says("Half an");
    part.end.reset();
    return part;
  };
  (void)w.must<core::message_accepted>(id, {}, say("hi"));
}

}  // namespace

TEST_CASE("stopping: a cancelled run stays cancelled, wherever the process ends after the answer to the client") {
  for (std::size_t jobs = 0; jobs < 40; ++jobs) {
    world w;
    auto id = w.opened(1);
    talk_half_way(w, id);
    auto told = w.post(id, user("ann", core::scope::all), core::cancel_run{});
    w.run_some(jobs);
    const bool was_told = told->has_value() && (*told)->has_value();
    w.model->answer = [](const auto&) { return heard_model::says("Half an answer."); };
    w.restart();
    INFO("after " << jobs << " jobs");
    auto cancelled = w.all<core::run_cancelled>(id);
    if (was_told) {
      REQUIRE(cancelled.size() == 1);
      CHECK(cancelled[0].by == "ann");
      CHECK(w.all<core::run_completed>(id).empty());
    } else {
      CHECK(cancelled.size() + w.all<core::run_completed>(id).size() == 1);
    }
    CHECK(w.defects() == "");
  }
}

TEST_CASE("stopping: what the upstream had counted of the call that is given up is paid for") {
  const bool is_counted = GENERATE(false, true);
  world w;
  auto id = w.opened(1);
  if (is_counted) w.model->counted = core::token_usage{7, 2, 3};
  talk_half_way(w, id);
  w.must(id, user("ann", core::scope::all), core::cancel_run{});
  auto usage = w.all<core::usage_recorded>(id);
  REQUIRE(usage.size() == (is_counted ? 1 : 0));
  if (is_counted) {
    CHECK(usage[0].step == 1);
    CHECK(usage[0].tokens == core::token_usage{7, 2, 3});
    CHECK(usage[0].estimated);  // there may be more that nobody has told
    CHECK(usage[0].attempts == 1);
    CHECK(usage[0].cost.value > 0);
    CHECK(w.record(id).cost.value == usage[0].cost.value);
  }
  CHECK(w.all<core::run_cancelled>(id).size() == 1);
  CHECK(w.defects() == "");
}

TEST_CASE("stopping: text that was shown stays when the run is stopped only after a restart") {
  std::size_t kept = 0;
  for (std::size_t jobs = 0; jobs < 40; ++jobs) {
    world w;
    auto id = w.opened(1);
    talk_half_way(w, id);
    w.advance(std::chrono::milliseconds{100});  // it is stored
    (void)w.post(id, user("ann", core::scope::all), core::cancel_run{});
    w.run_some(jobs);
    w.model->answer = [](const auto&) { return heard_model::says("Another answer."); };
    w.restart();
    INFO("after " << jobs << " jobs");
    if (w.all<core::run_cancelled>(id).empty()) continue;  // it had not been accepted
    ++kept;
    auto said = w.all<core::message_completed>(id);
    REQUIRE(said.size() == 1);
    CHECK(said[0].content == "Half an");
    CHECK(said[0].cut);
    CHECK(w.all<core::run_cancelled>(id)[0].text_kept);
  }
  CHECK(kept > 1);
}

TEST_CASE("stopping: an interrupting message is answered next, before those that waited, also after a restart") {
  for (std::size_t jobs = 0; jobs < 60; ++jobs) {
    world w;
    auto id = w.opened(1);
    w.model->holds = true;
    (void)w.must<core::message_accepted>(id, {}, say("first"));
    (void)w.must<core::message_accepted>(id, {}, say("waits"));
    auto urgent = say("urgent");
    urgent.on_busy = core::busy_policy::interrupt;
    auto told = w.post(id, {}, urgent);
    w.run_some(jobs);
    const bool was_told = told->has_value() && (*told)->has_value();
    w.model->holds = false;
    w.model->answer = [](const auto& r) { return heard_model::says("re: " + r.history->back().content); };
    w.restart();
    w.settle();
    INFO("after " << jobs << " jobs");
    std::vector<std::string> answers;
    for (const auto& m : w.all<core::message_completed>(id)) answers.push_back(m.content);
    if (was_told)
      CHECK(answers == std::vector<std::string>{"re: urgent", "re: waits"});
    else if (w.all<core::run_stop_requested>(id).empty())
      CHECK(answers == std::vector<std::string>{"re: first", "re: waits"});
    CHECK(w.defects() == "");
  }
}

TEST_CASE("stopping: a second wish to stop changes nothing and is answered") {
  world w;
  auto id = w.opened(1);
  w.model->holds = true;
  (void)w.must<core::message_accepted>(id, {}, say("hi"));
  auto first = w.post(id, user("ann", core::scope::all), core::cancel_run{});
  auto second = w.post(id, user("bob", core::scope::all), core::cancel_run{});
  w.settle();
  REQUIRE(first->has_value());
  CHECK((*first)->has_value());
  REQUIRE(second->has_value());
  CHECK(w.all<core::run_stop_requested>(id).size() == 1);
  auto cancelled = w.all<core::run_cancelled>(id);
  REQUIRE(cancelled.size() == 1);
  CHECK(cancelled[0].by == "ann");
}
