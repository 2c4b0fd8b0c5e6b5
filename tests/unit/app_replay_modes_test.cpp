#include "app/replay.hpp"
#include "app/scenario/divergence.hpp"
#include "app/scenario/runner.hpp"
#include "app_scenario_support.hpp"
#include "providers/utf8.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <set>

using namespace troupe;
using namespace troupe::testing;
namespace fs = std::filesystem;

namespace {

std::string modes_text(const std::string& steps, const std::string& more = {}) {
  return R"({ "scenario": "x", )" + more +
         R"("agent": { "tools": ["calculator", "write_file"] }, "price": { "input": 2, "output": 8 },
 "model": { "rules": [ { "when": { "tool": "write_file" }, "say": [ { "text": "Written." } ] },
                       { "when": { "tool": "calculator" }, "say": [ { "tool": "write_file", "arguments": { "path": "a", "content": "2" } } ] },
                       { "when": { "user": "sum" }, "say": [ { "text": "Wait. " }, { "delay_ms": 500 }, { "tool": "calculator", "arguments": { "expression": "1+1" } }, { "usage": { "prompt": 1000, "completion": 100 } } ] } ],
            "otherwise": [ { "text": ["one ", "two"] } ] },
 "steps": [
)" + steps +
         "\n] }";
}
app::scenario_outcome play_modes(const std::string& steps, const std::string& more = {}) {
  return app::run_scenario(parsed_scenario(modes_text(steps, more)), {});
}
void passes(const std::string& steps) {
  auto outcome = play_modes(steps);
  INFO(outcome.text);
  CHECK(outcome.what == app::verdict::passed);
}
std::string error_of_last(const std::string& step) {
  auto s = app::parse_scenario(modes_text(R"({ "expect": { "kind": "run_started" } },)"
                                          "\n" +
                                          step),
                               "f.json");
  return s ? "no error" : s.error().text;
}

/// `advance_ms` needs everything before it expected.
const std::string whole_scenario = R"({ "send": { "message": "sum" } },
{ "expect_text": { "equals": "Wait. " } },
{ "advance_ms": 500 },
)";

}  // namespace

TEST_CASE("assertions: text, calls, cost, counts, order and absence hold of all that came") {
  passes(whole_scenario +
         R"({ "expect_text": { "equals": "Written.", "contains": "ritt", "lacks": "Wait", "regex": "^W.*\\.$" } },
{ "expect_calls": ["calculator", { "tool": "write_file", "ok": true, "input": { "path": "a" } }] },
{ "expect_cost": { "equals": 2800, "at_least": 1, "at_most": 5000 } },
{ "expect_count": { "of": { "kind": "tool_completed", "ok": true }, "equals": 2 } },
{ "expect_order": [ { "kind": "tool_started", "tool": "calculator", "run": "$run" }, { "kind": "run_completed", "run": "$run" } ] },
{ "expect_none": { "kind": "run_failed" } })");
}

TEST_CASE("assertions: one that does not hold names its place, what it looked at and the difference") {
  auto text_of = [](const std::string& step) { return play_modes(whole_scenario + step).text; };
  mentions(text_of(R"({ "expect_text": { "contains": "wrong" } })"), "f.json:10: step 4 (expect_text)\n");
  mentions(text_of(R"({ "expect_text": { "contains": "wrong" } })"),
           "came:     \"Written.\"\n  differs:  contains: lacks \"wrong\"");
  mentions(text_of(R"({ "expect_text": { "lacks": "Wri" } })"), "lacks: has \"Wri\"");
  mentions(text_of(R"({ "expect_calls": ["calculator"] })"), "expected 1 items, came 2");
  mentions(text_of(R"({ "expect_cost": { "at_most": 10 } })"), "at_most: expected 10 or less, came 2800");
  mentions(text_of(R"({ "expect_count": { "of": { "kind": "tool_started" }, "equals": 1 } })"), "equals: expected 1, came 2");
  mentions(text_of(R"({ "expect_order": [ { "kind": "run_completed" }, { "kind": "run_started" } ] })"),
           "did not come after the one before it");
  mentions(text_of(R"({ "expect_none": { "kind": "run_completed" } })"), "such an event came");
}

