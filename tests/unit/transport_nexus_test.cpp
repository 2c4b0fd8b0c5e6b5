#include "tests/unit/transport_dialect_test.hpp"
#include "transport/dialects/nexus.hpp"

#include <catch2/catch.hpp>

namespace json = boost::json;
using namespace troupe;
using namespace troupe::core;
using transport_test::pieces;
using transport_test::question;
using transport_test::recording_port;
using transport_test::reply;
using transport_test::run;
using transport_test::stage;
using transport_test::words;

namespace {

usage_recorded usage(std::int64_t prompt, std::int64_t completion, std::int64_t cost) {
  return {run, 1, "p", "m", {prompt, 0, completion}, {cost}, false, {}, {}, 1};
}

void start(stage& s) {
  s(session_created{{"demo"}, {"guide"}, "nexus", {}, {}, {}});
  s(run_started{run, question, reply, {}, {"guide"}, 0, {}});
  s(step_started{run, 1, reply, "p", "m"});
}

json::object only(const words& frames) {
  REQUIRE(frames.size() == 1);
  return json::parse(frames[0]).as_object();
}

json::object error_of(const recording_port& port) {
  REQUIRE_FALSE(port.sent.empty());
  return json::parse(port.sent.back()).as_object();
}

}  // namespace

TEST_CASE("nexus: each delta is one frame with its own seq") {
  stage s(transport::encoder_kind::nexus_a);
  start(s);
  CHECK(s(text_delta{reply, pieces({"a", "é\t"})}) ==
        words{R"({"type":"message.content_delta","text":"a","role":"assistant","seq":4})",
              R"({"type":"message.content_delta","text":"é\t","role":"assistant","seq":5})"});
}

TEST_CASE("nexus: completion has every usage number in both spellings") {
  stage s(transport::encoder_kind::nexus_a);
  start(s);
  s(usage(120, 30, 1500));
  auto frame = only(s(run_completed{run, reply, {}, {120, 0, 30}, {1500}, 1}));
  CHECK(frame["type"].as_string() == "message.complete");
  CHECK(frame["messageId"].as_string() == reply.str());
  auto numbers = frame["usage"].as_object();
  CHECK(numbers["promptTokens"].as_int64() == 120);
  CHECK(numbers["inputTokens"].as_int64() == 120);
  CHECK(numbers["completionTokens"].as_int64() == 30);
  CHECK(numbers["outputTokens"].as_int64() == 30);
  CHECK(numbers["totalTokens"].as_int64() == 150);
  CHECK(numbers["cost"].as_double() == Approx(0.0015));
  CHECK(numbers["costUsd"].as_double() == Approx(0.0015));
}

TEST_CASE("nexus: style B completes a message when the run parks, with the usage since the last one") {
  auto kind = GENERATE(transport::encoder_kind::nexus_a, transport::encoder_kind::nexus_b);
  bool b = kind == transport::encoder_kind::nexus_b;
  stage s(kind);
  start(s);
  s(message_completed{run, 1, reply, "", {{{"c1"}, "delete_file", "{}"}}, finish_reason::tool_calls, false});
  s(usage(100, 10, 1000));
  s(tool_started{run, {"c1"}, "delete_file", "{}", effect::once});
  auto parked = s.types(approval_requested{run, {{4, 1}}, {"c1"}, "delete_file", "{}", approval_kind::tool, "high", {}});
  CHECK(parked == (b ? words{"message.approval_required", "message.complete"} : words{"message.approval_required"}));
  CHECK(s.types(approval_decided{run, {{4, 1}}, {"c1"}, decision::approved, "ana", {}, {}}) == words{"approval.decided"});
  s(tool_completed{run, {"c1"}, "delete_file", true, "ok", 1});
  s(step_started{run, 2, {{3, 2}}, "p", "m"});
  s(usage(200, 20, 3000));
  auto frame = only(s(run_completed{run, {{3, 2}}, {}, {300, 0, 30}, {4000}, 2}));
  CHECK(frame["usage"].as_object()["totalTokens"].as_int64() == (b ? 220 : 330));
  CHECK(frame["usage"].as_object()["cost"].as_double() == Approx(b ? 0.003 : 0.004));
}

TEST_CASE("nexus: a failed run is exactly one error and no completion") {
  stage s(transport::encoder_kind::nexus_a);
  start(s);
  auto frame = only(s(run_failed{run, errc::provider_error, "upstream closed", 1}));
  CHECK(frame["type"].as_string() == "error");
  CHECK(frame["code"].as_string() == "PROVIDER_ERROR");
}

TEST_CASE("nexus: superseded text names its message and where it begins; a mere gap has no frame") {
  stage s(transport::encoder_kind::nexus_a);
  start(s);
  auto frame = only(s(message_superseded{reply, 4}));
  CHECK(frame["type"].as_string() == "message.superseded");
  CHECK(frame["fromSeq"].to_number<int>() == 4);
  CHECK(s(message_superseded{{}, 0}).empty());
}

