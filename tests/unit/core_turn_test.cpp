#include "core/turn.hpp"

#include <catch2/catch.hpp>

using namespace troupe::core;

namespace {

const run_id run{{1, 1}};
const message_id question{{2, 1}};
const message_id answer{{2, 2}};
const message_id second{{2, 3}};

struct fixture {
  turn t;
  seq_t seq = 0;

  fixture& add(event_payload p) {
    ++seq;
    t.apply({seq, seq, millis{0}, std::move(p)});
    return *this;
  }
  fixture& start() { return add(run_started{run, question, answer, {{9, 9}}, {"a"}, 0, millis{0}}); }
  fixture& step(std::uint32_t n, message_id m) { return add(step_started{run, n, m, "p", "m"}); }
  fixture& text(message_id m) {
    text_pieces pieces;
    pieces.add("x");
    return add(text_delta{m, pieces});
  }
  fixture& ask(std::string call) { return add(tool_started{run, {call}, "tool", "{}", effect::once}); }
  fixture& question_for(std::string call) {
    return add(approval_requested{run, {{5, seq + 1}}, {call}, "tool", "{}", approval_kind::tool, "low", millis{0}});
  }
  fixture& result(std::string call) { return add(tool_completed{run, {call}, "tool", true, "out", 7}); }
};

}  // namespace

TEST_CASE("turn: it is active from its start to each of its ends") {
  for (const event_payload& end :
       {event_payload(run_completed{run, answer, {}, {}, {}, 1}), event_payload(run_failed{run, errc::timeout, "", 1}),
        event_payload(run_cancelled{run, "", false})}) {
    fixture f;
    CHECK_FALSE(f.t.active);
    f.start().step(1, answer);
    CHECK(f.t.active);
    CHECK(f.t.step_open);
    f.add(end);
    CHECK_FALSE(f.t.active);
    CHECK_FALSE(f.t.step_open);
  }
}

TEST_CASE("turn: the cancellation of another run does not end it") {
  fixture f;
  f.start().add(run_cancelled{{{1, 99}}, "", false});
  CHECK(f.t.active);
}

TEST_CASE("turn: it knows where the text of the open step begins, and forgets voided text") {
  fixture f;
  f.start().step(1, answer);
  CHECK(f.t.step_text_from == 0);
  f.text(answer).text(answer);
  CHECK(f.t.step_text_from == 3);
  f.add(message_superseded{answer, 3});
  CHECK(f.t.step_text_from == 0);
  f.step(1, answer).text(answer);
  CHECK(f.t.step_text_from == 7);
}

TEST_CASE("turn: a call has its input, its result and its time, and calls of a step are told apart") {
  fixture f;
  f.start()
      .step(1, answer)
      .add(message_completed{run, 1, answer, "", {}, finish_reason::tool_calls, false})
      .ask("a")
      .result("a");
  CHECK_FALSE(f.t.step_open);
  f.step(2, second).add(message_completed{run, 2, second, "", {}, finish_reason::tool_calls, false}).ask("b");
  REQUIRE(f.t.calls.size() == 2);
  CHECK(f.t.step_calls_from == 1);
  CHECK(f.t.reply == second);
  CHECK(f.t.find_call({"a"})->settled);
  CHECK(f.t.find_call({"a"})->output == "out");
  CHECK(f.t.find_call({"a"})->ms == 7);
  CHECK_FALSE(f.t.find_call({"b"})->settled);
  CHECK(f.t.find_call({"c"}) == nullptr);
}

TEST_CASE("turn: of two calls with one id the newest counts") {
  fixture f;
  f.start().step(1, answer).ask("a").result("a").step(2, second).ask("a");
  CHECK_FALSE(f.t.find_call({"a"})->settled);
}

TEST_CASE("turn: it is parked when every call of the step without a result waits for a person") {
  fixture f;
  f.start()
      .step(1, answer)
      .add(message_completed{run, 1, answer, "", {}, finish_reason::tool_calls, false})
      .ask("a")
      .ask("b")
      .question_for("a");
  CHECK_FALSE(f.t.is_parked());
  f.result("b");
  CHECK(f.t.is_parked());
  auto approval = f.t.open_approvals.front().approval;
  f.add(approval_decided{run, approval, {"a"}, decision::approved, "bob", "", "{\"edited\":1}"});
  CHECK_FALSE(f.t.is_parked());
  CHECK(f.t.open_approvals.empty());
  CHECK(f.t.find_call({"a"})->decided == decision::approved);
  CHECK(f.t.find_call({"a"})->input == "{\"edited\":1}");
}

