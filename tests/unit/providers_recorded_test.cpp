#include "providers/item_places.hpp"
#include "providers/provider_factory.hpp"
#include "providers/recorded.hpp"

#include <catch2/catch.hpp>

#include <map>

using namespace troupe;
using namespace troupe::providers;
using std::chrono::milliseconds;

namespace {

class tape_timers final : public core::timer_service {
 public:
  std::unique_ptr<core::timer> after(milliseconds delay, std::function<void()> f) override {
    waiting_.emplace(now + delay, std::move(f));
    return std::make_unique<core::timer>();
  }
  void run() {
    while (!waiting_.empty()) {
      auto next = waiting_.extract(waiting_.begin());
      now = next.key();
      next.mapped()();
    }
  }
  milliseconds now{0};

 private:
  std::multimap<milliseconds, std::function<void()>> waiting_;
};

const std::string tape = R"({ "model": { "exchanges": [
  { "turn": 1, "step": 1, "user": "hi, I am [redacted]!", "say": [ { "reasoning": ["Hm. "] },
     { "text": ["Hel", "lo ${user}"], "after_ms": [5, 20] }, { "usage": { "prompt": 7, "completion": 2 } } ] },
  // a comment
  { "turn": 2, "step": 1, "user": "go", "say": [ { "tool": "clock", "id": "c", "arguments": { "a": "${1}" } } ] },
  { "turn": 2, "step": 2, "user": "go", "say": [ { "delay_ms": 8000000 }, { "error": { "text": "slow down", "code": "RATE_LIMITED" } } ] }
] } })";

recording_ptr parsed(const std::string& text) {
  auto out = parse_recording(text, "tape.json");
  INFO((out ? std::string() : out.error().text));
  REQUIRE(out.has_value());
  return *out;
}
std::string error_of(const std::string& exchange) {
  auto out = parse_recording("{ \"model\": { \"exchanges\": [\n\n" + exchange + " ] } }", "tape.json");
  return out ? "no error" : out.error().text;
}

struct heard {
  std::vector<std::pair<milliseconds, std::string>> text;
  std::string reasoning;
  std::optional<model_end> end;
  milliseconds end_at{0};
};
heard ask(model_client& client, tape_timers& timers, std::vector<core::history_message> messages) {
  heard out;
  auto begin = timers.now;
  model_request request;
  request.history = std::make_shared<const std::vector<core::history_message>>(std::move(messages));
  auto stream = client.start(std::move(request), [&](model_output o) {
    if (!o.text.empty()) out.text.emplace_back(timers.now - begin, o.text.text);
    out.reasoning += o.reasoning.text;
    if (o.end) {
      out.end = std::move(o.end);
      out.end_at = timers.now - begin;
    }
  });
  timers.run();
  REQUIRE(out.end.has_value());
  return out;
}

core::history_message from_user(std::string text) { return {core::role::user, std::move(text), {}, {}, true, {}}; }
core::history_message from_model(std::string text, std::vector<core::tool_call> calls = {}) {
  return {core::role::assistant, std::move(text), std::move(calls), {}, true, {}};
}
core::history_message returned(const std::string& call) { return {core::role::tool, "12:00", {}, {call}, true, {}}; }

}  // namespace

TEST_CASE("recorded: text comes in the recorded pieces at the recorded times, and nothing in it is a placeholder") {
  tape_timers timers;
  auto client = make_recorded(parsed(tape), timers);
  auto said = ask(*client, timers, {from_user("hi, I am Ada!")});
  CHECK(said.text ==
        std::vector<std::pair<milliseconds, std::string>>{{milliseconds{5}, "Hel"}, {milliseconds{25}, "lo ${user}"}});
  CHECK(said.reasoning == "Hm. ");
  CHECK(said.end->error.code == core::errc::ok);
  CHECK(said.end->usage == core::token_usage{7, 0, 2});
}

TEST_CASE("recorded: the place in the conversation picks the exchange, also after a restart and for several conversations") {
  tape_timers timers;
  auto client = make_recorded(parsed(tape), timers);
  std::vector<core::history_message> second{from_user("hi, I am Ada!"), from_model("Hello"), from_user("go")};
  auto called = ask(*client, timers, second);
  REQUIRE(called.end->calls.size() == 1);
  CHECK(called.end->calls[0] == core::tool_call{{"c"}, "clock", R"({"a":"${1}"})"});
  CHECK(ask(*client, timers, second).end->calls.size() == 1);  // the same question again
  second.push_back(from_model("", called.end->calls));
  second.push_back(returned("c"));
  auto failed = ask(*client, timers, second);
  CHECK(failed.end_at == milliseconds{8'000'000});
  CHECK(failed.end->error == core::error{core::errc::rate_limited, "slow down"});
  CHECK(ask(*client, timers, {from_user("hi, I am Bob!")}).end->error.code == core::errc::ok);
}

