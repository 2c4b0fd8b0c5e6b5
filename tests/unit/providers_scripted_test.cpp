#include "providers/provider_factory.hpp"
#include "providers/scripted.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace troupe;
using namespace troupe::providers;
using std::chrono::milliseconds;

namespace {

/// Time that moves when the test says so. As the contract allows, a dropped timer's function is gone at once.
class fake_timers final : public core::timer_service {
 public:
  std::unique_ptr<core::timer> after(milliseconds delay, std::function<void()> f) override {
    auto entry = std::make_shared<pending>(pending{now_ + delay, std::move(f)});
    waiting_.push_back(entry);
    return std::make_unique<handle>(*this, entry);
  }
  void advance(milliseconds by) {
    auto until = now_ + by;
    while (true) {
      auto it = std::min_element(waiting_.begin(), waiting_.end(), [](auto& a, auto& b) { return a->at < b->at; });
      if (it == waiting_.end() || (*it)->at > until) break;
      auto entry = *it;
      waiting_.erase(it);
      now_ = entry->at;
      entry->f();
    }
    now_ = until;
  }
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

 private:
  struct pending {
    milliseconds at;
    std::function<void()> f;
  };
  struct handle final : core::timer {
    handle(fake_timers& o, std::shared_ptr<pending> e) : owner(o), entry(std::move(e)) {}
    ~handle() override { std::erase(owner.waiting_, entry); }
    fake_timers& owner;
    std::shared_ptr<pending> entry;
  };
  std::vector<std::shared_ptr<pending>> waiting_;
  milliseconds now_{0};
};

struct fixture {
  fake_timers timers;
  std::vector<model_output> outputs;
  std::unique_ptr<model_client> client;
  std::shared_ptr<model_stream> stream;

  explicit fixture(std::string script) {
    core::provider_config config;
    config.id.value = "demo";
    config.script = std::move(script);
    auto made = make_scripted(config, timers);
    INFO((made ? std::string() : made.error().text));
    REQUIRE(made.has_value());
    client = std::move(*made);
  }
  fixture& ask(std::vector<core::history_message> messages, std::uint32_t call_number = 1) {
    outputs.clear();
    model_request request;
    request.history = std::make_shared<const std::vector<core::history_message>>(std::move(messages));
    request.call_number = call_number;
    stream = client->start(std::move(request), [this](model_output out) { outputs.push_back(std::move(out)); });
    return *this;
  }
  fixture& ask(std::string user, std::uint32_t call_number = 1) { return ask({says(std::move(user))}, call_number); }
  static core::history_message says(std::string text) { return {core::role::user, std::move(text), {}, {}, true}; }

  [[nodiscard]] std::string text() const {
    std::string all;
    for (const auto& out : outputs) all += out.text.text;
    return all;
  }
  [[nodiscard]] model_end end() const {
    REQUIRE_FALSE(outputs.empty());
    REQUIRE(outputs.back().end);
    return *outputs.back().end;
  }
};

std::vector<core::history_message> after_tool(std::string tool, std::string result) {
  return {fixture::says("do it"),
          {core::role::assistant, "", {{{"c1"}, "other", "{}"}, {{"c2"}, std::move(tool), "{}"}}, {}, true},
          {core::role::tool, "first", {}, {"c1"}, true},
          {core::role::tool, std::move(result), {}, {"c2"}, true}};
}

std::string say(const std::string& steps) { return R"({"otherwise": [)" + steps + "]}"; }

}  // namespace

