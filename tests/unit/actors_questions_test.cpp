// What calls ask while they run.
#include "actors_approval_world.hpp"

using namespace troupe;
using namespace troupe::test;
using core::approval_decided;
using core::approval_requested;
using core::approval_settled;
using core::decision;
using core::errc;
using std::chrono::milliseconds;

namespace {
const std::string wants_name =
    R"({"type":"object","properties":{"name":{"type":"string"}},"required":["name"],"additionalProperties":false})";

/// A call that has asked for a name.
core::approval_id asking(approval_world& a) {
  ask_for(a.w, {call_of("c", "other", R"({"path":"a"})")});
  a.w.must<core::message_accepted>(a.session, user("alice"), say("go"));
  a.desk->last().listener->ask({"Who?", wants_name});
  a.w.settle();
  auto asked = only_question(a.w, a.session);
  CHECK(asked.kind == core::approval_kind::input);
  CHECK(asked.prompt == "Who?");
  CHECK(asked.schema == wants_name);
  CHECK(asked.tool == "other");
  return asked.approval;
}
}  // namespace

TEST_CASE("questions of calls: the answer must fit, goes to the call, and the call goes on") {
  approval_world a;
  auto id = asking(a);
  auto answer = [&](std::string text) {
    auto d = approve(id);
    d.answer = std::move(text);
    return d;
  };
  CHECK(a.refusal(user("bob"), approve(id)).code == errc::validation_error);
  CHECK(a.refusal(user("bob"), answer("7")).code == errc::validation_error);
  auto why = a.refusal(user("bob"), answer(R"({"name":7})"));
  CHECK(why.code == errc::validation_error);
  CHECK(why.text.find("/name") != std::string::npos);
  CHECK(a.desk->last().answers.empty());
  CHECK(a.decide("bob", answer(R"({ "name" : "Ada" })")).won);
  CHECK(a.all<approval_decided>().front().answer == R"({"name":"Ada"})");
  REQUIRE(a.desk->last().answers.size() == 1);
  CHECK(a.desk->last().answers[0].accepted);
  CHECK(a.desk->last().answers[0].content == arguments(R"({"name":"Ada"})"));
  a.finish();
}

TEST_CASE("questions of calls: denied is declined, and so is one that nobody answered or could answer") {
  approval_world a([] { return approval_world::always(); }(),
                   [](auto&, auto&, core::agent_config& c) { c.limits.approval_timeout = milliseconds{1'000}; });
  bool expires = GENERATE(false, true);
  auto id = asking(a);
  if (expires)
    a.w.advance(milliseconds{1'000});
  else
    a.decide("bob", deny(id));
  REQUIRE(a.desk->last().answers.size() == 1);
  CHECK_FALSE(a.desk->last().answers[0].accepted);
  a.desk->last().listener->ask({"What?", "no schema"});
  a.w.settle();
  REQUIRE(a.desk->last().answers.size() == 2);
  CHECK_FALSE(a.desk->last().answers[1].accepted);
  CHECK(a.all<approval_requested>().size() == 1);
  a.finish();
}

TEST_CASE("questions of calls: the call's time limit stands still while one is open") {
  approval_world a([] { return approval_world::always(); }(),
                   [](auto&, auto&, core::agent_config& c) { c.limits.tool_timeout = milliseconds{1'000}; });
  ask_for(a.w, {call_of("c", "other")});
  a.w.must<core::message_accepted>(a.session, user("alice"), say("go"));
  a.w.advance(milliseconds{600});
  a.desk->last().listener->ask({"Go on?", ""});
  a.w.settle();
  a.w.advance(milliseconds{60'000});
  CHECK_FALSE(a.desk->last().is_given_up);
  a.decide("bob", approve(only_question(a.w, a.session).approval));
  REQUIRE(a.desk->last().answers.size() == 1);
  CHECK(a.desk->last().answers[0].accepted);
  a.w.advance(milliseconds{399});
  CHECK_FALSE(a.desk->last().is_given_up);
  a.w.advance(milliseconds{1});
  CHECK(a.desk->last().is_given_up);
  CHECK(end_of_run(a.w, a.session) == "completed");
}

TEST_CASE("questions of calls: one whose call ends is closed, and who answers then is told") {
  approval_world a;
  auto id = asking(a);
  a.desk->last().done("never mind");
  a.w.settle();
  CHECK(end_of_run(a.w, a.session) == "completed");
  auto decided = a.all<approval_decided>();
  REQUIRE(decided.size() == 1);
  CHECK(decided[0].decision == decision::expired);
  auto late = a.decide("bob", approve(id));
  CHECK_FALSE(late.won);
  CHECK(late.decision == decision::expired);
  a.w.advance(std::chrono::hours{25});
  CHECK(a.all<approval_decided>().size() == 1);
  CHECK(a.w.defects().empty());
}

TEST_CASE("questions of calls: a cancelled run closes them") {
  approval_world a;
  asking(a);
  a.w.must(a.session, user("alice"), core::cancel_run{});
  CHECK(a.desk->last().is_given_up);
  auto decided = a.all<approval_decided>();
  REQUIRE(decided.size() == 1);
  CHECK(decided[0].decision == decision::denied);
  CHECK(a.w.defects().empty());
}
