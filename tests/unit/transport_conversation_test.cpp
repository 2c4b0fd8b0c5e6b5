#include "tests/unit/transport_dialect_test.hpp"
#include "transport/dialects/conversation.hpp"

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

stage conversation_started() {
  stage s(transport::encoder_kind::conversation);
  s(session_created{{"demo"}, {"guide"}, "conversation", "c1", {}, {}});
  s(message_added{question, role::user, "hi", {}, {}});
  s(run_started{run, question, reply, {}, {"guide"}, 0, {}});
  return s;
}

tool_started conversation_call(const char* id, const char* tool) { return {run, {id}, tool, R"({"path":"a"})", effect::once}; }
tool_completed outcome(const char* id, const char* tool, bool ok, const char* output) {
  return {run, {id}, tool, ok, output, 3};
}
approval_requested question_for(const char* id, const char* tool, std::uint64_t n) {
  return {run, {{4, n}}, {id}, tool, R"({"path":"a"})", approval_kind::tool, "high", millis{1000}};
}

}  // namespace

TEST_CASE("conversation: a plain turn is thinking, chunks, message, done") {
  auto s = conversation_started();
  CHECK(s.types(step_started{run, 1, reply, "p", "m"}) == words{"thinking"});
  CHECK(s(text_delta{reply, pieces({"Hel", "lo \"x\"\n"})}) ==
        words{R"({"type":"message_chunk","content":"Hel"})", R"({"type":"message_chunk","content":"lo \"x\"\n"})"});
  CHECK(s.types(message_completed{run, 1, reply, "Hello", {}, finish_reason::stop, false}).empty());
  CHECK(s(run_completed{run, reply, {}, {}, {}, 1}) ==
        words{R"({"type":"message","content":"Hello \"x\"\n"})", R"({"type":"done","iterations":1})"});
}

TEST_CASE("conversation: a result repeats the call's arguments, and the unused one of result and error is null") {
  auto s = conversation_started();
  s(step_started{run, 1, reply, "p", "m"});
  CHECK(s(conversation_call("c1", "write_file")) ==
        words{R"({"type":"tool_call","tool":"write_file","arguments":{"path":"a"},"tool_call_id":"c1"})"});
  CHECK(
      s(outcome("c1", "write_file", true, R"({"size":5})")) ==
      words{
          R"({"type":"tool_result","tool":"write_file","tool_call_id":"c1","success":true,"result":{"size":5},"error":null,"arguments":{"path":"a"}})"});
  s(step_started{run, 2, reply, "p", "m"});
  s(conversation_call("c2", "read_file"));
  CHECK(
      s(outcome("c2", "read_file", false, "No such file")) ==
      words{
          R"({"type":"tool_result","tool":"read_file","tool_call_id":"c2","success":false,"result":null,"error":"No such file","arguments":{"path":"a"}})"});
}

TEST_CASE("conversation: parallel calls are shown one after another") {
  auto s = conversation_started();
  s(step_started{run, 1, reply, "p", "m"});
  CHECK(s.types(conversation_call("c1", "a")) == words{"tool_call"});
  CHECK(s.types(conversation_call("c2", "b")).empty());
  CHECK(s.types(outcome("c2", "b", true, "2")).empty());
  CHECK(s.types(outcome("c1", "a", true, "1")) == words{"tool_result", "tool_call", "tool_result"});
}