TEST_CASE("scripted: what needs no waiting comes in one output, cut as given") {
  fixture f(say(R"({"text": ["Hel", "lo"]}, {"reasoning": "hm"}, {"repeat": "x", "times": 3}, {"text": ""},
                   {"usage": {"prompt": 9, "cached_prompt": 4, "completion": 2}})"));
  f.ask("hi");
  REQUIRE(f.outputs.size() == 1);
  CHECK(f.outputs[0].text.text == "Helloxxx");
  CHECK(f.outputs[0].text.lengths == std::vector<std::uint32_t>{3, 2, 1, 1, 1});
  CHECK(f.outputs[0].reasoning.text == "hm");
  CHECK(f.end().error.code == core::errc::ok);
  CHECK(f.end().finish == core::finish_reason::stop);
  CHECK(f.end().usage == core::token_usage{9, 4, 2});
  CHECK(f.timers.waiting() == 0);
}

TEST_CASE("scripted: usage is absent unless a step gives it") {
  CHECK_FALSE(fixture(say(R"({"text": "a"})")).ask("x").end().usage);
}

TEST_CASE("scripted: the first rule whose conditions all hold wins") {
  fixture f(R"x({"rules": [
    {"when": {"user": "weather", "call": 2}, "say": [{"text": "second call"}]},
    {"when": {"user": "WEATHER in (\\w+)"}, "say": [{"text": "in ${1}"}]},
    {"when": {"user": "weather", "after": "user"}, "say": [{"text": "where?"}]},
    {"when": {"tool": "search", "result": "^no (\\w+)"}, "say": [{"text": "none: ${1}/${result}/${user}"}]},
    {"when": {"tool": "search"}, "say": [{"text": "found"}]},
    {"when": {"after": "tool"}, "say": [{"text": "some tool"}]},
    {"when": {"result": "never"}, "say": [{"text": "wrong"}]}],
    "otherwise": [{"text": "else ${user}, $${user}"}]})x");
  CHECK(f.ask("the Weather", 2).text() == "second call");
  CHECK(f.ask("the Weather In Oslo").text() == "in Oslo");
  CHECK(f.ask("the wEATHEr").text() == "where?");
  CHECK(f.ask(after_tool("search", "no luck")).text() == "none: luck/no luck/do it");
  CHECK(f.ask(after_tool("search", "3 hits")).text() == "found");
  CHECK(f.ask(after_tool("find", "no luck")).text() == "some tool");
  CHECK(f.ask("never").text() == "else never, ${user}");
  CHECK(f.ask(std::vector<core::history_message>{}).text() == "else , ${user}");
}

TEST_CASE("scripted: groups are counted through both patterns of a rule") {
  fixture f(
      R"x({"rules": [{"when": {"user": "(do) (it)", "result": "(\\d+) of (\\d+)"}, "say": [{"text": "${2}${1} ${4}:${3}"}]}]})x");
  CHECK(f.ask(after_tool("t", "7 of 9")).text() == "itdo 9:7");
}

TEST_CASE("scripted: a script without a fitting rule says so") {
  fixture f(R"({"rules": [{"when": {"user": "a"}, "say": []}]})");
  f.ask("b");
  CHECK(f.end().error.code == core::errc::provider_error);
  CHECK_THAT(f.end().error.text, Catch::Contains("otherwise"));
  CHECK(f.ask("a").end().error.code == core::errc::ok);
}