TEST_CASE("recorded: a request that the recording does not answer fails, naming file and line") {
  tape_timers timers;
  auto client = make_recorded(parsed(tape), timers);
  auto other = ask(*client, timers, {from_user("good evening")}).end->error;
  CHECK(other.code == core::errc::provider_error);
  CHECK(other.text.find("tape.json:2: ") == 0);
  CHECK(other.text.find("\"good evening\"") != std::string::npos);
  auto more =
      ask(*client, timers, {from_user("a"), from_model("b"), from_user("c"), from_model("d"), from_user("e")}).end->error;
  CHECK(more.code == core::errc::provider_error);
  CHECK(more.text.find("tape.json:6: the recording has no answer for turn 3, step 1") == 0);
}

TEST_CASE("recorded: the same place after a cleared history means the next exchange of that place") {
  tape_timers timers;
  auto client =
      make_recorded(parsed(R"({ "model": { "exchanges": [ { "turn": 1, "step": 1, "user": "a", "say": [ { "text": ["one"] } ] },
    { "turn": 1, "step": 1, "user": "b", "say": [ { "text": ["two"] } ] } ] } })"),
                    timers);
  CHECK(ask(*client, timers, {from_user("a")}).text.at(0).second == "one");
  CHECK(ask(*client, timers, {from_user("b")}).text.at(0).second == "two");
}

TEST_CASE("recorded: attempts that failed fail again, once for each time the answer is asked for") {
  tape_timers timers;
  auto client = make_recorded(parsed(R"({ "model": { "exchanges": [
    { "turn": 1, "step": 1, "user": "a", "failed": [ { "text": "no room" }, { "text": "slower", "code": "RATE_LIMITED" } ],
      "say": [ { "text": ["b"] } ] } ] } })"),
                              timers);
  for (int times = 0; times < 2; ++times) {
    auto first = ask(*client, timers, {from_user("a")});
    CHECK(first.end->error == core::error{core::errc::provider_error, "no room"});
    CHECK(first.end->retryable);
    CHECK(first.end->retry_after == milliseconds{0});
    CHECK(ask(*client, timers, {from_user("a")}).end->error.code == core::errc::rate_limited);
    auto said = ask(*client, timers, {from_user("a")});
    CHECK(said.end->error.code == core::errc::ok);
    CHECK(said.text.front().second == "b");
  }
}

TEST_CASE("recorded: a mistake in a recording is told with file, line, place and the words that fit") {
  auto has = [](const std::string& text, std::string_view part) {
    INFO(text << "\nlacks " << part);
    CHECK(text.find(part) != std::string::npos);
  };
  has(error_of(R"({ "turn": 1, "step": 1, "user": "a", "says": [] })"),
      "tape.json:3: /model/exchanges/0: unknown word \"says\"; allowed here: turn, step, user, failed, say");
  has(error_of(R"({ "turn": 1, "step": 1, "user": "a", "failed": [ "no" ], "say": [] })"), "/failed/0: expected {\"text\"");
  has(error_of(R"({ "turn": 1, "step": 1, "user": "a", "failed": [ { "text": "a", "code": "X" } ], "say": [] })"),
      "/failed/0/code: unknown code X");
  has(error_of(R"({ "turn": 0, "step": 1, "user": "a", "say": [] })"),
      "/model/exchanges/0/turn: expected a whole number from 1");
  has(error_of(R"({ "turn": 1, "step": 1, "user": "a", "say": [ { "txt": "a" } ] })"),
      "unknown word \"txt\"; allowed here: text");
  has(error_of(R"({ "turn": 1, "step": 1, "user": "a", "say": [ { "text": ["a", "b"], "after_ms": [1] } ] })"),
      "/say/0: \"after_ms\"");
  has(error_of(R"({ "turn": 1, "step": 1, "user": "a", "say": [ { "error": { "text": "a", "code": "OOPS" } } ] })"),
      "PROVIDER_ERROR");
  auto none = parse_recording("{}", "tape.json");
  REQUIRE(none.has_error());
  has(none.error().text, "tape.json: is no recording");
}

TEST_CASE("recorded: the provider kind needs its file, and says which one it looked for") {
  tape_timers timers;
  core::provider_config config;
  config.id.value = "tape";
  config.kind = "recorded";
  config.cassette = "/nowhere/tape.json";
  auto made = make_client(config, {&timers, nullptr, nullptr});
  REQUIRE(made.has_error());
  CHECK(made.error().text == "provider \"tape\": cassette: /nowhere/tape.json: cannot be read, or is empty");
}

TEST_CASE("item places: lines and bytes of the items of a list, whatever stands around it") {
  const std::string text = R"({ "b": { "a": [0] }, // "a": [
  "a": { "b": [ 1, "]}\"",
    /* { */ { "b": [2] },
    [3]
  ], "c": true } })";
  auto places = item_places(text, {"a", "b"});
  REQUIRE(places.size() == 4);
  std::vector<int> lines;
  std::vector<std::string> items;
  for (const auto& p : places) {
    lines.push_back(p.line);
    items.push_back(text.substr(p.begin, p.end - p.begin));
  }
  CHECK(lines == std::vector<int>{2, 2, 3, 4});
  CHECK(items == std::vector<std::string>{"1", R"("]}\"")", R"({ "b": [2] })", "[3]"});
  CHECK(item_places(text, {"a", "c"}).empty());
  CHECK(item_places(text, {"x"}).empty());
  CHECK(item_places("", {"x"}).empty());
}