TEST_CASE("conversation: an approval shows its card once, ends the turn, and goes on after the decision") {
  auto s = conversation_started();
  s(step_started{run, 1, reply, "p", "m"});
  s(message_completed{run, 1, reply, "", {}, finish_reason::tool_calls, false});
  CHECK(s.types(conversation_call("c1", "delete_file")) == words{"tool_call"});
  CHECK(s.types(question_for("c1", "delete_file", 1)) == words{"approval_required", "done"});
  SECTION("a message sent meanwhile gets the card and done again") {
    CHECK(s.types(run_queued{{{1, 2}}, {{2, 2}}, 1}) == words{"approval_required", "done"});
  }
  SECTION("a client that attaches late is shown the card") { CHECK(s.open_cards().size() == 1); }
  CHECK(s.types(approval_decided{run, {{4, 1}}, {"c1"}, decision::approved, "ana", {}, {}}).empty());
  CHECK(s.types(outcome("c1", "delete_file", true, "gone")) == words{"tool_result"});
  CHECK(s.types(step_started{run, 2, reply, "p", "m"}) == words{"thinking"});
  s(text_delta{reply, pieces({"Done"})});
  CHECK(s.types(run_completed{run, reply, {}, {}, {}, 2}) == words{"message", "done"});
  CHECK(s.open_cards().empty());
}

TEST_CASE("conversation: two calls that both ask are decided one after the other") {
  auto s = conversation_started();
  s(step_started{run, 1, reply, "p", "m"});
  s(message_completed{run, 1, reply, "", {}, finish_reason::tool_calls, false});
  CHECK(s.types(conversation_call("c1", "delete_file")) == words{"tool_call"});
  CHECK(s.types(conversation_call("c2", "delete_file")).empty());
  CHECK(s.types(question_for("c1", "delete_file", 1)) == words{"approval_required"});
  CHECK(s.types(question_for("c2", "delete_file", 2)) == words{"done"});
  CHECK(s.types(approval_decided{run, {{4, 1}}, {"c1"}, decision::denied, "ana", {}, {}}).empty());
  CHECK(s.types(outcome("c1", "delete_file", false, "denied")) ==
        words{"tool_result", "tool_call", "approval_required", "done"});
}

TEST_CASE("conversation: every turn ends with done, whatever became of the run") {
  auto s = conversation_started();
  s(step_started{run, 1, reply, "p", "m"});
  SECTION("model failure: error, then done") {
    CHECK(s(run_failed{run, errc::provider_error, "boom", 1}) ==
          words{R"({"type":"error","error":"boom","message":"boom"})", R"({"type":"done","iterations":1})"});
  }
  SECTION("iteration limit: its text as a message, then done") {
    CHECK(s.types(run_failed{run, errc::iteration_limit, "limit", 1}) == words{"message", "done"});
  }
  SECTION("stopped: the text so far, then done") {
    s(text_delta{reply, pieces({"Hal"})});
    CHECK(s.types(run_cancelled{run, "ana", true}) == words{"message", "done"});
  }
}

TEST_CASE("conversation: text that a crash took back is not in the message") {
  auto s = conversation_started();
  s(step_started{run, 1, reply, "p", "m"});
  s(text_delta{reply, pieces({"lost"})});
  CHECK(s.types(message_superseded{reply, 5}).empty());
  CHECK(s.types(step_started{run, 1, reply, "p", "m"}) == words{"thinking"});
  s(text_delta{reply, pieces({"kept"})});
  CHECK(s(run_completed{run, reply, {}, {}, {}, 1}).front() == R"({"type":"message","content":"kept"})");
}

