// Calls that a restart interrupts: what runs again, what a person must say, and that nothing runs twice that must not.
#include "actors_tool_desk.hpp"

using namespace troupe;
using namespace troupe::test;
using core::approval_decided;
using core::approval_requested;
using core::approval_settled;
using core::decision;
using core::errc;
using core::outcome_choice;

namespace {

/// A session whose agent has a `once` and an `idempotent` tool.
struct outcome_world {
  std::shared_ptr<tool_desk> desk = std::make_shared<tool_desk>();
  world w;
  core::session_id session;

  explicit outcome_world(const world::change& more = {})
      : w(
            [&](core::config& c, core::project_config& p, core::agent_config& a) {
              a.tools = {"pay", "look"};
              if (more) more(c, p, a);
            },
            [&](tools::toolbox& box) {
              REQUIRE(box.add(desk_tool_named(desk, "pay", core::effect::once)).has_value());
              REQUIRE(box.add(desk_tool_named(desk, "look")).has_value());
            }) {
    session = w.opened(1);
  }
  void run(std::vector<core::tool_call> calls) {
    ask_for(w, std::move(calls));
    w.must<core::message_accepted>(session, {}, say("go"));
  }
  template <class Kind>
  std::vector<Kind> all() {
    return w.all<Kind>(session);
  }
  std::vector<approval_requested> cards() {
    std::vector<approval_requested> out;
    for (auto& a : all<approval_requested>())
      if (a.kind == core::approval_kind::outcome_unknown) out.push_back(std::move(a));
    return out;
  }
  /// `pay` was running when the server stopped; the card that asks about it.
  core::approval_id interrupted() {
    run({call_of("c", "pay", R"({"path":"a"})")});
    REQUIRE(desk->calls.size() == 1);
    w.restart();
    CHECK(desk->calls.size() == 1);
    auto open = cards();
    REQUIRE(open.size() == 1);
    CHECK(open[0].action == R"({"path":"a"})");
    CHECK(open[0].tool == "pay");
    CHECK(all<core::tool_outcome_unknown>().size() == 1);
    CHECK(end_of_run(w, session).empty());
    return open[0].approval;
  }
  approval_settled choose(const core::approval_id& id, outcome_choice choice, std::string note = {}) {
    core::decide_approval d;
    d.approval = id;
    d.choice = choice;
    d.note = std::move(note);
    return w.must<approval_settled>(session, user("bob", core::scope::all), d);
  }
  void ended(std::size_t effects) {
    CHECK(end_of_run(w, session) == "completed");
    CHECK(desk->calls.size() == effects);
    CHECK(all<core::tool_completed>().size() == 1);
    CHECK(w.defects().empty());
  }
};

}  // namespace

TEST_CASE("outcome unknown: retry runs the call again, with the same key") {
  outcome_world o;
  auto id = o.interrupted();
  auto said = o.choose(id, outcome_choice::retry);
  CHECK(said.won);
  CHECK(said.choice == outcome_choice::retry);
  REQUIRE(o.desk->calls.size() == 2);
  CHECK(o.desk->calls[0]->context.idempotency_key == o.desk->calls[1]->context.idempotency_key);
  o.desk->last().done("paid");
  o.w.settle();
  CHECK(results_of(o.w)[0].content == "paid");
  o.ended(2);
}

TEST_CASE("outcome unknown: done is a result, with the person's words or a standard text") {
  auto note = GENERATE(std::string(), std::string("Invoice 7 was paid."));
  outcome_world o;
  auto id = o.interrupted();
  CHECK(o.choose(id, outcome_choice::done, note).decision == decision::approved);
  auto result = results_of(o.w)[0];
  CHECK(result.ok);
  CHECK(result.content == (note.empty() ? "The server stopped while this call ran; the user says that it took effect." : note));
  o.ended(1);
}