TEST_CASE("turn: who has said yes is known until the question is settled") {
  fixture f;
  f.start().step(1, answer).ask("a").ask("b").question_for("a").question_for("b");
  auto first = f.t.open_approvals[0].approval;
  auto second = f.t.open_approvals[1].approval;
  f.add(approval_endorsed{run, first, {"a"}, "bob", "fine", ""}).add(approval_endorsed{run, second, {"b"}, "eve", "", ""});
  CHECK(f.t.open_approvals.size() == 2);
  REQUIRE(f.t.endorsements.size() == 2);
  f.add(approval_decided{run, first, {"a"}, decision::approved, "eve", "", ""});
  REQUIRE(f.t.endorsements.size() == 1);
  CHECK(f.t.endorsements[0].by == "eve");
  f.add(run_failed{run, errc::timeout, "", 1});
  CHECK(f.t.endorsements.empty());
}

TEST_CASE("turn: a call whose outcome is not known waits for what a person says of it") {
  fixture f;
  f.start().step(1, answer).ask("a").add(tool_outcome_unknown{run, {"a"}, "tool"}).question_for("a");
  CHECK(f.t.find_call({"a"})->is_unknown);
  auto approval = f.t.open_approvals.front().approval;
  f.add(approval_decided{run, approval, {"a"}, decision::approved, "bob", "", "", outcome_choice::done});
  CHECK_FALSE(f.t.find_call({"a"})->is_unknown);
  CHECK(f.t.find_call({"a"})->choice == outcome_choice::done);
  CHECK_FALSE(f.t.find_call({"a"})->settled);
  f.result("a");
  CHECK(f.t.find_call({"a"})->settled);
}

TEST_CASE("turn: what a running call or its sub-agent wants to know says nothing of the call itself") {
  fixture f;
  f.start().step(1, answer).add(message_completed{run, 1, answer, "", {}, finish_reason::tool_calls, false}).ask("a");
  approval_requested asked{run, {{5, 1}}, {"a"}, "tool", "{}", approval_kind::input, "", millis{0}};
  f.add(asked);
  asked.approval = {{5, 2}};
  asked.kind = approval_kind::tool;
  asked.origin = {{7, 1}};
  f.add(asked);
  CHECK(f.t.is_parked());
  f.add(approval_decided{run, {{5, 2}}, {"a"}, decision::denied, "bob", "no", "{\"edited\":1}"});
  REQUIRE(f.t.open_approvals.size() == 1);  // the other question of the same call is still open
  CHECK(f.t.is_parked());
  f.add(approval_decided{run, {{5, 1}}, {"a"}, decision::approved, "bob", "yes", "", outcome_choice::none, "{}"});
  CHECK(f.t.open_approvals.empty());
  CHECK_FALSE(f.t.find_call({"a"})->decided);
  CHECK(f.t.find_call({"a"})->input == "{}");
  CHECK(f.t.find_call({"a"})->note.empty());
}

TEST_CASE("turn: a sub-agent is known by its session and counts into the run") {
  fixture f;
  const session_id child{{7, 1}};
  f.start()
      .add(usage_recorded{run, 1, "p", "m", {10, 0, 2}, {5}, false, {}, {}, 1})
      .add(tool_started{run, {"a"}, "delegate", "{}", effect::once, child});
  CHECK(f.t.find_call({"a"})->child == child);
  f.add(tool_completed{run, {"a"}, "delegate", true, "out", 7, 0, {100, 10, 20}, {30}});
  CHECK(f.t.tokens == token_usage{110, 10, 22});
  CHECK(f.t.cost == micro_usd{35});
}

TEST_CASE("turn: another agent may take over, and the next run says its own") {
  fixture f;
  f.start().add(agent_changed{run, {"editor"}, "go on"});
  CHECK(f.t.agent == agent_id{"editor"});
  CHECK(f.t.active);
  f.start();
  CHECK(f.t.agent == agent_id{"a"});
}

TEST_CASE("turn: a stop that was asked for is known until the run has ended") {
  fixture f;
  f.start().add(run_stop_requested{{{1, 99}}, "eve"});
  CHECK_FALSE(f.t.stop);
  f.add(run_stop_requested{run, "bob"});
  REQUIRE(f.t.stop);
  CHECK(f.t.stop->by == "bob");
  CHECK(f.t.active);
  f.add(run_cancelled{run, "bob", true});
  CHECK_FALSE(f.t.stop);
}

TEST_CASE("turn: usage is summed over the run and begins again with the next") {
  fixture f;
  f.start()
      .add(usage_recorded{run, 1, "p", "m", {10, 0, 2}, {5}, false, {}, {}, 1})
      .add(usage_recorded{run, 2, "p", "m", {20, 0, 3}, {6}, false, {}, {}, 1});
  CHECK(f.t.tokens == token_usage{30, 0, 5});
  CHECK(f.t.cost == micro_usd{11});
  f.start();
  CHECK(f.t.cost == micro_usd{0});
  CHECK(f.t.calls.empty());
}