TEST_CASE("scripted: tool calls have deterministic ids and take values as JSON") {
  fixture f(
      say(R"({"tool": "write", "arguments": {"text": "${user}", "n": 1}}, {"tool": "raw", "arguments": "{\"half\": ${user}"},
                   {"tool": "named", "id": "mine"})"));
  f.ask("say \"hi\"\n", 7);
  auto calls = f.end().calls;
  REQUIRE(calls.size() == 3);
  CHECK(calls[0] == core::tool_call{{"call_7_1"}, "write", R"({"text":"say \"hi\"\n","n":1})"});
  CHECK(calls[1] == core::tool_call{{"call_7_2"}, "raw", "{\"half\": say \"hi\"\n"});
  CHECK(calls[2] == core::tool_call{{"mine"}, "named", "{}"});
  CHECK(f.end().finish == core::finish_reason::tool_calls);
}

TEST_CASE("scripted: an answer ends as the script says") {
  CHECK(fixture(say(R"({"text": "a"}, {"finish": "length"})")).ask("x").end().finish == core::finish_reason::length);

  fixture cut(say(R"({"text": "a"}, {"tool": "t"}, {"cut": true})"));
  CHECK(cut.ask("x").text() == "a");
  CHECK(cut.end().error.code == core::errc::provider_error);
  CHECK_THAT(cut.end().error.text, Catch::Contains("closed before its end marker"));
  CHECK(cut.end().calls.empty());

  fixture failed(say(R"({"error": {"text": "overloaded", "retryable": true, "retry_after_ms": 30}})"));
  CHECK(failed.ask("x").end().error == core::error{core::errc::provider_error, "overloaded"});
  CHECK(failed.end().retryable);
  CHECK(failed.end().retry_after == milliseconds{30});
  CHECK_FALSE(fixture(say(R"({"error": "no"})")).ask("x").end().retryable);
}

TEST_CASE("scripted: streamed text is cut between characters and paced by the timers") {
  fixture f(say("{\"stream\": \"caf\xC3\xA9 \xF0\x9F\x98\x80!\", \"chunk\": 4, \"every_ms\": 20}, {\"text\": \"end\"}"));
  f.ask("x");
  CHECK(f.text() == "caf\xC3\xA9");
  f.timers.advance(milliseconds{19});
  CHECK(f.outputs.size() == 1);
  f.timers.advance(milliseconds{1});
  REQUIRE(f.outputs.size() == 2);
  CHECK(f.outputs[1].text.lengths == std::vector<std::uint32_t>{6, 3});
  CHECK(f.text() == "caf\xC3\xA9 \xF0\x9F\x98\x80!end");
  CHECK(f.end().error.code == core::errc::ok);
  CHECK(f.timers.waiting() == 0);
}

TEST_CASE("scripted: a delay holds back what follows, and an empty output is never sent") {
  fixture f(say(R"({"delay_ms": 100}, {"text": "late ${user}"}, {"delay_ms": 0}, {"text": "!"})"));
  f.ask("x");
  CHECK(f.outputs.empty());
  f.timers.advance(milliseconds{99});
  CHECK(f.outputs.empty());
  f.timers.advance(milliseconds{1});
  REQUIRE(f.outputs.size() == 1);
  CHECK(f.text() == "late x!");
}

TEST_CASE("scripted: nothing follows a cancel, also one from inside the sink") {
  fixture f(say(R"({"repeat": "t", "times": 5, "every_ms": 10})"));
  f.ask("x");
  f.timers.advance(milliseconds{10});
  f.stream->cancel();
  f.stream->cancel();
  CHECK(f.timers.waiting() == 0);
  f.timers.advance(milliseconds{1000});
  CHECK(f.text() == "tt");

  std::shared_ptr<model_stream> stream;
  int calls = 0;
  stream = f.client->start({}, [&](model_output) {
    if (++calls == 2) stream->cancel();
  });
  f.timers.advance(milliseconds{1000});
  CHECK(calls == 2);
  CHECK(f.timers.waiting() == 0);
}

TEST_CASE("scripted: a stream lives until its end although nobody holds it") {
  fixture f(say(R"({"repeat": "t", "times": 3, "every_ms": 10})"));
  f.ask("x").stream.reset();
  f.timers.advance(milliseconds{1000});
  CHECK(f.text() == "ttt");
  CHECK(f.end().error.code == core::errc::ok);
}

TEST_CASE("scripted: a long message neither crashes nor stalls a regex, and cut characters stay valid") {
  fixture f(R"x({"rules": [{"when": {"user": "^(a+)+$"}, "say": [{"text": "all a"}]},
                          {"when": {"user": "^(.)"}, "say": [{"text": "${1}"}]}], "otherwise": []})x");
  CHECK(f.ask(std::string(30, 'a')).text() == "all a");
  CHECK(f.ask(std::string(1 << 20, 'a') + "b").text() == "all a");  // a regex sees the beginning only
  CHECK(f.ask(std::string(5000, 'a') + "b").text() == "a");
  CHECK(f.ask("\xC3\xA9").text() == "\xEF\xBF\xBD");
}

