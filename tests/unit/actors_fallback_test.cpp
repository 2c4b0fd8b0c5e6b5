// What a run does when its model does not answer: another provider, another model, or a clear end.
#include "actors_world.hpp"

using namespace troupe;
using namespace troupe::test;
using core::errc;
using std::chrono::milliseconds;

namespace {

void with_fallback(core::config&, core::project_config&, core::agent_config& agent) {
  agent.fallback = {{{"spare"}, "small", core::token_price{2'000'000, 2'000'000, 2'000'000}}, {{"spare"}, "smaller", {}}};
}

/// Long enough for every retry of one call.
void wait_for_retries(world& w) {
  for (int i = 0; i < 4; ++i) w.advance(milliseconds{500});
}

core::run_failed failure(world& w, const core::session_id& id) {
  auto failed = w.all<core::run_failed>(id);
  REQUIRE(failed.size() == 1);
  return failed[0];
}

}  // namespace

TEST_CASE("fallback: when the agent's own provider does not answer the next one does, at its price") {
  world w(with_fallback);
  w.model->answer = [](const auto&) { return heard_model::fails("down"); };
  auto id = w.opened(1);
  (void)w.must<core::message_accepted>(id, {}, say("hi"));
  wait_for_retries(w);
  CHECK(w.model->asked.size() == 3);
  REQUIRE(w.spare->asked.size() == 1);
  CHECK(w.spare->asked[0].model == "small");
  CHECK(w.spare->asked[0].history->back().content == "hi");
  auto steps = w.all<core::step_started>(id);
  REQUIRE(steps.size() == 1);
  CHECK(steps[0].provider == "model");
  CHECK(steps[0].model == "m");
  auto usage = w.all<core::usage_recorded>(id);
  REQUIRE(usage.size() == 1);
  CHECK(usage[0].provider == "spare");
  CHECK(usage[0].model == "small");
  CHECK(usage[0].cost == core::micro_usd::from_usd(2));
  CHECK(w.all<core::run_completed>(id).size() == 1);
  CHECK(w.defects() == "");
}

TEST_CASE("fallback: where all fail the last error is told, with all that were tried") {
  world w(with_fallback);
  w.model->answer = [](const auto&) { return heard_model::fails("down"); };
  w.spare->answer = [](const auto& r) { return heard_model::fails(r.model + " is down too"); };
  auto id = w.opened(1);
  (void)w.must<core::message_accepted>(id, {}, say("hi"));
  for (int i = 0; i < 3; ++i) wait_for_retries(w);
  auto end = failure(w, id);
  CHECK(end.code == errc::provider_error);
  CHECK(end.text == "smaller is down too (tried in this order: model/m, spare/small, spare/smaller)");
}

TEST_CASE("fallback: none after text was shown, and none for an error that another time would not mend") {
  world w(with_fallback);
  auto id = w.opened(1);
  SECTION("shown") {
    w.model->answer = [](const auto&) { return heard_model::fails("broke off", true, "The answ"); };
    (void)w.must<core::message_accepted>(id, {}, say("hi"));
    CHECK(failure(w, id).text == "broke off");
    CHECK(w.all<core::message_completed>(id).at(0).cut);
  }
  SECTION("final") {
    w.model->answer = [](const auto&) { return heard_model::fails("the key is wrong", false); };
    (void)w.must<core::message_accepted>(id, {}, say("hi"));
    CHECK(failure(w, id).text == "the key is wrong");
  }
  wait_for_retries(w);
  CHECK(w.spare->asked.empty());
}

TEST_CASE("fallback: while a provider rests the next one is asked at once, and the first again when it has rested") {
  world w(with_fallback);
  w.model->answer = [](const auto&) { return heard_model::fails("down"); };
  auto id = w.opened(1);
  for (int i = 0; i < 3; ++i) {
    (void)w.must<core::message_accepted>(id, {}, say("hi"));
    wait_for_retries(w);
  }
  CHECK(w.model->asked.size() == 8);
  (void)w.must<core::message_accepted>(id, {}, say("at once"));
  CHECK(w.all<core::run_completed>(id).size() == 4);
  CHECK(w.model->asked.size() == 8);
  CHECK(w.spare->asked.size() == 4);
  w.model->answer = [](const auto&) { return heard_model::says("I am back."); };
  w.advance(milliseconds{15'000});
  (void)w.must<core::message_accepted>(id, {}, say("again"));
  CHECK(w.all<core::usage_recorded>(id).back().provider == "model");
  CHECK(w.spare->asked.size() == 4);
}

TEST_CASE("request: what the agent says of its answers goes to the model") {
  world w([](auto&, auto&, core::agent_config& agent) {
    agent.stop = {"END"};
    agent.reasoning_effort = "low";
    agent.response_schema = R"({"type":"object"})";
  });
  w.model->answer = [](const auto&) { return heard_model::says("{}"); };
  (void)w.must<core::message_accepted>(w.opened(1), {}, say("hi"));
  REQUIRE(w.model->asked.size() == 1);
  CHECK(w.model->asked[0].stop == std::vector<std::string>{"END"});
  CHECK(w.model->asked[0].reasoning_effort == "low");
  CHECK(w.model->asked[0].response_schema == R"({"type":"object"})");
}
