#include "providers/openai.hpp"
#include "tests/support/model_answers.hpp"

using namespace troupe;
using namespace troupe::providers;
using row = troupe::testing::answer_row;

namespace {

std::string frame(std::string json) { return troupe::testing::sse_frame(std::move(json)); }
std::string delta(std::string_view fields, std::string_view finish = "null") {
  return frame(R"({"id":"x","object":"chat.completion.chunk","choices":[{"index":0,"delta":{)" + std::string(fields) +
               R"(},"finish_reason":)" + std::string(finish) + "}]}");
}
std::string content(std::string_view t) { return delta(R"("content":")" + std::string(t) + '"'); }
const std::string done = "data: [DONE]\n\n";

stream_options openai_options() {
  stream_options o;
  o.call_number = 3;
  o.tools = std::make_shared<const std::vector<tool_description>>(
      std::vector<tool_description>{{"files.read", "", ""}, {"snake__case", "", ""}});
  return o;
}

troupe::testing::heard_answer play_openai(const std::vector<std::string>& parts, stream_options o = openai_options()) {
  return troupe::testing::play_answer<openai_stream_parser>(parts, std::move(o));
}

std::string call(std::string_view fields) { return delta(R"("tool_calls":[{)" + std::string(fields) + "}]"); }

const std::vector<row>& openai_rows() {
  using core::finish_reason;
  static const std::vector<row> all{
      {"an ordinary answer",
       frame(R"({"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":null})") +
           content("Hel") + content("lo") + delta("", "\"stop\"") +
           frame(R"({"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11,
                    "prompt_tokens_details":{"cached_tokens":4}}})") +
           done,
       "Hello",
       "",
       finish_reason::stop,
       {},
       core::token_usage{9, 4, 2}},
      {"characters of several bytes", content("caf\xC3\xA9 \xF0\x9F\x98\x80") + done, "caf\xC3\xA9 \xF0\x9F\x98\x80", ""},
      {"a character cut between two deltas",
       content("a\xE2\x82") +
           content("\xAC"
                   "b") +
           done,
       "a\xE2\x82\xAC"
       "b",
       ""},
      {"a character that the token limit cut", content("a\xE2\x82") + delta("", "\"length\"") + done, "a\xEF\xBF\xBD", "",
       finish_reason::length},
      {"no [DONE] but a finish_reason", content("Hi") + delta("", "\"stop\""), "Hi", ""},
      {"[DONE] but no finish_reason", content("Hi") + done, "Hi", ""},
      {"[DONE] without its blank line", content("Hi") + "data: [DONE]\n", "Hi", ""},
      {"a finish_reason that is an empty string is none",
       delta(R"("content":"Hi")", R"("")"),
       "Hi",
       "before its end marker",
       finish_reason::stop,
       {},
       std::nullopt,
       true},
      {"a finish_reason of the server's own", delta(R"("content":"Hi")", "\"eos\""), "Hi", ""},
      {"comments, padding, unknown fields and other choices",
       ": keep-alive\n\n" + frame(R"({"obfuscation":"zzz","novel":{"a":[1]},"choices":[{"index":1,"delta":{"content":"no"}},
                    {"index":0,"delta":{"content":"yes","audio":{}},"logprobs":null}]})") +
           done,
       "yes", ""},
      {"a refusal is text", delta(R"("refusal":"I will not.")") + done, "I will not.", ""},
      {"a tool call in pieces",
       call(R"("index":0,"id":"c1","type":"function","function":{"name":"files__read","arguments":""})") +
           call(R"("index":0,"function":{"arguments":"{\"pa"})") + call(R"("index":0,"function":{"arguments":"th\":1}"})") +
           delta("", "\"tool_calls\"") + done,
       "",
       "",
       finish_reason::tool_calls,
       {{{"c1"}, "files.read", "{\"path\":1}"}}},
      {"two calls, interleaved, the later index first",
       call(R"("index":1,"id":"b","function":{"name":"tb","arguments":"{"})") +
           call(R"("index":0,"id":"a","function":{"name":"ta","arguments":"["})") +
           call(R"("index":1,"function":{"arguments":"}"})") + call(R"("index":0,"function":{"arguments":"]"})") +
           delta("", "\"tool_calls\"") + done,
       "",
       "",
       finish_reason::tool_calls,
       {{{"a"}, "ta", "[]"}, {{"b"}, "tb", "{}"}}},
      {"a whole call in one chunk, name repeated later, stop as its reason",
       call(R"("index":0,"id":"c","function":{"name":"t","arguments":"{}"})") +
           call(R"("index":0,"id":"c","function":{"name":"t","arguments":""})") + delta("", "\"stop\"") + done,
       "",
       "",
       finish_reason::tool_calls,
       {{{"c"}, "t", "{}"}}},
      {"calls without ids",
       call(R"("index":0,"function":{"name":"t","arguments":"1"})") +
           call(R"("index":1,"id":"","function":{"name":"t","arguments":"2"})") + done,
       "",
       "",
       finish_reason::tool_calls,
       {{{"call_3_1"}, "t", "1"}, {{"call_3_2"}, "t", "2"}}},
      {"calls without ids and indexes",
       delta(R"("tool_calls":[{"function":{"name":"t","arguments":"1"}},{"function":{"name":"u","arguments":{"a":2}}}])") +
           done,
       "",
       "",
       finish_reason::tool_calls,
       {{{"call_3_1"}, "t", "1"}, {{"call_3_2"}, "u", "{\"a\":2}"}}},
      {"every call at index 0",
       call(R"("index":0,"id":"a","function":{"name":"t","arguments":"1"})") +
           call(R"("index":0,"id":"b","function":{"name":"t","arguments":"2"})") + done,
       "",
       "",
       finish_reason::tool_calls,
       {{{"a"}, "t", "1"}, {{"b"}, "t", "2"}}},
      {"one id for two calls",
       call(R"("index":0,"id":"a","function":{"name":"t"})") + call(R"("index":1,"id":"a","function":{"name":"t"})") + done,
       "",
       "",
       finish_reason::tool_calls,
       {{{"a"}, "t", ""}, {{"call_3_2"}, "t", ""}}},
      {"a tool whose own name has two underscores",
       call(R"("index":0,"id":"a","function":{"name":"snake__case"})") + done,
       "",
       "",
       finish_reason::tool_calls,
       {{{"a"}, "snake__case", ""}}},
      {"tool_calls as the reason and no calls", content("Hi") + delta("", "\"tool_calls\"") + done, "Hi", ""},
      {"arguments that never become JSON go to the model as they came",
       call(R"("index":0,"id":"a","function":{"name":"t","arguments":"{\"pa"})") + delta("", "\"length\"") + done,
       "",
       "",
       finish_reason::length,
       {{{"a"}, "t", "{\"pa"}}},
      {"nothing at all", "", "", "before its end marker", finish_reason::stop, {}, std::nullopt, true},
      {"closed after text", content("Hel"), "Hel", "before its end marker", finish_reason::stop, {}, std::nullopt, true},
      {"closed inside a frame",
       content("Hel") + "data: {\"choi",
       "Hel",
       "before its end marker",
       finish_reason::stop,
       {},
       std::nullopt,
       true},
      {"an error frame",
       content("Hel") + frame(R"({"error":{"message":"boom","type":"server_error"}})"),
       "Hel",
       "boom",
       finish_reason::stop,
       {},
       std::nullopt,
       true},
      {"an error frame that may not be retried", frame(R"({"error":{"message":"bad","code":400}})"), "", "bad"},
      {"an error frame after a finish_reason wins",
       content("Hi") + delta("", "\"stop\"") + frame(R"({"error":{"message":"late"}})") + done, "Hi", "late"},
      {"an error frame told apart by its event name", "event: error\n" + frame(R"({"message":"named"})"), "", "named"},
      {"an error field that is null is none", frame(R"({"error":null,"choices":[{"delta":{"content":"Hi"}}]})") + done, "Hi",
       ""},
      {"nothing counts after [DONE]", content("Hi") + done + frame(R"({"error":{"message":"late"}})"), "Hi", ""},
      {"a frame that is not JSON", content("Hi") + frame("{oops"), "Hi", "not a JSON object"},
      {"a frame that is no object", frame("42"), "", "not a JSON object"},
      {"text that is not UTF-8", content("a\xFF"), "", "not UTF-8"},
      {"a call without a name", call(R"("index":0,"id":"a","function":{"arguments":"1"})") + done, "",
       "tool call without a name"},
      {"reason error", delta("", "\"error\""), "", "finish_reason \"error\""},
  };
  return all;
}

}  // namespace

