#include "app/replay.hpp"
#include "app/scenario/junit.hpp"
#include "app/scenario/received.hpp"
#include "app/scenario/runner.hpp"
#include "app_scenario_support.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>

using namespace troupe;
using namespace troupe::testing;
namespace fs = std::filesystem;

namespace {

std::string scenario_text(const std::string& steps, const std::string& more = {}) {
  return R"({ "scenario": "x", )" + more +
         R"("agent": { "tools": ["calculator", "write_file"], "approval": { "write_file": "always" } },
 "model": { "rules": [ { "when": { "user": "sum" }, "say": [ { "tool": "calculator", "arguments": { "expression": "1+1" } }, { "tool": "write_file", "arguments": { "path": "a", "content": "b" } } ] } ],
            "otherwise": [ { "text": ["one ", "two"] }, { "delay_ms": 100 }, { "text": " three" } ] },
 "steps": [
)" + steps +
         "\n] }";
}

app::scenario_outcome play(const std::string& steps, const std::string& more = {}, bool restarts = false) {
  return app::run_scenario(parsed_scenario(scenario_text(steps, more)), {restarts});
}

const std::string begin = R"({ "send": { "message": "hi" } },
{ "expect": { "kind": "message_added" } },
{ "expect": { "kind": "run_started", "reply": "$answer" } },
{ "expect": { "kind": "step_started" } },
)";

}  // namespace

TEST_CASE("replay: the same scenario gives the same events, to the last byte") {
  // Only what came counts here; that nobody expects it does not.
  const std::string ignore_all =
      R"("ignore": ["text_delta", "message_completed", "usage_recorded", "run_completed", "message_added", "run_started", "step_started", "tool_started", "tool_completed", "approval_requested", "approval_decided", "message_superseded", "run_cancelled", "run_stop_requested"], )";
  auto s = scenario_text(R"({ "send": { "message": "hi" } },
{ "advance_ms": 100 },
{ "send": { "message": "sum" } },
{ "advance_ms": 50 },
{ "crash": true },
{ "send": { "approve": true } },
{ "advance_ms": 100000000 },
{ "send": { "status": "closed" } },
{ "expect": { "kind": "session_updated" } },
{ "expect": { "kind": "session_closed" } })",
                         ignore_all);
  auto first = app::run_scenario(parsed_scenario(s), {});
  auto second = app::run_scenario(parsed_scenario(s), {});
  INFO(first.text);
  CHECK(first.what == app::verdict::passed);
  CHECK(first.events.size() > 20);
  CHECK(first.events == second.events);
}

TEST_CASE("replay: a difference names file, line, step, what was expected, what came and the field") {
  auto outcome = play(begin + R"({ "expect": { "kind": "text_delta", "text": "one three" } })");
  CHECK(outcome.what == app::verdict::failed);
  mentions(outcome.text, "f.json:9: step 5 (expect)\n");
  mentions(outcome.text, R"(expected: {"kind":"text_delta","text":"one three"})");
  mentions(outcome.text, R"(came:     {"kind":"text_delta","seq":6,"first":5,)");
  mentions(outcome.text, R"(differs:  text: expected "one three", came "one two")");
}

TEST_CASE("replay: an event too few, one too many and one out of order all fail") {
  mentions(play(begin + R"({ "expect": { "kind": "text_delta" } }, { "expect": { "kind": "run_completed" } })").text,
           "came:     nothing");
  mentions(play(begin + R"({ "advance_ms": 1 })").text,
           "f.json:9: step 5 (advance_ms)\n  expected: nothing more before this step\n  then came: {\"kind\":\"text_delta\"");
  mentions(play(R"({ "send": { "message": "hi" } }, { "expect": { "kind": "run_started" } })").text,
           R"(kind: expected "run_started", came "message_added")");
  // Left over at the very end.
  mentions(play(R"({ "send": { "message": "hi" } }, { "expect": { "kind": "message_added" } })").text,
           "then came: {\"kind\":\"run_started\"");
}

TEST_CASE("replay: a refusal that no step expects fails, and so does a wrong answer") {
  mentions(play(R"({ "send": { "cancel": true } }, { "reply": { "done": true } })").text, R"(came:     {"error":"NOT_FOUND")");
  mentions(play(R"({ "send": { "cancel": true } }, { "advance_ms": 1 }, { "expect": { "kind": "run_started" } })").text,
           "was refused and no step expects it");
  CHECK(play(R"({ "send": { "cancel": true } }, { "reply": { "error": "NOT_FOUND" } })").what == app::verdict::passed);
}

TEST_CASE("replay: a variable that nothing bound and a text that is no id are told") {
  mentions(play(R"({ "send": { "approve": "$nobody" } }, { "expect": { "kind": "run_started" } })").text,
           "$nobody is not bound by a step before this one");
  mentions(play(R"({ "send": { "dequeue": "zero" } }, { "expect": { "kind": "run_started" } })").text, "\"zero\" is not an id");
}

