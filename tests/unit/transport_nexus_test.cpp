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

TEST_CASE("nexus: a run that fails or is stopped tells what it has cost by then") {
  auto kind = GENERATE(transport::encoder_kind::nexus_a, transport::encoder_kind::nexus_b);
  bool fails = GENERATE(true, false);
  stage s(kind);
  start(s);
  s(usage(120, 30, 1500));
  auto frame =
      only(fails ? s(run_failed{run, errc::provider_error, "upstream closed", 1}) : s(run_cancelled{run, "ana", true}));
  CHECK(frame["type"].as_string() == (fails ? "error" : "run.cancelled"));
  CHECK(frame["usage"].as_object()["totalTokens"].as_int64() == 150);
  CHECK(frame["usage"].as_object()["cost"].as_double() == Approx(0.0015));
}

TEST_CASE("nexus: a message that is taken out of the queue has a frame, the end of a session has one in lists only") {
  stage s(transport::encoder_kind::nexus_a);
  CHECK(s(run_dequeued{run, question}) ==
        words{R"({"type":"message.dequeued","messageId":")" + question.str() + R"(","runId":")" + run.str() + R"(","seq":1})"});
  CHECK(s(session_closed{}).empty());
  stage log(transport::encoder_kind::nexus_log);
  CHECK(log(session_closed{}) == words{R"({"type":"session.closed","seq":1})"});
}

TEST_CASE("nexus: a decision tells the arguments that were put in the place of the asked ones") {
  stage s(transport::encoder_kind::nexus_a);
  start(s);
  auto frame = only(s(approval_decided{run, {{4, 1}}, {"c1"}, decision::approved, "ana", {}, R"({"path":"b"})"}));
  CHECK(frame["editedInput"] == json::value{{"path", "b"}});
  auto plain = only(s(approval_decided{run, {{4, 2}}, {"c2"}, decision::approved, "ana", {}, {}}));
  CHECK_FALSE(plain.contains("editedInput"));
}