TEST_CASE("outcome unknown: failed is a failed result") {
  outcome_world o;
  auto id = o.interrupted();
  CHECK(o.choose(id, outcome_choice::failed, "It bounced.").decision == decision::denied);
  CHECK_FALSE(results_of(o.w)[0].ok);
  CHECK(results_of(o.w)[0].content.starts_with("Outcome unknown: "));
  CHECK(results_of(o.w)[0].content.ends_with("It bounced."));
  o.ended(1);
}

TEST_CASE("outcome unknown: clients that know approvals only approve a retry or deny it") {
  bool approves = GENERATE(false, true);
  outcome_world o;
  auto id = o.interrupted();
  auto edits = approve(id);
  edits.edited_input = R"({"path":"b"})";
  CHECK(o.w.refused(o.session, {}, edits).code == errc::validation_error);
  auto said = o.w.must<approval_settled>(o.session, {}, approves ? approve(id) : deny(id));
  CHECK(said.choice == (approves ? outcome_choice::retry : outcome_choice::failed));
  if (approves) {
    o.desk->last().done("paid");
    o.w.settle();
  }
  o.ended(approves ? 2 : 1);
}

TEST_CASE("outcome unknown: nobody says, and it is a failed result") {
  outcome_world o;
  auto id = o.interrupted();
  o.w.advance(std::chrono::hours{24});
  CHECK(o.all<approval_decided>().front().decision == decision::expired);
  CHECK(results_of(o.w)[0].content.starts_with("Outcome unknown: "));
  CHECK_FALSE(o.choose(id, outcome_choice::retry).won);
  o.ended(1);
}

TEST_CASE("outcome unknown: a restart while the card is open leaves it open, and asks no second time") {
  outcome_world o;
  auto id = o.interrupted();
  for (int i = 0; i < 3; ++i) o.w.restart();
  CHECK(o.cards().size() == 1);
  CHECK(o.all<core::tool_outcome_unknown>().size() == 1);
  o.choose(id, outcome_choice::done);
  o.ended(1);
}

TEST_CASE("outcome unknown: a restart after a retry began asks again, for it may have run") {
  outcome_world o;
  auto first = o.interrupted();
  o.choose(first, outcome_choice::retry);
  CHECK(o.desk->calls.size() == 2);
  o.w.restart();
  auto cards = o.cards();
  REQUIRE(cards.size() == 2);
  CHECK(o.all<core::tool_outcome_unknown>().size() == 2);
  CHECK_FALSE(o.choose(first, outcome_choice::done).won);
  CHECK(o.desk->calls.size() == 2);
  CHECK(o.choose(cards[1].approval, outcome_choice::done).won);
  o.ended(2);
}

TEST_CASE("outcome unknown: wherever the process stops after the decision, it is followed once") {
  auto choice = GENERATE(outcome_choice::retry, outcome_choice::done, outcome_choice::failed);
  for (std::size_t jobs = 0; jobs < 30; ++jobs) {
    INFO("choice: " << core::to_string(choice) << " jobs: " << jobs);
    outcome_world o;
    auto id = o.interrupted();
    core::decide_approval d;
    d.approval = id;
    d.choice = choice;
    auto said = o.w.post(o.session, {}, d);
    o.w.run_some(jobs);
    o.w.restart();
    if (end_of_run(o.w, o.session).empty()) {
      // Either nobody heard it and the card is open, or the retry may have run and a new one is.
      auto cards = o.cards();
      if (cards.size() == 1) o.choose(id, choice);
      if (o.cards().size() == 2) o.choose(o.cards().back().approval, outcome_choice::done);
      if (!o.desk->last().is_given_up) o.desk->last().done("paid");
      o.w.settle();
    }
    CHECK(end_of_run(o.w, o.session) == "completed");
    CHECK(o.desk->calls.size() <= (choice == outcome_choice::retry ? 2U : 1U));
    CHECK(o.all<core::tool_completed>().size() == 1);
    CHECK(o.w.defects().empty());
  }
}

TEST_CASE("outcome unknown: a cancelled run closes the card") {
  outcome_world o;
  auto id = o.interrupted();
  o.w.must(o.session, {}, core::cancel_run{});
  CHECK(end_of_run(o.w, o.session) == "cancelled");
  CHECK(o.all<approval_decided>().size() == 1);
  CHECK_FALSE(o.choose(id, outcome_choice::retry).won);
  CHECK(o.desk->calls.size() == 1);
  CHECK(o.w.defects().empty());
}