TEST_CASE("nexus: client frames become commands") {
  recording_port port;
  port.settings = transport_test::demo_settings();
  auto protocol = transport::make_nexus(port, {});
  protocol->on_open();
  CHECK(port.sent.empty());

  SECTION("style A: auth, then a message without a session makes one") {
    protocol->on_message(R"({"type":"auth","projectId":"demo","agentId":"guide"})", true);
    CHECK(port.sent.back() == R"({"type":"auth.success"})");
    protocol->on_message(R"({"type":"message.send","content":"hi","clientMessageId":"k","onBusy":"reject"})", true);
    REQUIRE(port.followed.size() == 1);
    CHECK(port.followed[0].second.kind == transport::encoder_kind::nexus_a);
    REQUIRE(port.submitted.size() == 2);
    CHECK(std::get<open_session>(port.submitted[0].second).agent.str() == "guide");
    const auto& sent = std::get<send_message>(port.submitted[1].second);
    CHECK(sent.content == "hi");
    CHECK(sent.client_message_id == "k");
    CHECK(sent.on_busy == busy_policy::reject);
  }
  SECTION("style B: an apiKey chooses the encoder that completes parked runs, and an unclean close on drain") {
    protocol->on_message(R"({"type":"auth","apiKey":"x"})", true);
    protocol->on_message(R"({"type":"session.create","agentId":"guide","metadata":{"a":1}})", true);
    REQUIRE(port.followed.size() == 1);
    CHECK(port.followed[0].second.kind == transport::encoder_kind::nexus_b);
    CHECK(std::get<open_session>(port.submitted[0].second).metadata == R"({"a":1})");
    CHECK(protocol->on_drain());
    CHECK(port.sent.back() == R"({"type":"session.draining","lastSeq":7,"reconnectAfterMs":1000})");
  }
  SECTION("resume asks for what came after a seq") {
    session_id id{{7, 8}};
    protocol->on_message(R"({"type":"session.resume","sessionId":")" + id.str() + R"(","afterSeq":12})", true);
    REQUIRE(port.followed.size() == 1);
    CHECK(port.followed[0].first == id);
    CHECK(port.followed[0].second.after == seq_t{12});
    session_record record;
    record.last_seq = 20;
    port.on_attached(record);
    CHECK(port.sent.back() == R"({"type":"session.resumed","sessionId":")" + id.str() + R"(","fromSeq":12,"status":"active"})");
  }
  SECTION("a lost decision is told as the winner's, not as an error") {
    approval_id id{{4, 4}};
    protocol->on_message(R"({"type":"approval.decide","approvalId":")" + id.str() + R"(","approved":true})", true);
    REQUIRE(port.asked.size() == 1);
    approval_record known;
    known.session = {{7, 8}};
    port.on_found(known);
    REQUIRE(port.submitted.size() == 1);
    port.on_done(command_reply{approval_settled{id, decision::denied, "eva", "", false}});
    auto frame = error_of(port);
    CHECK(frame["type"].as_string() == "approval.decided");
    CHECK(frame["decision"].as_string() == "denied");
    CHECK(frame["resolvedBy"].as_string() == "eva");
  }
  SECTION("typing goes to the others") {
    protocol->on_message(R"({"type":"message.send","content":"hi"})", true);
    protocol->on_message(R"({"type":"typing","isTyping":true})", true);
    REQUIRE(port.announced.size() == 1);
    CHECK(std::get<typing_changed>(port.announced[0]).origin == 5);
  }
  SECTION("ping") {
    protocol->on_message(R"({"type":"ping","any":1})", true);
    CHECK(port.sent.back() == R"({"type":"pong"})");
  }
}

TEST_CASE("nexus: bad frames are answered and the socket stays open") {
  recording_port port;
  port.settings = transport_test::demo_settings();
  auto protocol = transport::make_nexus(port, {});
  struct row {
    const char* frame;
    const char* code;
  };
  auto r = GENERATE(values<row>({{"{", "PARSE_ERROR"},
                                 {"[]", "PARSE_ERROR"},
                                 {"{}", "UNKNOWN_TYPE"},
                                 {R"({"type":"nope"})", "UNKNOWN_TYPE"},
                                 {R"({"type":5})", "VALIDATION_ERROR"},
                                 {R"({"type":"message.send"})", "VALIDATION_ERROR"},
                                 {R"({"type":"message.send","content":""})", "VALIDATION_ERROR"},
                                 {R"({"type":"message.send","content":"x","onBusy":"maybe"})", "VALIDATION_ERROR"},
                                 {R"({"type":"auth","projectId":"none"})", "NOT_FOUND"},
                                 {R"({"type":"auth","agentId":"none"})", "NOT_FOUND"},
                                 {R"({"type":"session.create","agentId":"none"})", "NOT_FOUND"},
                                 {R"({"type":"session.create","metadata":3})", "VALIDATION_ERROR"},
                                 {R"({"type":"session.resume"})", "VALIDATION_ERROR"},
                                 {R"({"type":"session.resume","sessionId":"x"})", "NOT_FOUND"},
                                 {R"({"type":"approval.decide","approvalId":"x","approved":true})", "NOT_FOUND"},
                                 {R"({"type":"approval.decide","approved":true})", "VALIDATION_ERROR"},
                                 {R"({"type":"run.cancel"})", "NOT_FOUND"},
                                 {R"({"type":"typing"})", "VALIDATION_ERROR"}}));
  protocol->on_message(r.frame, true);
  INFO(r.frame);
  auto frame = error_of(port);
  CHECK(frame["type"].as_string() == "error");
  CHECK(frame["code"].as_string() == r.code);
  CHECK_FALSE(frame["message"].as_string().empty());
  CHECK(port.closed == 0);
  CHECK(port.submitted.empty());
}