TEST_CASE("nexus: superseded text names its message and where it begins, a mere gap has no frame") {
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
    CHECK(port.sent.back() ==
          R"({"type":"session.resumed","sessionId":")" + id.str() + R"(","fromSeq":12,"lastSeq":20,"status":"active"})");
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
  auto r = GENERATE(values<row>(
      {{"{", "PARSE_ERROR"},
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
       {R"({"type":"approval.decide","approvalId":"x","approved":true})", "NOT_FOUND"},
       {R"({"type":"approval.decide","approved":true})", "VALIDATION_ERROR"},
       {R"({"type":"approval.decide","approvalId":"00000000-0000-4000-8000-000000000001","choice":"maybe"})",
        "VALIDATION_ERROR"},
       {R"({"type":"approval.decide","approvalId":"00000000-0000-4000-8000-000000000001","answer":"a"})", "VALIDATION_ERROR"},
       {R"({"type":"message.send","content":"x","attachments":"f"})", "VALIDATION_ERROR"},
       {R"({"type":"message.send","content":"x","attachments":["f"]})", "VALIDATION_ERROR"},
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

TEST_CASE("nexus: a message shows who wrote it and the files it brings") {
  stage s(transport::encoder_kind::nexus_a);
  file_id file{{5, 1}};
  message_added m{question, role::user, "look", "u1", "k", "Ana", {{file, "a.png", "image/png", 3}}, {}};
  auto frame = only(s(m));
  CHECK(frame["author"].as_string() == "u1");
  CHECK(frame["authorName"].as_string() == "Ana");
  CHECK(frame["clientMessageId"].as_string() == "k");
  CHECK(json::serialize(frame["attachments"]) ==
        R"([{"fileId":")" + file.str() + R"(","name":"a.png","contentType":"image/png","size":3}])");
  m.client_message_id = "idem:1";
  m.attachments.clear();
  auto plain = only(s(m));
  CHECK_FALSE(plain.contains("attachments"));
  CHECK_FALSE(plain.contains("clientMessageId"));  // an Idempotency-Key is not the client's own id
}

TEST_CASE("nexus: reactions, presence and changes of the session have frames") {
  stage s(transport::encoder_kind::nexus_a);
  CHECK(s(reaction_changed{question, "👍", true, "u1", "Ana"}) ==
        words{R"({"type":"message.reaction","messageId":")" + question.str() +
              R"(","emoji":"👍","added":true,"userId":"u1","username":"Ana","seq":1})"});
  CHECK(only(s(reaction_changed{question, "👍", false, {}, {}}))["userId"].as_string() == "anonymous");
  CHECK(s(message_feedback{question, rating::up, "good", "u1"}) ==
        words{R"({"type":"message.feedback","messageId":")" + question.str() +
              R"(","rating":"up","by":"u1","note":"good","seq":3})"});
  CHECK(s(message_feedback{question, rating::none, {}, "u1"}) ==
        words{R"({"type":"message.feedback","messageId":")" + question.str() + R"(","rating":null,"by":"u1","seq":4})"});
  CHECK(s(presence_changed{{{"u1", "Ana"}, {"u2", "Eva"}}, {"u2", "Eva"}, presence_changed::what::joined, 4}) ==
        words{R"({"type":"presence","users":[{"userId":"u1","username":"Ana"},{"userId":"u2","username":"Eva"}]})"});
  CHECK(s(session_updated{session_status::active, "Trip", std::vector<std::string>{"u2"}, {}}) ==
        words{R"({"type":"session.updated","status":"active","title":"Trip","participants":["u2"],"seq":5})"});
  CHECK(s(session_updated{session_status::paused, {}, {}, {}}) ==
        words{R"({"type":"session.updated","status":"paused","seq":6})"});
  CHECK(s(history_cleared{"u1"}) == words{R"({"type":"session.cleared","seq":7})"});
  CHECK(s.types(message_edited{question, "new"}) == words{"message.edited"});
  CHECK(s.types(queue_reordered{{question}}) == words{"queue.reordered"});
}

namespace {

/// A client of a server that wants credentials, without any yet.
struct stranger {
  recording_port port;
  std::unique_ptr<transport::client_protocol> protocol;

  stranger() {
    port.settings = transport_test::demo_settings();
    port.settings.auth.required = true;
    port.who = principal::nobody();
    protocol = transport::make_nexus(port, {});
    protocol->on_open();
  }
  void say(std::string_view text) { protocol->on_message(text, true); }
};

}  // namespace

TEST_CASE("nexus: where credentials are required nothing but auth and ping is taken before them") {
  stranger c;
  SECTION("refused") {
    auto frame =
        GENERATE(R"({"type":"session.create"})", R"({"type":"session.resume","sessionId":"x"})",
                 R"({"type":"message.send","content":"hi"})", R"({"type":"approval.decide","approvalId":"x","approved":true})",
                 R"({"type":"run.cancel"})", R"({"type":"typing","isTyping":true})", R"({"type":"auth","projectId":"demo"})");
    c.say(frame);
    CHECK(error_of(c.port)["code"].as_string() == "AUTH_REQUIRED");
    CHECK(c.port.submitted.empty());
    CHECK(c.port.closed == 0);
  }
  SECTION("ping is answered") {
    c.say(R"({"type":"ping"})");
    CHECK(c.port.sent == words{R"({"type":"pong"})"});
  }
  SECTION("a bad credential is AUTH_FAILED, and does not tell which projects there are") {
    c.port.sign_in_error = error{errc::auth_failed, "The token is not valid."};
    c.say(R"({"type":"auth","token":"bad","projectId":"none"})");
    CHECK(error_of(c.port)["code"].as_string() == "AUTH_FAILED");
  }
  SECTION("a good one opens the rest") {
    c.say(R"({"type":"auth","apiKey":"k-1","token":"t-1"})");
    CHECK(c.port.credentials == words{"k-1"});
    CHECK(c.port.sent.back() == R"({"type":"auth.success"})");
    c.port.who = principal{"u1", "Ana"};
    c.say(R"({"type":"message.send","content":"hi"})");
    CHECK(c.port.submitted.size() == 2);
  }
  SECTION("what the handshake brought is enough") {
    c.port.who = principal{"u1", "Ana"};
    c.say(R"({"type":"auth"})");
    CHECK(c.port.credentials.empty());
    CHECK(c.port.sent.back() == R"({"type":"auth.success"})");
  }
  SECTION("credentials that expire are refused again") {
    c.port.who = principal{"u1", "Ana"};
    c.say(R"({"type":"session.create"})");
    REQUIRE(c.port.submitted.size() == 1);
    c.port.who = principal::nobody();
    c.say(R"({"type":"message.send","content":"hi"})");
    CHECK(error_of(c.port)["code"].as_string() == "AUTH_REQUIRED");
    CHECK(c.port.submitted.size() == 1);
  }
}

TEST_CASE("nexus: a session is found by any of its names, and what follows the name waits for it") {
  recording_port port;
  port.settings = transport_test::demo_settings();
  auto protocol = transport::make_nexus(port, {});
  protocol->on_message(R"({"type":"session.resume","sessionId":"my chat"})", true);
  protocol->on_message(R"({"type":"message.send","content":"hi"})", true);
  REQUIRE(port.resolved == words{"my chat"});
  CHECK(port.submitted.empty());
  SECTION("found") {
    session_id id{{7, 8}};
    port.on_resolved(id);
    CHECK(port.followed.back().first == id);
    REQUIRE(port.submitted.size() == 1);
    CHECK(port.submitted[0].first == id);
  }
  SECTION("not there: an error, and the message makes a session") {
    port.on_resolved(error{errc::not_found, "Session not found: my chat"});
    CHECK(error_of(port)["code"].as_string() == "NOT_FOUND");
    CHECK(port.submitted.size() == 2);
  }
  SECTION("what waits is bounded") {
    for (int i = 0; i < 200; ++i) protocol->on_message(R"({"type":"ping"})", true);
    CHECK(error_of(port)["code"].as_string() == "RATE_LIMITED");
    port.on_resolved(session_id{{7, 8}});
    CHECK(port.sent.back() == R"({"type":"pong"})");
  }
}

TEST_CASE("nexus: a client is in the room of the session it follows, and of no other") {
  recording_port port;
  port.settings = transport_test::demo_settings();
  auto protocol = transport::make_nexus(port, {});
  session_id first{{7, 8}};
  session_id second{{7, 9}};
  auto resume = [&](session_id id) {
    protocol->on_message(R"({"type":"session.resume","sessionId":")" + id.str() + "\"}", true);
    port.attach(session_record{});
  };
  resume(first);
  CHECK(port.entered == std::vector<session_id>{first});
  port.users = {{"u1", "Ana"}, {"u2", "Eva"}};
  resume(second);
  CHECK(port.left == std::vector<session_id>{first});
  CHECK(port.entered == std::vector<session_id>{first, second});
  CHECK(port.sent.back() ==
        R"({"type":"presence","users":[{"userId":"u1","username":"Ana"},{"userId":"u2","username":"Eva"}]})");
  SECTION("a session that may not be seen any more is told, and left") {
    auto lost = port.followed.back().second.lost;
    lost(error{errc::not_found, "Session not found"});
    CHECK(error_of(port)["code"].as_string() == "NOT_FOUND");
    CHECK(port.left == std::vector<session_id>{first, second});
    protocol->on_message(R"({"type":"run.cancel"})", true);
    CHECK(port.submitted.empty());
  }
}

TEST_CASE("nexus: a message names the files it brings") {
  recording_port port;
  port.settings = transport_test::demo_settings();
  auto protocol = transport::make_nexus(port, {});
  file_id file{{5, 1}};
  protocol->on_message(R"({"type":"message.send","content":"look","attachments":[")" + file.str() + "\"]}", true);
  REQUIRE(port.submitted.size() == 2);
  CHECK(std::get<send_message>(port.submitted[1].second).attachments == std::vector<file_id>{file});
}