TEST_CASE("outcome unknown: of parallel calls only those that must not run twice ask") {
  outcome_world o;
  o.run({call_of("a", "look", R"({"path":"1"})"), call_of("b", "pay"), call_of("c", "look", R"({"path":"2"})")});
  REQUIRE(o.desk->calls.size() == 3);
  o.desk->calls[2]->done("second look");
  o.w.settle();
  o.w.restart();
  REQUIRE(o.desk->calls.size() == 4);
  CHECK(o.desk->last().tool == "look");
  CHECK(o.desk->last().arguments.at("path") == "1");
  o.desk->last().done("first look");
  o.w.settle();
  REQUIRE(o.cards().size() == 1);
  o.choose(o.cards()[0].approval, outcome_choice::done, "paid by hand");
  auto results = results_of(o.w);
  REQUIRE(results.size() == 3);
  CHECK(results[0].content == "first look");
  CHECK(results[1].content == "paid by hand");
  CHECK(results[2].content == "second look");
  CHECK(o.w.defects().empty());
}

TEST_CASE("outcome unknown: a once call that was denied or that waited never ran, and asks nothing") {
  outcome_world o([](auto&, auto&, core::agent_config& a) { a.approval["pay"].policy = core::approval_policy::by_effect; });
  o.run({call_of("c", "pay")});
  CHECK(o.desk->calls.empty());
  o.w.restart();
  CHECK(o.cards().empty());
  auto id = only_question(o.w, o.session).approval;
  o.w.must<approval_settled>(o.session, {}, approve(id));
  CHECK(o.desk->calls.size() == 1);
  o.w.restart();
  REQUIRE(o.cards().size() == 1);
  o.choose(o.cards()[0].approval, outcome_choice::failed);
  o.ended(1);
}

TEST_CASE("calls interrupted: approved arguments are those that run again") {
  outcome_world o([](auto&, auto&, core::agent_config& a) { a.approval["look"].policy = core::approval_policy::always; });
  o.run({call_of("c", "look", R"({"path":"a"})")});
  auto d = approve(only_question(o.w, o.session).approval);
  d.edited_input = R"({"path":"b"})";
  o.w.must<approval_settled>(o.session, {}, d);
  o.w.restart();
  REQUIRE(o.desk->calls.size() == 2);
  CHECK(o.desk->last().arguments.at("path") == "b");
  o.desk->last().done("ok");
  o.w.settle();
  o.ended(2);
}

TEST_CASE("calls interrupted: what one had asked is void, and the call itself is treated like any other") {
  outcome_world o;
  bool is_once = GENERATE(false, true);
  o.run({call_of("c", is_once ? "pay" : "look")});
  o.desk->last().listener->ask({"Sure?", ""});
  o.w.settle();
  auto asked = only_question(o.w, o.session);
  o.w.restart();
  auto decided = o.all<approval_decided>();
  REQUIRE(decided.size() == 1);
  CHECK(decided[0].approval == asked.approval);
  CHECK(decided[0].decision == decision::expired);
  if (is_once) {
    REQUIRE(o.cards().size() == 1);
    o.choose(o.cards()[0].approval, outcome_choice::done);
    o.ended(1);
  } else {
    REQUIRE(o.desk->calls.size() == 2);
    o.desk->last().done("ok");
    o.w.settle();
    o.ended(2);
  }
}

TEST_CASE("calls interrupted: an answer that was given says nothing of the call") {
  outcome_world o;
  o.run({call_of("c", "look")});
  o.desk->last().listener->ask({"Sure?", ""});
  o.w.settle();
  o.w.must<approval_settled>(o.session, {}, deny(only_question(o.w, o.session).approval));
  o.w.restart();
  REQUIRE(o.desk->calls.size() == 2);
  o.desk->last().done("ok");
  o.w.settle();
  o.ended(2);
}
