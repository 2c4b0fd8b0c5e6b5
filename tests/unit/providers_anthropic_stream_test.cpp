#include "providers/anthropic.hpp"
#include "tests/support/model_answers.hpp"

using namespace troupe;
using namespace troupe::providers;
using row = troupe::testing::answer_row;

namespace {

/// An event as the API names and types it.
std::string event(std::string_view type, std::string_view fields = "") {
  auto name = std::string(type);
  return "event: " + name + "\n" +
         troupe::testing::sse_frame(R"({"type":")" + name + '"' + (fields.empty() ? "" : ",") + std::string(fields) + "}");
}
const std::string start = event("message_start", R"("message":{"id":"m","role":"assistant","content":[],"stop_reason":null,
    "usage":{"input_tokens":10,"cache_creation_input_tokens":3,"cache_read_input_tokens":5,"output_tokens":1}})");
const core::token_usage used{18, 5, 7};
std::string block(int index, std::string_view content) {
  return event("content_block_start",
               "\"index\":" + std::to_string(index) + ",\"content_block\":{" + std::string(content) + "}");
}
std::string delta(int index, std::string_view fields) {
  return event("content_block_delta", "\"index\":" + std::to_string(index) + ",\"delta\":{" + std::string(fields) + "}");
}
std::string text(std::string_view t, int index = 0) {
  return delta(index, R"("type":"text_delta","text":")" + std::string(t) + '"');
}
std::string input(int index, std::string_view piece) {
  return delta(index, R"("type":"input_json_delta","partial_json":")" + std::string(piece) + '"');
}
std::string stop(int index) { return event("content_block_stop", "\"index\":" + std::to_string(index)); }
std::string tool(int index, std::string_view id, std::string_view name, std::string_view whole = "{}") {
  return block(index, R"("type":"tool_use","id":")" + std::string(id) + R"(","name":")" + std::string(name) + R"(","input":)" +
                          std::string(whole));
}
const std::string text_block = block(0, R"("type":"text","text":"")");
std::string reason(std::string_view why) {
  return event("message_delta",
               R"("delta":{"stop_reason":")" + std::string(why) + R"(","stop_sequence":null},"usage":{"output_tokens":7})");
}
const std::string last = event("message_stop");
std::string said(std::string_view t, std::string_view why = "end_turn") {
  return start + text_block + text(t) + stop(0) + reason(why) + last;
}

stream_options options() {
  stream_options o;
  o.call_number = 3;
  o.tools = std::make_shared<const std::vector<tool_description>>(std::vector<tool_description>{{"files.read", "", ""}});
  return o;
}

troupe::testing::heard_answer play(const std::vector<std::string>& parts, stream_options o = options()) {
  return troupe::testing::play_answer<anthropic_stream_parser>(parts, std::move(o));
}

const core::token_usage begun{18, 5, 1};

