#include "app/scenario/scenario.hpp"
#include "app_scenario_support.hpp"

#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>

#include <fstream>
#include <iterator>
#include <set>

using namespace troupe;
using namespace troupe::testing;

namespace {

constexpr std::string_view head = R"({ "scenario": "x", "model": { "otherwise": [ { "text": "a" } ] },
)";

std::string error_of(std::string_view text) {
  auto s = app::parse_scenario(text, "f.json");
  return s ? "no error" : s.error().text;
}
std::string error_of_step(std::string_view step) {
  return error_of(std::string(head) + "\"steps\": [\n{ \"expect\": { \"kind\": \"run_started\" } },\n" + std::string(step) +
                  " ] }");
}

}  // namespace

TEST_CASE("scenario file: steps keep the line they begin on") {
  auto s = app::parse_scenario(std::string(head) + R"("tags": ["steps", "x"], // "steps": [
 "steps": [ { "send": { "message": "a\"]}" } },

   { "expect": { "kind": "run_started",
                 "run": "$r" } }, /* a
   comment */ { "advance_ms": 5 },
   { "restart": true } ] })",
                               "f.json");
  INFO((s ? std::string() : s.error().text));
  REQUIRE(s.has_value());
  std::vector<int> lines;
  for (const auto& step : s->steps) lines.push_back(step.line);
  CHECK(lines == std::vector<int>{3, 5, 7, 8});
}

TEST_CASE("scenario file: lines are found whatever stands before the steps") {
  CHECK(app::step_lines(R"({"a": {"steps": [1, 2]}, "steps": [ 1,
 true,
 [3, 4], "x" ], "b": [5]})") == std::vector<int>{1, 2, 3, 3});
  CHECK(app::step_lines("{}").empty());
  CHECK(app::step_lines(R"({"steps": {"a": 1}})").empty());
}

TEST_CASE("scenario file: an unknown word is told with its line and the words that fit") {
  auto text = error_of_step(R"({ "sned": { "message": "a" } })");
  mentions(text, "f.json:4: /steps/1/sned: unknown key");
  mentions(text, "\"send\"");
  text = error_of_step(R"({ "send": { "mesage": "a" } })");
  mentions(text, "f.json:4: /steps/1/send");
  mentions(text, "message, edit, file, approve, deny, revoke, cancel, dequeue, status, clear");
  mentions(error_of_step(R"({ "send": { "message": "a", "onbusy": "queue" } })"), "on_busy");
  mentions(error_of_step(R"({ "expect": { "kind": "run_start" } })"), "the nearest is \"run_started\"");
  mentions(error_of_step(R"({ "expect": { "run": "$x" } })"), "needs \"kind\"");
  mentions(error_of_step(R"({ "reply": { "eror": "BUSY" } })"), "\"error\"");
  mentions(error_of_step(R"({ "advance_ms": "soon" })"), "/steps/1/advance_ms: expected a whole number");
  mentions(error_of_step(R"({ "crash": { "after": "run_started" } })"), "before");
  mentions(error_of_step(R"({ "send": { "status": "asleep" } })"), "active, paused, closed, deleted");
}

TEST_CASE("scenario file: a step does one thing") {
  mentions(error_of_step(R"({ "advance_ms": 1, "restart": true })"), "a step has one of");
  mentions(error_of_step(R"({ })"), "a step has one of");
  mentions(error_of_step(R"({ "advance_ms": 1, "as": "alice" })"), "only a \"send\" has a sender");
}

TEST_CASE("scenario file: what is wrong with the agent, the model or the price is told at its place") {
  auto with = [](std::string_view part) {
    return error_of(R"({ "scenario": "x", )" + std::string(part) +
                    R"(, "steps": [ { "expect": { "kind": "run_started" } } ] })");
  };
  const std::string model = R"("model": { "otherwise": [] })";
  mentions(with(R"("model": { "otherwise": [ { "txt": "a" } ] })"), "f.json: /model/otherwise/0: ");
  mentions(with(model + R"(, "agent": { "tools": ["calculater"] })"),
           "f.json: /agent/tools/0: there is no tool \"calculater\"");
  mentions(with(model + R"(, "agent": { "provider": "x" })"), "/agent/provider: is given");
  mentions(with(model + R"(, "price": { "inptu": 1 })"), "f.json: /price/inptu: unknown key");
  mentions(with(R"("agent": {})"), "needs \"model\"");
}

TEST_CASE("scenario file: a file that is no scenario is refused") {
  mentions(error_of("{ \n \"scenario\": }"), "f.json: line 2: is not JSON");
  mentions(error_of("[]"), "at the top: expected an object");
  mentions(error_of("{}"), "needs \"scenario\"");
  mentions(error_of(std::string(head) + R"("steps": [] })"), "/steps: no step expects anything");
  mentions(error_of(std::string(head) + R"("skip": { "crsh": "x" }, "steps": [] })"), "/skip/crsh: unknown key");
  mentions(error_of(std::string(head) + R"("ignore": ["usage"], "steps": [] })"), "/ignore/0: expected one of");
}

TEST_CASE("scenario file: a file that cannot be read is told by its name") {
  auto s = app::load_scenario("/nowhere/x.json");
  REQUIRE(s.has_error());
  CHECK(s.error().text == "/nowhere/x.json: cannot be read, or is empty");
}

namespace {

template <std::size_t... I>
std::set<std::string> kinds_of(std::index_sequence<I...>) {
  return {std::string(core::kind_of(core::event_payload(std::in_place_index<I>)))...};
}

}  // namespace

TEST_CASE("scenario schema: it knows the kinds of events that the program knows") {
  std::ifstream in(TROUPE_SOURCE_DIR "/scenarios/scenario.schema.json");
  auto schema = boost::json::parse(std::string(std::istreambuf_iterator<char>(in), {}));
  std::set<std::string> listed;
  for (const auto& kind : schema.at("$defs").at("kind").at("enum").as_array()) listed.emplace(kind.as_string());
  CHECK(listed == kinds_of(std::make_index_sequence<std::variant_size_v<core::event_payload>>()));
}