TEST_CASE("replay: a crash that waits for an event that never comes fails") {
  mentions(
      play(
          R"({ "crash": { "before": "session_closed" } }, { "send": { "cancel": true } }, { "reply": { "error": "NOT_FOUND" } })")
          .text,
      "the crash before this event never came");
}

TEST_CASE("replay: lengths of text pieces count where a scenario asks for them") {
  CHECK(
      play(
          begin +
              R"({ "expect": { "kind": "text_delta", "lengths": [4, 3] } }, { "advance_ms": 200 }, { "expect": { "kind": "text_delta", "text": " three" } })",
          R"("ignore": ["usage_recorded", "message_completed", "run_completed"], )")
          .what == app::verdict::passed);
  mentions(play(begin + R"({ "expect": { "kind": "text_delta", "lengths": [7] } })").text, "lengths[0]: expected 7, came 4");
}

TEST_CASE("replay: with restarts the same expectations hold, and what a restart repeats is not counted twice") {
  const std::string steps = begin + R"({ "expect": { "kind": "text_delta", "message": "$answer", "text": "one two" } },
{ "advance_ms": 100 },
{ "expect": { "kind": "text_delta", "message": "$answer", "text": " three" } },
{ "expect": { "kind": "message_completed", "message": "$answer", "content": "one two three" } },
{ "expect": { "kind": "usage_recorded" } },
{ "expect": { "kind": "run_completed" } })";
  auto outcome = play(steps, {}, true);
  INFO(outcome.text);
  CHECK(outcome.what == app::verdict::passed);
  std::size_t superseded = 0;
  for (const auto& e : outcome.events) superseded += e.at("kind") == boost::json::value("message_superseded") ? 1U : 0U;
  CHECK(superseded > 0);
}

TEST_CASE("replay: a scenario that cannot bear restarts is skipped with its reason, and runs without them") {
  const std::string steps = R"({ "send": { "cancel": true } }, { "reply": { "error": "NOT_FOUND" } })";
  auto outcome = play(steps, R"("skip": { "restart": "because" }, )", true);
  CHECK(outcome.what == app::verdict::skipped);
  CHECK(outcome.text == "because");
  CHECK(play(steps, R"("skip": { "restart": "because" }, )").what == app::verdict::passed);
}

TEST_CASE("replay: a step that runs again and says something else is found") {
  core::run_id run{{1, 1}};
  core::message_id message{{2, 1}};
  core::seq_t seq = 0;
  auto event = [&](core::event_payload p) { return core::event{seq + 1, ++seq, core::millis{0}, std::move(p)}; };
  auto text = [&](std::string_view t) {
    core::text_pieces pieces;
    pieces.add(t);
    return event(core::text_delta{message, pieces});
  };
  app::received r({}, true);
  r.add({event(core::step_started{run, 1, message, "p", "m"}), text("one ")});
  CHECK(r.take()->at("kind") == boost::json::value("step_started"));
  CHECK(r.take()->at("text") == boost::json::value("one "));
  r.add({event(core::message_superseded{message, 2}), event(core::step_started{run, 1, message, "p", "m"})});
  CHECK(r.empty());
  SECTION("the same, and more") {
    r.add({text("on"), text("e two")});
    CHECK_FALSE(r.defect().has_value());
    CHECK(r.take()->at("text") == boost::json::value("two"));
  }
  SECTION("something else") {
    r.add({text("uno ")});
    CHECK(r.defect().has_value());
  }
  SECTION("less") {
    r.add({text("one"), event(core::message_completed{run, 1, message, "one", {}, core::finish_reason::stop, false})});
    CHECK(r.defect().has_value());
  }
}

TEST_CASE("replay: the exit status tells passed, failed and wrong usage apart, and JUnit has a case per scenario") {
  scenario_folder f;
  auto good = f.put("good.json", scenario_text(R"({ "send": { "cancel": true } }, { "reply": { "error": "NOT_FOUND" } })"));
  auto report = (f.path / "report.xml").string();
  CHECK(app::replay({.paths = {f.path.string()}, .junit = report}) == 0);
  auto bad = f.put("bad.json", scenario_text(R"({ "send": { "cancel": true } }, { "reply": { "done": true } })"));
  CHECK(app::replay({.paths = {f.path.string()}, .junit = report}) == 1);
  std::ifstream in(report);
  std::string xml{std::istreambuf_iterator<char>(in), {}};
  mentions(xml, "tests=\"2\" failures=\"1\" skipped=\"0\"");
  mentions(xml, "name=\"" + good + "\"");
  mentions(xml, "name=\"" + bad + "\"");
  mentions(xml, "&quot;error&quot;:&quot;NOT_FOUND&quot;");
  CHECK(app::replay({.paths = {good, bad}, .junit = "/nowhere/report.xml"}) == 2);
  CHECK(app::replay({.paths = {f.path.string() + "/none"}}) == 2);
  CHECK(app::replay({.paths = {}}) == 2);
  scenario_folder empty;
  CHECK(app::replay({.paths = {empty.path.string()}}) == 2);
  auto broken = f.put("broken.json", "{");
  CHECK(app::replay({.paths = {good, broken}}) == 2);
}
