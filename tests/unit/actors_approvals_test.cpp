// Approvals: when they are asked for, and which decisions count.
#include "actors/tool_policy.hpp"
#include "actors_approval_world.hpp"
#include "tools/argument_tests.hpp"

using namespace troupe;
using namespace troupe::test;
using core::approval_decided;
using core::approval_endorsed;
using core::approval_policy;
using core::approval_requested;
using core::approval_settled;
using core::decision;
using core::errc;

// ---- the policy ----

TEST_CASE("approval policy: the most precise entry holds, then its first rule that fits") {
  core::agent_config agent;
  tools::tool_spec tool;
  tool.name = "box.send";
  tool.source = "box";
  tool.risk = "medium";
  auto demand = [&](std::string_view input = "{}") { return actors::demand_of(agent, tool, arguments(input)); };
  CHECK_FALSE(demand().asks);
  tool.approval = approval_policy::always;
  CHECK(demand().asks);
  CHECK(demand().risk == "medium");
  agent.approval["*"].policy = approval_policy::never;
  CHECK_FALSE(demand().asks);
  agent.approval["box"].policy = approval_policy::by_effect;
  CHECK(demand().asks);
  tool.effect = core::effect::idempotent;
  CHECK_FALSE(demand().asks);
  // An entry that says nothing of the policy leaves the tool's own.
  agent.approval["box.send"].risk = "high";
  CHECK(demand().asks);
  CHECK(demand().risk == "high");
  auto tests = [](std::string_view text) { return *tools::argument_tests_from(text); };
  agent.approval["box.send"].rules = {
      {tests(R"([{"argument":"/to","matches":"@example\\.org$"}])"), approval_policy::never, ""},
      {tests(R"([{"argument":"/amount","greater":100}])"), approval_policy::always, "extreme"}};
  agent.approval["box.send"].policy = approval_policy::never;
  CHECK_FALSE(demand(R"({"to":"a@example.org","amount":1000})").asks);
  CHECK(demand(R"({"to":"a@example.com","amount":1000})").asks);
  CHECK(demand(R"({"to":"a@example.com","amount":1000})").risk == "extreme");
  CHECK_FALSE(demand(R"({"to":"a@example.com","amount":10})").asks);
}

TEST_CASE("approval policy: a question tells what it is about and what it demands") {
  auto demand = approval_world::two_people();
  demand.not_requester = true;
  demand.risk = "high";
  approval_world a(demand);
  a.run();
  auto asked = only_question(a.w, a.session);
  CHECK(asked.kind == core::approval_kind::tool);
  CHECK(asked.action == R"({"path":"a"})");
  CHECK(asked.arguments_hash == tools::arguments_hash(arguments(R"({"path":"a"})")));
  CHECK(asked.deciders == 2);
  CHECK(asked.not_by == "alice");
  CHECK(asked.risk == "high");
  CHECK(asked.expires_at == a.w.environment->now() + std::chrono::hours{24});
  CHECK(a.desk->calls.empty());
}

TEST_CASE("approval policy: of parallel calls those that ask nobody go on, and the model hears of all together") {
  approval_world a;
  auto id = a.run({call_of("c", "desk"), call_of("d", "other")});
  REQUIRE(a.desk->calls.size() == 1);
  CHECK(a.desk->last().tool == "other");
  a.desk->last().done("other is done");
  a.w.settle();
  CHECK(a.w.model->asked.size() == 1);
  a.decide("bob", approve(id));
  REQUIRE(a.desk->calls.size() == 2);
  a.desk->last().done("desk is done");
  a.w.settle();
  auto results = results_of(a.w);
  REQUIRE(results.size() == 2);
  CHECK(results[0].content == "desk is done");
  CHECK(results[1].content == "other is done");
  a.finish();
}

// ---- decisions ----

TEST_CASE("decisions: who sent the message may be kept from deciding, and others decide") {
  auto demand = approval_world::always();
  demand.not_requester = true;
  approval_world a(demand);
  auto id = a.run();
  CHECK(a.refusal(user("alice"), approve(id)).code == errc::forbidden);
  CHECK(a.refusal(user("alice"), deny(id)).code == errc::forbidden);
  a.w.restart();  // who sent it is known from the log then
  CHECK(a.refusal(user("alice"), approve(id)).code == errc::forbidden);
  CHECK(a.decide("bob", approve(id)).won);
  a.finish();
}