const std::vector<row>& rows() {
  using core::finish_reason;
  static const std::vector<row> all{
      {"an ordinary answer",
       start + event("ping") + text_block + text("Hel") + text("lo") + stop(0) + reason("end_turn") + last,
       "Hello",
       "",
       finish_reason::stop,
       {},
       used},
      {"usage that repeats its input in the end",
       start + text_block + text("Hi") + stop(0) +
           event("message_delta",
                 R"("delta":{"stop_reason":"end_turn"},"usage":{"input_tokens":20,"cache_read_input_tokens":null,
               "output_tokens":9})") +
           last,
       "Hi",
       "",
       finish_reason::stop,
       {},
       core::token_usage{28, 5, 9}},
      {"no usage at all", event("message_start", R"("message":{})") + text("Hi") + event("message_stop"), "Hi", ""},
      {"a stop sequence", said("Hi", "stop_sequence"), "Hi", "", finish_reason::stop, {}, used},
      {"the token limit", said("Hi", "max_tokens"), "Hi", "", finish_reason::length, {}, used},
      {"the model's own limit", said("Hi", "model_context_window_exceeded"), "Hi", "", finish_reason::length, {}, used},
      {"a paused turn is not a whole answer", said("Hi", "pause_turn"), "Hi", "", finish_reason::length, {}, used},
      {"a refusal", said("I will", "refusal"), "I will", "", finish_reason::content_filter, {}, used},
      {"a reason yet to be invented", said("Hi", "bored"), "Hi", "", finish_reason::stop, {}, used},
      {"characters cut between two deltas",
       start + text("a\xE2\x82") + text("\xAC.") + reason("end_turn") + last,
       "a\xE2\x82\xAC.",
       "",
       finish_reason::stop,
       {},
       used},
      {"a character that the token limit cut",
       start + text("a\xE2\x82") + reason("max_tokens") + last,
       "a\xEF\xBF\xBD",
       "",
       finish_reason::length,
       {},
       used},
      {"thoughts, their signature, and thoughts that are kept secret",
       start + block(0, R"("type":"thinking","thinking":"","signature":"")") +
           delta(0, R"("type":"thinking_delta","thinking":"Hm.")") + delta(0, R"("type":"signature_delta","signature":"xyz")") +
           stop(0) + block(1, R"("type":"redacted_thinking","data":"secret")") + stop(1) +
           block(2, R"("type":"text","text":"")") + text("Yes", 2) +
           delta(2, R"("type":"citations_delta","citation":{"type":"char_location"})") + stop(2) + reason("end_turn") + last,
       "Yes",
       "",
       finish_reason::stop,
       {},
       used,
       false,
       "Hm."},
      {"a tool call in pieces, after text",
       start + text_block + text("Let me see.") + stop(0) + tool(1, "toolu_1", "files__read") + input(1, "") +
           input(1, R"({\"pa)") + input(1, R"(th\":1})") + stop(1) + reason("tool_use") + last,
       "Let me see.",
       "",
       finish_reason::tool_calls,
       {{{"toolu_1"}, "files.read", "{\"path\":1}"}},
       used},
      {"two calls",
       start + tool(0, "a", "ta") + input(0, "{}") + stop(0) + tool(1, "b", "tb") + input(1, "{ }") + stop(1) +
           reason("tool_use") + last,
       "",
       "",
       finish_reason::tool_calls,
       {{{"a"}, "ta", "{}"}, {{"b"}, "tb", "{ }"}},
       used},
      {"a call without input, and one whose input came whole",
       start + tool(0, "a", "t") + stop(0) + tool(1, "b", "t", R"({"x":[1]})") + stop(1) + reason("tool_use") + last,
       "",
       "",
       finish_reason::tool_calls,
       {{{"a"}, "t", "{}"}, {{"b"}, "t", R"({"x":[1]})"}},
       used},
      {"the same index twice",
       start + tool(0, "a", "t") + input(0, "1") + tool(0, "b", "u") + input(0, "2") + stop(0) + stop(0) + reason("tool_use") +
           last,
       "",
       "",
       finish_reason::tool_calls,
       {{{"a"}, "t", "1"}, {{"b"}, "u", "2"}},
       used},
      {"calls without ids, and one id for two",
       start + tool(0, "", "t") + stop(0) + tool(1, "x", "t") + stop(1) + tool(2, "x", "t") + stop(2) + reason("tool_use") +
           last,
       "",
       "",
       finish_reason::tool_calls,
       {{{"call_3_1"}, "t", "{}"}, {{"x"}, "t", "{}"}, {{"call_3_3"}, "t", "{}"}},
       used},
      {"arguments that never become JSON go to the model as they came",
       start + tool(0, "a", "t") + input(0, R"({\"pa)") + stop(0) + reason("max_tokens") + last,
       "",
       "",
       finish_reason::length,
       {{{"a"}, "t", "{\"pa"}},
       used},
      {"a call without a name",
       start + tool(0, "a", "") + stop(0) + reason("tool_use") + last,
       "",
       "tool call without a name",
       finish_reason::stop,
       {},
       used},
      {"input of a call that never began", start + input(4, "{}") + last, "", "had not begun", finish_reason::stop, {}, begun},
      {"input of a tool that runs elsewhere is not ours",
       start + block(0, R"("type":"server_tool_use","id":"s","name":"web_search","input":{})") + input(0, R"({\"q\":1})") +
           stop(0) + block(1, R"("type":"web_search_tool_result","tool_use_id":"s","content":[])") + stop(1) +
           block(2, R"("type":"text","text":"Fo")") + text("und", 2) + stop(2) + reason("end_turn") + last,
       "Found",
       "",
       finish_reason::stop,
       {},
       used},
      {"events, deltas and fields that nobody knows",
       start + event("session.started", R"("novel":{"a":[1]})") + text_block + delta(0, R"("type":"dance_delta","text":"no")") +
           text("yes") + stop(0) + stop(7) + reason("end_turn") + event("usage_hint") + last,
       "yes",
       "",
       finish_reason::stop,
       {},
       used},
      {"types only in the events' names",
       "event: content_block_delta\n" + troupe::testing::sse_frame(R"({"index":0,"delta":{"type":"text_delta","text":"Hi"}})") +
           "event: message_stop\ndata: {}\n\n",
       "Hi", ""},
      {"types only in the objects",
       troupe::testing::sse_frame(R"({"type":"content_block_delta","delta":{"type":"text_delta","text":"Hi"}})") +
           troupe::testing::sse_frame(R"({"type":"message_stop"})"),
       "Hi", ""},
      {"a stop reason but no message_stop", start + text("Hi") + reason("end_turn"), "Hi", "", finish_reason::stop, {}, used},
      {"a stop reason that is null is none",
       start + text("Hi") + event("message_delta", R"("delta":{"stop_reason":null},"usage":{"output_tokens":2})"),
       "Hi",
       "before its end marker",
       finish_reason::stop,
       {},
       core::token_usage{18, 5, 2},
       true},
      {"[DONE] is no end marker here",
       start + text("Hi") + "data: [DONE]\n\n",
       "Hi",
       "before its end marker",
       finish_reason::stop,
       {},
       begun,
       true},
      {"nothing at all", "", "", "before its end marker", finish_reason::stop, {}, std::nullopt, true},
      {"closed after the start", start, "", "before its end marker", finish_reason::stop, {}, begun, true},
      {"closed after text",
       start + text_block + text("Hel"),
       "Hel",
       "before its end marker",
       finish_reason::stop,
       {},
       begun,
       true},
      {"closed inside an event",
       start + text("Hel") + "event: message_stop\ndata: {\"ty",
       "Hel",
       "before its end marker",
       finish_reason::stop,
       {},
       begun,
       true},
      {"an error in the stream",
       start + text("Hel") + event("error", R"("error":{"type":"overloaded_error","message":"Overloaded"})"),
       "Hel",
       "Overloaded",
       finish_reason::stop,
       {},
       begun,
       true},
      {"an error that may not be retried", event("error", R"("error":{"type":"invalid_request_error","message":"bad"})"), "",
       "bad"},
      {"errors of the API, of its limits and of its patience may be retried",
       event("error", R"("error":{"type":"api_error","message":"oops"})"),
       "",
       "oops",
       finish_reason::stop,
       {},
       std::nullopt,
       true},
      {"an error after a stop reason wins",
       start + text("Hi") + reason("end_turn") + event("error", R"("error":{"type":"api_error","message":"late"})") + last,
       "Hi",
       "late",
       finish_reason::stop,
       {},
       used,
       true},
      {"an error without words",
       event("error", R"("error":{"type":"rate_limit_error"})"),
       "",
       "error without a text",
       finish_reason::stop,
       {},
       std::nullopt,
       true},
      {"nothing counts after message_stop",
       said("Hi") + event("error", R"("error":{"message":"late"})") + text("more"),
       "Hi",
       "",
       finish_reason::stop,
       {},
       used},
      {"an event that is not JSON",
       start + text("Hi") + "data: {oops\n\n",
       "Hi",
       "not a JSON object",
       finish_reason::stop,
       {},
       begun},
      {"text that is not UTF-8", text("a\xFF"), "", "not UTF-8"},
  };
  return all;
}

}  // namespace