TEST_CASE("openai stream: each upstream's way of answering gives the right end, wherever the bytes are cut") {
  troupe::testing::check_answers<openai_stream_parser, stream_options>(openai_rows(), openai_options);
}

TEST_CASE("openai stream: deltas of one read come together, cut as they were sent") {
  openai_stream_parser parser(openai_options());
  model_output out;
  parser.feed(content("Hel") + content("lo") + content("!"), out);
  CHECK(out.text.text == "Hello!");
  CHECK(out.text.lengths == std::vector<std::uint32_t>{3, 2, 1});
  CHECK_FALSE(out.end);
}

TEST_CASE("openai stream: reasoning is kept apart, under either of its names") {
  CHECK(play_openai({delta(R"("reasoning_content":"hm")") + delta(R"("reasoning":"m")") + content("Hi") + done}).reasoning ==
        "hmm");
}

TEST_CASE("openai stream: lines, answers and the number of calls are bounded") {
  auto small = openai_options();
  small.max_line = 200;
  small.max_total = 10;
  auto of = [&](const std::string& bytes) { return play_openai({bytes}, small).end->error.text; };
  CHECK_THAT(of("data: " + std::string(300, 'x')), Catch::Contains("more than 200 bytes"));
  CHECK_THAT(of(content("123456") + content("78901")), Catch::Contains("more than 10 bytes"));
  CHECK_THAT(of(call(R"("index":0,"id":"a","function":{"name":"t","arguments":"12345678901"})")),
             Catch::Contains("more than 10 bytes"));
  std::string many;
  for (std::size_t i = 0; i <= answer::max_calls; ++i)
    many += call(R"("index":)" + std::to_string(i) + R"(,"function":{"name":"t"})");
  CHECK_THAT(play_openai({many}).end->error.text, Catch::Contains("tool calls"));
}

TEST_CASE("openai stream: a broken transfer fails the answer unless its finish_reason has come") {
  core::error broken{core::errc::timeout, "silence"};
  openai_stream_parser first(openai_options());
  model_output out;
  first.feed(content("Hi"), out);
  first.fail(broken, true, out);
  REQUIRE(out.end);
  CHECK(out.end->error == broken);

  openai_stream_parser second(openai_options());
  out = {};
  second.feed(content("Hi") + delta("", "\"stop\""), out);
  CHECK(second.has_finish_reason());
  CHECK_FALSE(out.end);
  second.fail(broken, true, out);
  REQUIRE(out.end);
  CHECK(out.end->error.code == core::errc::ok);
}