TEST_CASE("decisions: one that comes too late is none, though no timer has run") {
  approval_world a;
  auto id = a.run();
  // The clock on the wall moves, the timers' does not.
  a.w.environment->set_now(a.w.environment->now() + std::chrono::hours{24});
  auto said = a.decide("bob", approve(id));
  CHECK_FALSE(said.won);
  CHECK(said.decision == decision::expired);
  CHECK(a.desk->calls.empty());
  CHECK(results_of(a.w)[0].content == "Nobody approved this call in time; it was not carried out.");
}

TEST_CASE("decisions: edited arguments must fit before they count, and are what runs") {
  approval_world a;
  auto id = a.run();
  auto why = a.refusal(user("bob"), edited(id, R"({"path":7})"));
  CHECK(why.code == errc::validation_error);
  CHECK(why.text.find("/path") != std::string::npos);
  CHECK(a.refusal(user("bob"), edited(id, "no json")).code == errc::validation_error);
  CHECK(a.all<approval_decided>().empty());
  CHECK(a.decide("bob", edited(id, R"({ "path" : "b" })")).won);
  auto decided = a.all<approval_decided>();
  REQUIRE(decided.size() == 1);
  CHECK(decided[0].edited_input == R"({"path":"b"})");
  CHECK(decided[0].arguments_hash == tools::arguments_hash(arguments(R"({"path":"b"})")));
  CHECK(a.desk->last().arguments == arguments(R"({"path":"b"})"));
  a.finish();
}

TEST_CASE("decisions: who looked at other arguments decides nothing") {
  approval_world a;
  auto id = a.run();
  auto stale = approve(id);
  stale.arguments_hash = tools::arguments_hash(arguments(R"({"path":"z"})"));
  auto why = a.refusal(user("bob"), stale);
  CHECK(why.code == errc::approval_not_pending);
  CHECK(why.text.find("not the ones you looked at") != std::string::npos);
  stale.arguments_hash = only_question(a.w, a.session).arguments_hash;
  CHECK(a.decide("bob", stale).won);
  a.finish();
}

