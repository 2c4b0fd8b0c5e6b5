#include "app/mock/faults.hpp"
#include "app/mock/wire_format.hpp"
#include "providers/anthropic.hpp"
#include "providers/openai.hpp"
#include "tests/support/model_answers.hpp"

#include <boost/json/parse.hpp>

using namespace troupe;
using namespace troupe::app;
namespace json = boost::json;

namespace {

const answer_identity identity{"1", "any-model", 1'700'000'000};

providers::model_output said(std::vector<std::string> text, std::vector<std::string> reasoning = {}) {
  providers::model_output out;
  for (const auto& piece : text) out.text.add(piece);
  for (const auto& piece : reasoning) out.reasoning.add(piece);
  return out;
}

/// An answer with everything in it.
providers::model_output full_answer() {
  auto out = said({"Let ", "me lo\xc3\xb6k"}, {"Hm", "."});
  out.end.emplace();
  out.end->finish = core::finish_reason::tool_calls;
  out.end->calls = {{{"c1"}, "files.read", R"({"path":"a rather long name.txt"})"}, {{"c2"}, "clock", "{}"}};
  out.end->usage = core::token_usage{20, 5, 7};
  return out;
}

std::string streamed(const wire_format& format, const std::vector<providers::model_output>& all, bool wants_usage = true) {
  wire_question to;
  to.wants_usage = wants_usage;
  auto writer = format.stream(identity, to);
  std::string out;
  for (const auto& one : all) writer->add(one, out);
  return out;
}

providers::stream_options reading_options() {
  providers::stream_options out;
  out.tools = std::make_shared<const std::vector<providers::tool_description>>(
      std::vector<providers::tool_description>{{"files.read", "", ""}, {"clock", "", ""}});
  return out;
}

/// What our own provider makes of the bytes.
troupe::testing::heard_answer heard(const wire_format& format, const std::string& bytes) {
  if (&format == &openai_format())
    return troupe::testing::play_answer<providers::openai_stream_parser>({bytes}, reading_options());
  return troupe::testing::play_answer<providers::anthropic_stream_parser>({bytes}, reading_options());
}

const std::vector<const wire_format*> formats{&openai_format(), &anthropic_format()};
const std::vector<providers::tool_description> tools{{"files.read", "", ""}};

wire_question asked_in(const wire_format& format, std::string_view body) {
  auto read = format.read(body, tools);
  if (auto* why = std::get_if<wire_error>(&read)) FAIL(why->place + ": " + why->text);
  return std::get<wire_question>(read);
}
wire_error refusal(const wire_format& format, std::string_view body) {
  auto read = format.read(body, tools);
  REQUIRE(std::holds_alternative<wire_error>(read));
  return std::get<wire_error>(read);
}

}  // namespace

TEST_CASE("mock model: what is streamed reads back as it was said, in both formats") {
  for (const auto* format : formats) {
    auto got = heard(*format, streamed(*format, {said({}, {"First. "}), full_answer()}));
    CHECK(got.reasoning == "First. Hm.");
    CHECK(got.text == "Let me lo\xc3\xb6k");
    CHECK(got.lengths == std::vector<std::uint32_t>{4, 8});
    REQUIRE(got.end);
    CHECK(got.end->error.code == core::errc::ok);
    CHECK(got.end->finish == core::finish_reason::tool_calls);
    CHECK(got.end->calls == full_answer().end->calls);
    CHECK(got.end->usage == core::token_usage{20, 5, 7});
  }
}

TEST_CASE("mock model: each finish reason has its word in both formats") {
  using enum core::finish_reason;
  for (const auto* format : formats)
    for (auto finish : {stop, length, content_filter}) {
      auto answer = said({"x"});
      answer.end.emplace();
      answer.end->finish = finish;
      auto got = heard(*format, streamed(*format, {answer}));
      REQUIRE(got.end);
      CHECK(got.end->finish == finish);
    }
}

TEST_CASE("mock model: an answer that fails is an error event, and one without its end is no answer") {
  auto failed = said({"Half"});
  failed.end.emplace();
  failed.end->error = {core::errc::provider_error, "it broke"};
  failed.end->retryable = true;
  for (const auto* format : formats) {
    auto got = heard(*format, streamed(*format, {failed}));
    REQUIRE(got.end);
    CHECK(got.end->error.code == core::errc::provider_error);
    CHECK(got.end->error.text.find("it broke") != std::string::npos);
    got = heard(*format, streamed(*format, {said({"Half"})}));
    CHECK(got.text == "Half");
    REQUIRE(got.end);
    CHECK(got.end->error.code == core::errc::provider_error);
  }
}

TEST_CASE("mock model: OpenAI streams tell usage only to who asks, Anthropic streams always") {
  CHECK(streamed(openai_format(), {full_answer()}, false).find("usage") == std::string::npos);
  CHECK(streamed(openai_format(), {full_answer()}).find(R"("usage":{"prompt_tokens":20)") != std::string::npos);
  CHECK(streamed(anthropic_format(), {full_answer()}, false).find(R"("cache_read_input_tokens":5)") != std::string::npos);
}

TEST_CASE("mock model: a whole answer has what the stream has") {
  auto chat = json::parse(openai_format().whole(identity, full_answer()));
  CHECK(chat.at_pointer("/choices/0/message/content") == "Let me lo\xc3\xb6k");
  CHECK(chat.at_pointer("/choices/0/message/reasoning_content") == "Hm.");
  CHECK(chat.at_pointer("/choices/0/message/tool_calls/0/function/name") == "files__read");
  CHECK(chat.at_pointer("/choices/0/finish_reason") == "tool_calls");
  CHECK(chat.at_pointer("/usage/prompt_tokens_details/cached_tokens") == 5);
  auto message = json::parse(anthropic_format().whole(identity, full_answer()));
  CHECK(message.at_pointer("/content/0/thinking") == "Hm.");
  CHECK(message.at_pointer("/content/1/text") == "Let me lo\xc3\xb6k");
  CHECK(message.at_pointer("/content/2/input/path") == "a rather long name.txt");
  CHECK(message.at_pointer("/stop_reason") == "tool_use");
  CHECK(message.at_pointer("/usage/input_tokens") == 15);
}

TEST_CASE("mock model: very many pieces are merged, and none of their text is lost") {
  core::text_pieces pieces;
  for (std::size_t i = 0; i < 3 * max_pieces + 1; ++i) pieces.add("ab");
  std::size_t count = 0;
  std::string text;
  for_each_piece(pieces, [&](std::string_view piece) {
    ++count;
    text += piece;
  });
  CHECK(count <= max_pieces);
  CHECK(text == pieces.text);
}

TEST_CASE("mock model: a conversation is the same history in both formats") {
  auto chat = asked_in(openai_format(), R"({"model":"m","stream":true,"messages":[
      {"role":"system","content":"Be brief."},
      {"role":"user","content":[{"type":"text","text":"Read"},{"type":"image_url","image_url":{"url":"x"}},{"type":"text","text":"it."}]},
      {"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"files__read","arguments":"{\"a\":1}"}}]},
      {"role":"tool","tool_call_id":"c","content":"ok"},
      {"role":"user","content":"And?"}]})");
  auto message = asked_in(anthropic_format(), R"({"model":"m","stream":true,"max_tokens":9,"system":"Be brief.","messages":[
      {"role":"user","content":[{"type":"text","text":"Read"},{"type":"image","source":{}},{"type":"text","text":"it."}]},
      {"role":"assistant","content":[{"type":"tool_use","id":"c","name":"files__read","input":{"a":1}}]},
      {"role":"user","content":[{"type":"tool_result","tool_use_id":"c","content":[{"type":"text","text":"ok"}]},
                                {"type":"text","text":"And?"}]}]})");
  CHECK(*chat.request.history == *message.request.history);
  const auto& history = *chat.request.history;
  REQUIRE(history.size() == 4);
  CHECK(history[0].content == "Read\n\nit.");
  CHECK(history[1].calls == std::vector<core::tool_call>{{{"c"}, "files.read", R"({"a":1})"}});
  CHECK(history[2].content == "ok");
  for (const auto& one : {chat, message}) {
    CHECK(one.stream);
    CHECK(one.request.instructions == "Be brief.");
    CHECK(one.request.call_number == 2);
  }
}