TEST_CASE("scripted: an answer is bounded also where it repeats what the user said") {
  fixture f(say(R"({"repeat": "${user}", "times": 1000})"));
  f.ask(std::string(100'000, 'x'));
  CHECK_THAT(f.end().error.text, Catch::Contains("more than"));
}

TEST_CASE("scripted: a wrong script is refused with the place, the word and the words that fit") {
  struct row {
    std::string script;
    std::vector<std::string> parts;
  };
  const std::vector<row> rows{
      {"", {"line 1", "not JSON"}},
      {"{\n\"rules\": oops}", {"line 2", "not JSON"}},
      {"[]", {"/: expected an object"}},
      {"{}", {"\"rules\" or \"otherwise\""}},
      {R"({"rule": []})", {"/: unknown word \"rule\"; allowed here: rules, otherwise"}},
      {R"({"rules": [{"say": []}, {"when": {"usr": "a"}, "say": []}]})",
       {"/rules/1/when: unknown word \"usr\"; allowed here: user"}},
      {R"({"rules": [{"when": {}}]})", {"/rules/0: a rule needs \"say\""}},
      {R"({"rules": [{"when": {"user": "("}, "say": []}]})", {"/rules/0/when/user", "regular expression"}},
      {R"({"rules": [{"when": {"call": 0}, "say": []}]})", {"/rules/0/when/call", "from 1"}},
      {R"({"rules": [{"when": {"after": "tol"}, "say": []}]})",
       {"/rules/0/when/after: unknown word \"tol\"; allowed here: tool"}},
      {R"({"rules": [{"when": {"after": "user", "tool": "t"}, "say": []}]})", {"never true"}},
      {say(R"({"txt": "a"})"), {"/otherwise/0: unknown word \"txt\"; allowed here: text"}},
      {say(R"({"text": "a", "chunk": 4})"), {"/otherwise/0: unknown word \"chunk\"; allowed here: "}},
      {say(R"({"text": "a"}, {"text": ["a", 1]})"), {"/otherwise/1/text/1: expected a string"}},
      {say(R"({"every_ms": 4})"), {"/otherwise/0: a step needs one of"}},
      {say(R"({"stream": "a", "chunk": 0})"), {"/otherwise/0/chunk"}},
      {say(R"({"delay_ms": -1})"), {"/otherwise/0/delay_ms"}},
      {say(R"({"repeat": "0123456789", "times": 1000000})"), {"/otherwise/0: more than"}},
      {say(R"({"text": "${usr}"})"), {"/otherwise/0/text: unknown word \"usr\"; allowed here: user"}},
      {say(R"({"text": "${1}"})"), {"/otherwise/0/text: ${1}", "0 groups"}},
      {say(R"({"text": "${user"})"), {"without its \"}\""}},
      {say(R"({"tool": "t", "arguments": 4})"), {"/otherwise/0/arguments"}},
      {say(R"({"usage": {"prompts": 4}})"), {"/otherwise/0/usage: unknown word \"prompts\"; allowed here: prompt,"}},
      {say(R"({"finish": "lenght"})"), {"/otherwise/0/finish: unknown word \"lenght\"; allowed here: length"}},
      {say(R"({"cut": true}, {"text": "a"})"), {"/otherwise/1: never reached"}},
      {say(R"({"error": {}})"), {"/otherwise/0/error: an error needs a \"text\""}},
  };
  fake_timers timers;
  for (const auto& r : rows) {
    CAPTURE(r.script);
    core::provider_config config;
    config.id.value = "demo";
    config.script = r.script;
    auto made = make_scripted(config, timers);
    REQUIRE(made.has_error());
    CHECK(made.error().code == core::errc::configuration_error);
    CHECK_THAT(made.error().text, Catch::Contains("provider \"demo\""));
    for (const auto& part : r.parts) CHECK_THAT(made.error().text, Catch::Contains(part));
  }
}

TEST_CASE("provider factory: an unknown kind names the known ones") {
  fake_timers timers;
  core::provider_config config;
  config.id.value = "p";
  config.kind = "opnai";
  auto made = make_client(config, {&timers, nullptr, {}});
  REQUIRE(made.has_error());
  CHECK(made.error().code == core::errc::configuration_error);
  CHECK_THAT(made.error().text, Catch::Contains("\"opnai\"") && Catch::Contains("anthropic, openai, recorded, scripted"));
  config.kind = "openai";
  CHECK_THAT(make_client(config, {&timers, nullptr, {}}).error().text, Catch::Contains("network"));
  config.kind = "scripted";
  config.script = R"({"otherwise": []})";
  CHECK(make_client(config, {&timers, nullptr, {}}).has_value());
}