TEST_CASE("decisions: what has no place in one is refused and leaves it open") {
  approval_world a;
  auto id = a.run();
  auto with = [&](auto change) {
    auto d = approve(id);
    change(d);
    return a.refusal(user("bob"), d).code;
  };
  CHECK(with([](auto& d) { d.choice = core::outcome_choice::retry; }) == errc::validation_error);
  CHECK(with([](auto& d) { d.answer = "{}"; }) == errc::validation_error);
  CHECK(with([](auto& d) { d.note = std::string(4'001, 'x'); }) == errc::validation_error);
  CHECK(a.refusal(user("bob", core::scope::chat | core::scope::read), approve(id)).code == errc::forbidden);
  CHECK(a.refusal(user("eve"), approve(id)).code == errc::not_found);
  CHECK(a.all<approval_decided>().empty());
  a.decide("bob", approve(id));
  a.finish();
}

TEST_CASE("decisions: of many that race one wins, and the others are told which") {
  for (std::size_t jobs : {0U, 1U, 3U, 5U, 8U, 13U, 40U}) {
    INFO("jobs between them: " << jobs);
    approval_world a;
    auto id = a.run();
    std::vector<std::shared_ptr<std::optional<world::reply>>> said;
    for (const auto* who : {"alice", "bob", "carol"}) {
      said.push_back(a.w.post(a.session, user(who), who == std::string("bob") ? deny(id) : approve(id)));
      a.w.run_some(jobs);
    }
    a.w.settle();
    std::size_t winners = 0;
    for (const auto& r : said) {
      REQUIRE(r->has_value());
      REQUIRE(r->value().has_value());
      auto s = std::get<approval_settled>(*r->value());
      winners += s.won;
      CHECK(s.by == "alice");
      CHECK(s.decision == decision::approved);
    }
    CHECK(winners == 1);
    CHECK(a.all<approval_decided>().size() == 1);
    CHECK(a.desk->calls.size() == 1);
  }
}

TEST_CASE("decisions: one survives a model that fails right after it") {
  approval_world a;
  auto id = a.run();
  a.w.model->answer = [](const auto&) { return heard_model::fails("broken", false); };
  a.decide("bob", approve(id));
  a.desk->last().done("written");
  a.w.settle();
  CHECK(end_of_run(a.w, a.session) == "failed: broken");
  CHECK(a.all<approval_decided>().size() == 1);
  a.w.restart();
  CHECK(a.decide("carol", deny(id)).by == "bob");
  a.w.model->answer = [](const auto&) { return heard_model::says("Hello."); };
  a.w.must<core::message_accepted>(a.session, user("alice"), say("again"));
  REQUIRE(results_of(a.w).size() == 1);
  CHECK(results_of(a.w)[0].content == "written");
  CHECK(a.desk->calls.size() == 1);
  CHECK(a.w.defects().empty());
}

TEST_CASE("decisions: a run that ends while one is on its way has one decision of it in its log") {
  for (std::size_t jobs = 0; jobs < 30; ++jobs) {
    INFO("jobs between decision and cancel: " << jobs);
    approval_world a;
    auto id = a.run();
    auto said = a.w.post(a.session, user("bob"), approve(id));
    a.w.run_some(jobs);
    a.w.must(a.session, user("alice"), core::cancel_run{});
    REQUIRE(said->has_value());
    CHECK(a.all<approval_decided>().size() == 1);
    CHECK(a.all<core::tool_completed>().size() == 1);
    CHECK(a.w.defects().empty());
  }
}

// ---- two people ----

TEST_CASE("two people: both must approve, the same person counts once, one denial settles") {
  approval_world a(approval_world::two_people());
  auto id = a.run();
  auto first = a.decide("alice", approve(id));
  CHECK(first.is_pending);
  CHECK(a.decide("alice", approve(id)).is_pending);
  CHECK(a.all<approval_endorsed>().size() == 1);
  CHECK(a.all<approval_decided>().empty());
  CHECK(a.desk->calls.empty());
  bool denies = GENERATE(false, true);
  if (denies) {
    CHECK(a.decide("bob", deny(id)).decision == decision::denied);
    CHECK(results_of(a.w)[0].content.starts_with("The user denied this call"));
    CHECK(a.desk->calls.empty());
  } else {
    auto second = a.decide("bob", approve(id));
    CHECK(second.won);
    CHECK_FALSE(second.is_pending);
    a.finish();
  }
}

TEST_CASE("two people: the first approval survives a restart") {
  approval_world a(approval_world::two_people());
  auto id = a.run();
  a.decide("alice", edited(id, R"({"path":"b"})"));
  a.w.restart();
  CHECK(a.decide("alice", approve(id)).is_pending);
  CHECK(a.decide("bob", approve(id)).won);
  CHECK(a.desk->last().arguments == arguments(R"({"path":"b"})"));
  a.finish();
}

TEST_CASE("two people: who edits proposes something else, and it starts over") {
  approval_world a(approval_world::two_people());
  auto id = a.run();
  auto original = only_question(a.w, a.session).arguments_hash;
  CHECK(a.decide("alice", approve(id)).is_pending);
  CHECK(a.decide("bob", edited(id, R"({"path":"b"})")).is_pending);
  // Alice approved what was asked first; who still looks at that is told so.
  auto stale = approve(id);
  stale.arguments_hash = original;
  CHECK(a.refusal(user("carol"), stale).code == errc::approval_not_pending);
  CHECK(a.decide("bob", approve(id)).is_pending);
  CHECK(a.desk->calls.empty());
  CHECK(a.decide("alice", approve(id)).won);
  auto decided = a.all<approval_decided>();
  REQUIRE(decided.size() == 1);
  CHECK(decided[0].edited_input == R"({"path":"b"})");
  CHECK(a.desk->last().arguments == arguments(R"({"path":"b"})"));
  a.finish();
}