TEST_CASE("conversation: client frames") {
  recording_port port;
  port.settings = transport_test::demo_settings();
  auto protocol = transport::make_conversation(port, {"my chat", {"demo"}, {}});
  protocol->on_open();
  REQUIRE(port.sent.size() == 1);
  CHECK(port.sent[0] == R"({"type":"connected","conversation_id":"my chat","message":"Conexión establecida"})");
  REQUIRE(port.followed.size() == 1);
  CHECK(port.followed[0].first == transport::session_of_conversation({"demo"}, "my chat"));
  CHECK_FALSE(port.followed[0].second.must_exist);
  port.sent.clear();

  SECTION("the first message opens the conversation") {
    protocol->on_message(R"({"message":"hi"})", true);
    REQUIRE(port.submitted.size() == 2);
    CHECK(std::get<open_session>(port.submitted[0].second).alias == "my chat");
    CHECK(std::get<send_message>(port.submitted[1].second).content == "hi");
  }
  SECTION("an empty or missing message is an error, the socket stays open") {
    auto frame = GENERATE(R"({"message":""})", R"({})", R"({"message":5})", R"({"type":"approval_response"})");
    protocol->on_message(frame, true);
    CHECK(port.sent.size() == 1);
    CHECK(port.closed == 0);
    CHECK(port.submitted.empty());
  }
  SECTION("what is not a JSON object is an error, and closes with 1000") {
    auto frame = GENERATE("{", "[1]", "5", "");
    protocol->on_message(frame, true);
    CHECK(port.sent.size() == 1);
    CHECK(port.closed == 1000);
  }
  SECTION("an approval response decides the named call, or else the oldest open one") {
    protocol->on_message(R"({"type":"approval_response","approved":true,"tool_call_id":"c9"})", true);
    protocol->on_message(R"({"type":"approval_response","approved":false})", true);
    REQUIRE(port.submitted.size() == 2);
    CHECK(std::get<decide_approval>(port.submitted[0].second).call.str() == "c9");
    CHECK(std::get<decide_approval>(port.submitted[1].second).call.empty());
    port.on_done(core::error{errc::approval_not_pending, "nothing pending"});
    CHECK(port.sent.size() == 1);
    CHECK(port.closed == 0);
  }
}

TEST_CASE("conversation: a session's own UUID names that session, any other id one of its own") {
  session_id id{{0x0190aaaabbbb7ccc, 0x8dddeeeeffff0001}};
  CHECK(transport::session_of_conversation({"p"}, id.str()) == id);
  CHECK(transport::session_of_conversation({"p"}, "a") == transport::session_of_conversation({"p"}, "a"));
  CHECK(transport::session_of_conversation({"p"}, "a") != transport::session_of_conversation({"q"}, "a"));
}

TEST_CASE("conversation: ?afterSeq= goes on from there") {
  recording_port port;
  port.settings = transport_test::demo_settings();
  auto protocol = transport::make_conversation(port, {"c1", {"demo"}, {}, seq_t{12}});
  protocol->on_open();
  REQUIRE(port.followed.size() == 1);
  CHECK(port.followed[0].second.after == seq_t{12});
}

TEST_CASE("conversation: 24 hex digits name another dialect's session, where there is one") {
  recording_port port;
  port.settings = transport_test::demo_settings();
  auto protocol = transport::make_conversation(port, {"0123456789abcdef01234567", {"demo"}, {}});
  protocol->on_open();
  CHECK(port.resolved == words{"0123456789abcdef01234567"});
  protocol->on_message(R"({"message":"hi"})", true);
  CHECK(port.followed.empty());
  CHECK(port.submitted.empty());
  SECTION("there is") {
    session_id id{{7, 8}};
    port.on_resolved(id);
    CHECK(port.followed.at(0).first == id);
    CHECK(port.submitted.at(0).first == id);
  }
  SECTION("there is none: a conversation of that name") {
    port.on_resolved(error{errc::not_found, "Session not found"});
    CHECK(port.followed.at(0).first == transport::session_of_conversation({"demo"}, "0123456789abcdef01234567"));
  }
  REQUIRE(port.submitted.size() == 2);
  CHECK(std::get<send_message>(port.submitted[1].second).content == "hi");
}

TEST_CASE("conversation: its client is in the room, one that may not see it any more is told") {
  recording_port port;
  port.settings = transport_test::demo_settings();
  auto protocol = transport::make_conversation(port, {"c1", {"demo"}, {}});
  protocol->on_open();
  port.attach(session_record{});
  CHECK(port.entered == std::vector<session_id>{transport::session_of_conversation({"demo"}, "c1")});
  auto lost = port.followed.at(0).second.lost;
  lost(error{errc::auth_failed, "The token has expired."});
  CHECK(port.sent.back() == R"({"type":"error","error":"The token has expired.","message":"The token has expired."})");
}