TEST_CASE("assertions: an unknown word is told with its line and the words that fit") {
  mentions(error_of_last(R"({ "expect_text": { "is": "a" } })"), "f.json:8: /steps/1/expect_text/is: unknown key");
  mentions(error_of_last(R"({ "expect_text": { "is": "a" } })"), "equals, contains, lacks, regex");
  mentions(error_of_last(R"({ "expect_text": { "message": "$m" } })"), "needs one of: equals, contains, lacks, regex");
  mentions(error_of_last(R"({ "expect_text": { "regex": "(" } })"), "is not a pattern");
  mentions(error_of_last(R"({ "expect_cost": { "under": 1 } })"), "at_most");
  mentions(error_of_last(R"({ "expect_count": { "equals": 1 } })"), "needs \"of\"");
  mentions(error_of_last(R"({ "expect_count": { "of": { "kind": "x" }, "equals": 1 } })"), "/steps/1/expect_count/of/kind");
  mentions(error_of_last(R"({ "expect_order": [ { "kind": "run_started" } ] })"), "two events or more");
  mentions(error_of_last(R"({ "expect_nothing": {} })"), "expect_none");
  mentions(error_of_last(R"({ "send": { "clear": "all" } })"), "/steps/1/send/clear: expected true");
}

TEST_CASE("replay: a difference is shown with what came before it and what was expected after it") {
  auto text = play_modes(R"({ "send": { "message": "hi" } },
{ "expect": { "kind": "message_added" } },
{ "expect": { "kind": "run_started" } },
{ "expect": { "kind": "run_completed" } },
{ "expect": { "kind": "run_failed" } })")
                  .text;
  mentions(text, "f.json:10: step 4 (expect)\n");
  mentions(text, "after     line 9: {\"kind\":\"run_started\"");
  mentions(text, "came:     {\"kind\":\"step_started\"");
  mentions(text, "then expected, line 11: {\"kind\":\"run_failed\"}");
  mentions(text, "then came: {\"kind\":\"text_delta\"");
}

TEST_CASE("replay: a difference is told to programs, long values as text that is cut between characters") {
  auto outcome = play_modes(R"({ "send": { "message": "hi" } },
{ "expect": { "kind": "message_added" } },
{ "expect": { "kind": "run_started", "run": "$run" } },
{ "expect": { "kind": "step_started", "step": 2 } },
{ "expect": { "kind": "text_delta" } })");
  const auto& d = outcome.divergence;
  CHECK(d.at("line") == 10);
  CHECK(d.at("step") == 4);
  CHECK(d.at("verb") == "expect");
  CHECK(d.at("path") == "step");
  CHECK(d.at("why") == "expected 2, came 1");
  CHECK(d.at("expected").at("step") == 2);
  CHECK(d.at("came").at("kind") == "step_started");
  CHECK(d.at("before").as_array().size() == 2);
  CHECK(d.at("before").at(1).at("line") == 9);
  CHECK(d.at("expectedNext").at(0).at("expect").at("kind") == "text_delta");
  CHECK(d.at("cameNext").at(0).at("kind") == "text_delta");

  auto left = play_modes(R"({ "send": { "message": "hi" } }, { "expect": { "kind": "message_added" } }, { "advance_ms": 1 })")
                  .divergence;
  CHECK(left.at("came").at("kind") == "run_started");
  CHECK_FALSE(left.contains("expected"));
  auto nothing =
      play_modes(whole_scenario + R"({ "expect_none": { "kind": "run_failed" } }, { "expect": { "kind": "run_failed" } })")
          .divergence;
  CHECK(nothing.at("came").is_null());

  std::string long_text;
  while (long_text.size() < 10'000) long_text += "é";
  auto cut = app::bounded_value(boost::json::value(boost::json::object{{"text", "x" + long_text}}));
  REQUIRE(cut.is_string());
  CHECK(cut.get_string().size() < 5'000);
  CHECK(providers::scan_utf8(std::string(cut.get_string())).valid == cut.get_string().size());
}

TEST_CASE("replay: a hundred runs have one hash") {
  auto s = parsed_scenario(modes_text(
      whole_scenario +
      R"({ "expect_none": { "kind": "run_failed" } }, { "crash": true }, { "send": { "message": "hi" } }, { "expect_text": { "equals": "one two" } })"));
  std::set<std::string> hashes;
  for (int i = 0; i < 100; ++i) {
    auto outcome = app::run_scenario(s, {});
    INFO(outcome.text);
    REQUIRE(outcome.what == app::verdict::passed);
    hashes.insert(app::hash_of_events(outcome.events));
  }
  CHECK(hashes.size() == 1);
  CHECK(hashes.begin()->size() == 64);
}

TEST_CASE("replay: a crash at any boundary of the journal leaves the same conversation") {
  auto s = parsed_scenario(modes_text(R"({ "send": { "message": "sum" } },
{ "expect": { "kind": "message_added", "message": "$question" } },
{ "expect": { "kind": "run_started", "run": "$run" } },
{ "expect": { "kind": "step_started", "step": 1 } },
{ "expect": { "kind": "text_delta", "text": "Wait. " } },
{ "advance_ms": 500 },
{ "expect": { "kind": "message_completed", "content": "Wait. " } },
{ "expect": { "kind": "usage_recorded" } },
{ "expect": { "kind": "tool_started", "tool": "calculator" } },
{ "expect": { "kind": "tool_completed", "ok": true, "output": "2" } },
{ "expect": { "kind": "step_started", "step": 2 } },
{ "expect": { "kind": "message_completed" } },
{ "expect": { "kind": "usage_recorded" } },
{ "expect": { "kind": "tool_started", "tool": "write_file" } },
{ "expect": { "kind": "tool_completed", "ok": true } },
{ "expect": { "kind": "step_started", "step": 3 } },
{ "expect": { "kind": "text_delta", "text": "Written." } },
{ "expect": { "kind": "message_completed" } },
{ "expect": { "kind": "usage_recorded" } },
{ "expect": { "kind": "run_completed", "run": "$run" } })"));
  app::run_options options;
  auto plain = app::run_scenario(s, options);
  INFO(plain.text);
  REQUIRE(plain.what == app::verdict::passed);
  CHECK(plain.boundaries > 10);
  std::size_t struck = 0;
  for (options.crash_at = 1; options.crash_at <= plain.boundaries; ++options.crash_at) {
    auto crashed = app::run_scenario(s, options);
    INFO(options.crash_at << " " << crashed.struck << "\n" << crashed.text);
    CHECK(crashed.what == app::verdict::passed);
    struck += crashed.struck.empty() ? 0U : 1U;
  }
  CHECK(struck == plain.boundaries);
}

TEST_CASE("replay: after a crash a text that is not said again is still found") {
  // The second model call of the session answers something else than the first.
  auto text =
      R"({ "scenario": "x", "model": { "rules": [ { "when": { "call": 1 }, "say": [ { "text": "one" }, { "delay_ms": 500 } ] } ],
    "otherwise": [ { "text": "two" } ] }, "ignore": ["usage_recorded", "message_added", "run_started", "step_started"],
    "steps": [ { "send": { "message": "a" } }, { "expect": { "kind": "text_delta", "text": "one" } }, { "advance_ms": 100 },
               { "advance_ms": 400 }, { "expect": { "kind": "message_completed", "content": "two" } }, { "expect": { "kind": "run_completed" } } ] })";
  app::run_options options;
  options.crash_at = 5;
  CHECK(app::run_scenario(parsed_scenario(text), options).what == app::verdict::failed);
}

TEST_CASE("replay: files are chosen by path and tag, and wrong options are told") {
  scenario_folder f;
  const std::string ok = R"({ "send": { "cancel": true } }, { "reply": { "error": "NOT_FOUND" } })";
  (void)f.put("a/one.json", modes_text(ok, R"("tags": ["red", "big"], )"));
  (void)f.put("b/two.json",
              modes_text(R"({ "send": { "cancel": true } }, { "reply": { "done": true } })", R"("tags": ["red"], )"));
  auto status = [&](auto change) {
    app::replay_options o;
    o.paths = {f.path.string()};
    change(o);
    return app::replay(o);
  };
  CHECK(status([](auto&) {}) == 1);
  CHECK(status([](auto& o) { o.filters = {"a/*"}; }) == 0);
  CHECK(status([](auto& o) { o.filters = {"one.json"}; }) == 0);
  CHECK(status([](auto& o) { o.tags = {"red", "big"}; }) == 0);
  CHECK(status([](auto& o) { o.tags = {"blue"}; }) == 2);
  CHECK(status([](auto& o) { o.crash_at = "often"; }) == 2);
  CHECK(status([](auto& o) { o.crash_at = "0"; }) == 2);
  CHECK(status([](auto& o) { o.speed = 0; }) == 2);
  CHECK(status([](auto& o) {
          o.update = true;
          o.crash_at = "1";
        }) == 2);
  CHECK(status([](auto& o) {
          o.filters = {"one.json"};
          o.crash_at = "every";
        }) == 0);
  CHECK(status([](auto& o) {
          o.filters = {"one.json"};
          o.url = "http://127.0.0.1:1";
        }) == 1);
}

TEST_CASE("replay: --update writes what came into the lines that differ and leaves all others alone") {
  scenario_folder f;
  auto file = f.put("a.json", R"({ "scenario": "x",
  "model": { "otherwise": [ { "text": "new words" } ] }, // the model has changed
  "ignore": ["usage_recorded"],
  "steps": [
    { "send": { "message": "hi" }, "as": "ada" },
    { "expect": { "kind": "message_added",   "content": "hi" } }, // stays, with its blanks
    { "expect": { "kind": "run_started", "run": "$run" } },
    { "expect": { "kind": "cost_alert" } },
    { "expect": { "kind": "step_started", "step": 2 } },
    { "expect": { "kind": "message_completed", "content": "old words" } },
    { "expect_text": { "equals": "old words" } }, { "expect_count": { "of": { "kind": "run_completed" }, "equals": 3 } }
  ] }
)");
  app::replay_options o;
  o.paths = {file};
  CHECK(app::replay(o) == 1);
  o.update = true;
  CHECK(app::replay(o) == 0);
  CHECK(f.get("a.json") == R"({ "scenario": "x",
  "model": { "otherwise": [ { "text": "new words" } ] }, // the model has changed
  "ignore": ["usage_recorded"],
  "steps": [
    { "send": { "message": "hi" }, "as": "ada" },
    { "expect": { "kind": "message_added",   "content": "hi" } }, // stays, with its blanks
    { "expect": { "kind": "run_started", "run": "$run" } },
    {"expect":{"kind":"step_started","step":1}},
    {"expect":{"kind":"text_delta","text":"new words"}},
    {"expect":{"kind":"message_completed","content":"new words"}},
    {"expect_text":{"equals":"new words"}}, {"expect_count":{"of":{"kind":"run_completed"},"equals":1}}
  ] }
)");
  o.update = false;
  CHECK(app::replay(o) == 0);
}