TEST_CASE("mock model: bad requests are refused with the place that is wrong") {
  struct row {
    std::string body;
    std::string place;
    bool both = true;
  };
  const std::string anthropic = R"("max_tokens":9,)";
  for (const auto& [body, place, both] : std::vector<row>{
           {"[1", ""},
           {"[]", ""},
           {std::string(200, '['), ""},
           {R"({"messages":[]})", "model"},
           {R"({"max_tokens":9,"model":"m"})", "messages"},
           {R"({"max_tokens":9,"model":"m","messages":[]})", "messages"},
           {R"({"max_tokens":9,"model":"m","messages":[7]})", "messages[0]"},
           {R"({"max_tokens":9,"model":"m","messages":[{"role":"god","content":"x"}]})", "messages[0].role"},
           {R"({"max_tokens":9,"model":"m","messages":[{"role":"user","content":7}]})", "messages[0].content"},
           {R"({"max_tokens":9,"model":"m","stream":1,"messages":[{"role":"user","content":"x"}]})", "stream"},
           {R"({"model":"m","n":2,"messages":[{"role":"user","content":"x"}]})", "n", false},
           {R"({"model":"m","messages":[{"role":"tool","tool_call_id":"c","content":"x"}]})", "messages", false},
           {R"({"model":"m","messages":[{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"f"}}]}]})", "messages",
            false},
       }) {
    INFO(body);
    CHECK(refusal(openai_format(), body).place == place);
    if (both) CHECK(refusal(anthropic_format(), body).place == place);
  }
  CHECK(refusal(anthropic_format(), R"({"model":"m","messages":[{"role":"user","content":"x"}]})").place == "max_tokens");
  auto late = refusal(anthropic_format(), R"({"model":"m","max_tokens":1,"messages":[{"role":"user","content":[
      {"type":"text","text":"x"},{"type":"tool_result","tool_use_id":"c","content":"y"}]}]})");
  CHECK(late.place == "messages[0].content[1]");
}