TEST_CASE("anthropic stream: each way of answering gives the right end, wherever the bytes are cut") {
  troupe::testing::check_answers<anthropic_stream_parser, stream_options>(rows(), options);
}

TEST_CASE("anthropic stream: deltas of one read come together, cut as they were sent") {
  anthropic_stream_parser parser(options());
  model_output out;
  parser.feed(start + text("Hel") + text("lo"), out);
  CHECK(out.text.text == "Hello");
  CHECK(out.text.lengths == std::vector<std::uint32_t>{3, 2});
  CHECK_FALSE(out.end);
}

TEST_CASE("anthropic stream: lines, answers, calls and blocks are bounded") {
  auto small = options();
  small.max_line = 200;
  small.max_total = 10;
  auto of = [&](const std::string& bytes) { return play({bytes}, small).end->error.text; };
  CHECK_THAT(of("data: " + std::string(300, 'x')), Catch::Contains("more than 200 bytes"));
  CHECK_THAT(of(text("123456") + text("78901")), Catch::Contains("more than 10 bytes"));
  CHECK_THAT(of(tool(0, "a", "t") + input(0, "12345678901")), Catch::Contains("more than 10 bytes"));
  CHECK_THAT(of(tool(0, "a", "t", R"({"a":"1234567"})") + stop(0)), Catch::Contains("more than 10 bytes"));
  std::string calls, blocks;
  for (int i = 0; i <= static_cast<int>(answer::max_calls); ++i) calls += tool(i, "a" + std::to_string(i), "t") + stop(i);
  for (int i = 0; i <= static_cast<int>(anthropic_stream_parser::max_open_blocks); ++i) blocks += block(i, R"("type":"text")");
  CHECK_THAT(play({calls}).end->error.text, Catch::Contains("tool calls"));
  CHECK_THAT(play({blocks}).end->error.text, Catch::Contains("content blocks"));
}

TEST_CASE("anthropic stream: a broken transfer fails the answer unless its stop reason has come") {
  core::error broken{core::errc::timeout, "silence"};
  anthropic_stream_parser first(options());
  model_output out;
  first.feed(start + text("Hi"), out);
  first.fail(broken, true, out);
  REQUIRE(out.end);
  CHECK(out.end->error == broken);

  anthropic_stream_parser second(options());
  out = {};
  second.feed(start + text("Hi") + reason("end_turn"), out);
  CHECK(second.has_finish_reason());
  CHECK_FALSE(out.end);
  second.fail(broken, true, out);
  REQUIRE(out.end);
  CHECK(out.end->error.code == core::errc::ok);
}