TEST_CASE("mock model: errors have each API's own shape") {
  auto chat = json::parse(openai_format().error({429, "slow down", {}}));
  CHECK(chat.at_pointer("/error/type") == "rate_limit_error");
  CHECK(chat.at_pointer("/error/code") == "rate_limit_exceeded");
  CHECK(chat.at_pointer("/error/param").is_null());
  CHECK(json::parse(openai_format().error({400, "no", "n"})).at_pointer("/error/param") == "n");
  for (auto [status, type] : {std::pair{400, "invalid_request_error"},
                              {404, "not_found_error"},
                              {429, "rate_limit_error"},
                              {500, "api_error"},
                              {529, "overloaded_error"}}) {
    auto message = json::parse(anthropic_format().error({status, "no", {}}));
    CHECK(message.at_pointer("/type") == "error");
    CHECK(message.at_pointer("/error/type") == type);
  }
}

TEST_CASE("mock faults: words are read with their amounts, and what is wrong is named") {
  CHECK(*parse_fault("cut:120") == mock_fault{fault_kind::cut, 120, std::nullopt});
  CHECK(*parse_fault("status:429:2") == mock_fault{fault_kind::status, 429, 2U});
  CHECK(parse_fault_list("latency:5, cut:0")->size() == 2);
  CHECK(parse_fault_list("none")->empty());
  for (auto [text, part] : {std::pair{"explode:1", "unknown word \"explode\""},
                            {"cut", "cut needs bytes"},
                            {"cut:x", "cut needs bytes"},
                            {"cut:-1", "cut needs bytes"},
                            {"cut:99999999999999999999", "cut needs bytes"},
                            {"status:200", "400 to 599"},
                            {"latency:600001", "0 to 600000"},
                            {"status:429:0", "number of requests"},
                            {"status:429:", "number of requests"}}) {
    INFO(text);
    auto parsed = parse_fault(text);
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error().text.find(part) != std::string::npos);
  }
  CHECK_FALSE(parse_fault_list("cut:1:1").has_value());
  std::string many = "cut:1";
  for (std::size_t i = 0; i < max_faults; ++i) many += ",cut:1";
  CHECK_FALSE(parse_fault_list(many).has_value());
}

TEST_CASE("mock faults: each is dealt out as often as it says, one of a kind to a request") {
  fault_source source({{fault_kind::status, 429, 2U},
                       {fault_kind::status, 500, 1U},
                       {fault_kind::cut, 10, 1U},
                       {fault_kind::retry_after, 7, std::nullopt}});
  std::vector<int> statuses;
  for (int i = 0; i < 3; ++i) {
    auto plan = source.next();
    statuses.push_back(plan.status.value_or(0));
    CHECK_FALSE(plan.cut_after);
    CHECK(plan.retry_after == std::chrono::seconds{7});
  }
  CHECK(statuses == std::vector<int>{429, 429, 500});
  CHECK(source.next().cut_after == 10U);
  CHECK_FALSE(source.next().cut_after);
}

TEST_CASE("mock faults: a body is cut, stalled or spoiled at the byte, however it comes in pieces") {
  using verdict = body_filter::verdict;
  auto play = [](const fault_plan& plan, std::size_t step) {
    const std::string body = "0123456789";
    body_filter filter(plan);
    std::pair<std::string, verdict> out{{}, verdict::go_on};
    for (std::size_t at = 0; at < body.size() && out.second == verdict::go_on; at += step) {
      auto piece = body.substr(at, step);
      out.second = filter.pass(piece);
      out.first += piece;
    }
    return out;
  };
  for (std::size_t step : {1U, 3U, 10U}) {
    fault_plan cut;
    cut.cut_after = 4;
    CHECK(play(cut, step) == std::pair{std::string("0123"), verdict::cut});
    cut.stall_after = 2;
    CHECK(play(cut, step) == std::pair{std::string("01"), verdict::stall});
    cut = {};
    cut.cut_after = 0;
    CHECK(play(cut, step) == std::pair{std::string(), verdict::cut});
    cut.cut_after = 11;
    CHECK(play(cut, step) == std::pair{std::string("0123456789"), verdict::go_on});
    fault_plan noise;
    noise.garbage_after = 3;
    auto [text, how] = play(noise, step);
    CHECK(how == verdict::go_on);
    CHECK(text == "012\n\nevent");
  }
}
