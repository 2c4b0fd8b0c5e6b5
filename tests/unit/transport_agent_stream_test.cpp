#include "tests/unit/transport_dialect_test.hpp"
#include "transport/dialects/agent_stream.hpp"

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

const run_id second_run{{1, 2}};

stage started(transport::encoder_kind kind = transport::encoder_kind::agent_stream) {
  stage s(kind);
  s(session_created{{"demo"}, {"guide"}, "agent-stream", {}, {}, {}});
  s(message_added{question, role::user, "hi", {}, {}});
  s(run_started{run, question, reply, {}, {"guide"}, 0, {}});
  s(step_started{run, 1, reply, "p", "m"});
  return s;
}

usage_recorded usage(std::int64_t prompt, std::int64_t completion) {
  return {run, 1, "p", "m", {prompt, 0, completion}, {0}, false, {}, {}, 1};
}
tool_started call(const char* id, const char* tool) { return {run, {id}, tool, R"({"path":"a"})", effect::once}; }
tool_completed outcome(const char* id, bool ok, const char* output) { return {run, {id}, "t", ok, output, 3}; }
approval_requested asks(const char* id, std::uint64_t n) {
  return {run, {{4, n}}, {id}, "delete_file", R"({"path":"a"})", approval_kind::tool, "high", millis{1000}};
}
message_completed asked_for_tools() { return {run, 1, reply, "", {}, finish_reason::tool_calls, false}; }

std::string content_of(const std::string& frame) { return std::string(json::parse(frame).at("content").as_string()); }

/// A client of `guide` in project `demo`, and what its session's events tell it.
struct client {
  recording_port port;
  std::unique_ptr<transport::client_protocol> protocol;
  seq_t seq = 0;

  explicit client(std::string agent = "guide", std::string session = {}) {
    port.settings = transport_test::demo_settings();
    protocol = transport::make_agent_stream(port, {std::move(agent), {"demo"}, std::move(session)});
    protocol->on_open();
  }
  void say(std::string_view text) { protocol->on_message(text, true); }
  void see(event_payload payload) {
    ++seq;
    auto observe = port.followed.back().second.observe;
    observe({seq, seq, millis{0}, std::move(payload)});
  }
  [[nodiscard]] std::vector<send_message> sent() const {
    std::vector<send_message> out;
    for (const auto& [session, command] : port.submitted)
      if (const auto* m = std::get_if<send_message>(&command)) out.push_back(*m);
    return out;
  }
  void accept(run_id id, std::uint32_t position = 0) { port.on_done(command_reply{message_accepted{id, question, position}}); }
  void start(run_id id) { see(run_started{id, question, reply, {}, {"guide"}, 0, {}}); }
  void park(run_id id) {
    see(step_started{id, 1, reply, "p", "m"});
    see(message_completed{id, 1, reply, "", {}, finish_reason::tool_calls, false});
    see(tool_started{id, {"c1"}, "delete_file", "{}", effect::once});
    see(approval_requested{id, {{4, 1}}, {"c1"}, "delete_file", "{}", approval_kind::tool, "high", millis{1000}});
  }
  void decide(run_id id) { see(approval_decided{id, {{4, 1}}, {"c1"}, decision::approved, "ana", {}, {}}); }
  void complete(run_id id) { see(run_completed{id, reply, {}, {}, {}, 1}); }
};

}  // namespace

TEST_CASE("agent-stream: a plain turn is a token per piece, then done with the turn's tokens") {
  auto s = started();
  CHECK(s(text_delta{reply, pieces({"Hel", "lo \"x\"\n"})}) ==
        words{R"({"type":"token","content":"Hel"})", R"({"type":"token","content":"lo \"x\"\n"})"});
  s(message_completed{run, 1, reply, "Hello", {}, finish_reason::stop, false});
  CHECK(s(usage(150, 45)).empty());
  CHECK(s(run_completed{run, reply, {}, {150, 0, 45}, {}, 1}) ==
        words{R"({"type":"done","tokens":{"prompt":150,"completion":45,"total":195}})"});
}

TEST_CASE("agent-stream: done has its numbers where the turn cost nothing") {
  auto s = started();
  CHECK(s(run_completed{run, reply, {}, {}, {}, 1}) ==
        words{R"({"type":"done","tokens":{"prompt":0,"completion":0,"total":0}})"});
}

TEST_CASE("agent-stream: reasoning comes as tokens, unless it is not wanted") {
  auto all = started();
  CHECK(all(reasoning_delta{reply, pieces({"Hm"})}) == words{R"({"type":"token","content":"Hm"})"});
  auto quiet = started(transport::encoder_kind::agent_stream_quiet);
  CHECK(quiet(reasoning_delta{reply, pieces({"Hm"})}).empty());
  CHECK(quiet(text_delta{reply, pieces({"Yes"})}) == words{R"({"type":"token","content":"Yes"})"});
}

TEST_CASE("agent-stream: a call's input is JSON text, its result is text") {
  auto s = started();
  CHECK(s(call("c1", "grep_file")) == words{R"({"type":"tool_start","tool":"grep_file","input":"{\"path\":\"a\"}"})"});
  struct row {
    bool ok;
    const char* output;
    const char* result;
  };
  auto r = GENERATE(values<row>({{true, R"({"n":5})", R"({"type":"tool_end","result":"{\"n\":5}"})"},
                                 {true, "", R"({"type":"tool_end","result":""})"},
                                 {false, "No such file", R"({"type":"tool_end","result":"Error: No such file"})"},
                                 {false, "Tool not found: x", R"({"type":"tool_end","result":"Tool not found"})"}}));
  CHECK(s(outcome("c1", r.ok, r.output)) == words{r.result});
}

TEST_CASE("agent-stream: parallel calls are shown one after another") {
  auto s = started();
  CHECK(s.types(call("c1", "a")) == words{"tool_start"});
  CHECK(s.types(call("c2", "b")).empty());
  CHECK(s.types(outcome("c2", true, "2")).empty());
  CHECK(s.types(outcome("c1", true, "1")) == words{"tool_end", "tool_start", "tool_end"});
}

TEST_CASE("agent-stream: an approval is a line of text and done, the decision streams the rest") {
  auto s = started();
  s(asked_for_tools());
  s(usage(100, 10));
  CHECK(s.types(call("c1", "delete_file")) == words{"tool_start"});
  auto parked = s(asks("c1", 1));
  REQUIRE(parked.size() == 2);
  auto line = content_of(parked[0]);
  CHECK(line.find("delete_file") != std::string::npos);
  CHECK(line.find(approval_id{{4, 1}}.str()) != std::string::npos);
  CHECK(parked[1] == R"({"type":"done","tokens":{"prompt":100,"completion":10,"total":110}})");
  SECTION("who attaches now is shown the line, and that the turn rests") {
    auto cards = s.open_cards();
    REQUIRE(cards.size() == 2);
    CHECK(content_of(cards[0]) == line);
    CHECK(cards[1] == R"({"type":"done","tokens":{"prompt":0,"completion":0,"total":0}})");
  }
  CHECK(s.types(approval_decided{run, {{4, 1}}, {"c1"}, decision::approved, "ana", {}, {}}).empty());
  CHECK(s.types(outcome("c1", true, "gone")) == words{"tool_end"});
  s(step_started{run, 2, reply, "p", "m"});
  s(usage(200, 20));
  CHECK(s(run_completed{run, reply, {}, {300, 0, 30}, {}, 2}) ==
        words{R"({"type":"done","tokens":{"prompt":200,"completion":20,"total":220}})"});
  CHECK(s.open_cards().empty());
}

TEST_CASE("agent-stream: two calls that both ask are asked one after the other") {
  auto s = started();
  s(asked_for_tools());
  CHECK(s.types(call("c1", "delete_file")) == words{"tool_start"});
  CHECK(s.types(call("c2", "delete_file")).empty());
  CHECK(s.types(asks("c1", 1)) == words{"token"});
  CHECK(s.types(asks("c2", 2)) == words{"done"});
  CHECK(s.types(approval_decided{run, {{4, 1}}, {"c1"}, decision::denied, "ana", {}, {}}).empty());
  CHECK(s.types(outcome("c1", false, "denied")) == words{"tool_end", "tool_start", "token", "done"});
}

TEST_CASE("agent-stream: how a run that does not complete ends") {
  auto s = started();
  SECTION("model failure: the error, and no done") {
    CHECK(s(run_failed{run, errc::provider_error, "boom", 1}) == words{R"({"type":"error","content":"boom"})"});
  }
  SECTION("iteration limit: its text, and done") {
    CHECK(s.types(run_failed{run, errc::iteration_limit, "limit", 1}) == words{"token", "done"});
  }
  SECTION("stopped: done") { CHECK(s.types(run_cancelled{run, "ana", true}) == words{"done"}); }
  SECTION("another run was taken out of the queue: nothing") {
    CHECK(s.types(run_cancelled{second_run, "ana", false}).empty());
  }
}

TEST_CASE("agent-stream: an unknown agent is told, then the socket closes") {
  auto agent = GENERATE("nobody", "demo/nobody", "nowhere/guide", "/guide", "guide/", "");
  client c(agent);
  CHECK(c.port.sent == words{R"({"type":"error","content":"Agent not found"})"});
  CHECK(c.port.closed == 1000);
}

TEST_CASE("agent-stream: an agent of any project may be named with its project") {
  client c("demo/guide");
  CHECK(c.port.sent.empty());
  CHECK(c.port.closed == 0);
}

TEST_CASE("agent-stream: nothing is sent or made before the first message, which makes the session") {
  client c;
  CHECK(c.port.sent.empty());
  CHECK(c.port.followed.empty());
  c.say(R"({"message":"hi"})");
  REQUIRE(c.port.submitted.size() == 2);
  const auto& opened = std::get<open_session>(c.port.submitted[0].second);
  CHECK(opened.dialect == "agent-stream");
  CHECK(opened.agent.str() == "guide");
  CHECK(c.sent()[0].content == "hi");
  REQUIRE(c.port.followed.size() == 1);
  CHECK(c.port.followed[0].second.kind == transport::encoder_kind::agent_stream);
}

TEST_CASE("agent-stream: what is not a JSON object is the message itself") {
  struct row {
    const char* frame;
    const char* content;
  };
  auto r = GENERATE(values<row>({{"hello", "hello"},
                                 {"[1]", "[1]"},
                                 {"\"quoted\"", "\"quoted\""},
                                 {"5", "5"},
                                 {"null", "null"},
                                 {"{\"message\":", "{\"message\":"},
                                 {"", ""},
                                 {"{}", ""},
                                 {R"({"message":""})", ""},
                                 {R"({"other":1})", ""}}));
  client c;
  c.say(r.frame);
  REQUIRE(c.sent().size() == 1);
  CHECK(c.sent()[0].content == r.content);
  CHECK(c.port.closed == 0);
}

TEST_CASE("agent-stream: a message that is no text, or a binary frame, is an error and closes") {
  client c;
  SECTION("null") { c.say(R"({"message":null})"); }
  SECTION("number") { c.say(R"({"message":5})"); }
  SECTION("binary") { c.protocol->on_message("hi", false); }
  REQUIRE(c.port.sent.size() == 1);
  CHECK(json::parse(c.port.sent[0]).at("type").as_string() == "error");
  CHECK(c.port.closed == 1000);
  c.say("too late");
  CHECK(c.port.submitted.empty());
}

TEST_CASE("agent-stream: frames during a turn run afterwards, in order, one at a time") {
  client c;
  c.say("one");
  c.say("two");
  c.say("three");
  CHECK(c.sent().size() == 1);
  SECTION("the answer to the command comes first") {
    c.accept(run);
    c.start(run);
    c.complete(run);
  }
  SECTION("the whole run is seen before the command is answered") {
    c.start(run);
    c.complete(run);
    CHECK(c.sent().size() == 1);
    c.accept(run);
  }
  REQUIRE(c.sent().size() == 2);
  CHECK(c.sent()[1].content == "two");
  c.accept(second_run);
  c.start(second_run);
  CHECK(c.sent().size() == 2);
  c.complete(second_run);
  REQUIRE(c.sent().size() == 3);
  CHECK(c.sent()[2].content == "three");
}

TEST_CASE("agent-stream: too many waiting messages are refused, and the socket stays open") {
  client c;
  auto agent = std::make_shared<agent_config>(*c.port.settings.find_agent({}, {}));
  c.say("at work");
  for (std::uint32_t i = 0; i < agent->limits.max_queue; ++i) c.say("waits");
  CHECK(c.port.sent.empty());
  c.say("one too many");
  CHECK(c.port.sent.size() == 1);
  CHECK(c.port.closed == 0);
}

TEST_CASE("agent-stream: include_reasoning false is for its turn, the frames go on where they were") {
  client c;
  c.say(R"({"message":"a","include_reasoning":false})");
  CHECK(c.port.followed.back().second.kind == transport::encoder_kind::agent_stream_quiet);
  c.port.attach(session_record{});
  c.accept(run);
  c.start(run);
  c.say("b");
  c.complete(run);
  REQUIRE(c.port.followed.size() == 2);
  CHECK(c.port.followed[1].second.kind == transport::encoder_kind::agent_stream);
  CHECK(c.port.followed[1].second.after == seq_t{7});
  CHECK(c.sent().size() == 2);
}

TEST_CASE("agent-stream: a failed run of its own closes the socket, a refused message does not") {
  client c;
  c.say("a");
  SECTION("failed") {
    c.accept(run);
    c.start(run);
    c.see(run_failed{run, errc::provider_error, "boom", 1});
    CHECK(c.port.closed == 1000);
    CHECK(c.port.sent.empty());  // the encoder has sent the error
  }
  SECTION("failed while the client lags: the error is not lost") {
    c.accept(run);
    c.seq = 40;  // the port has sent it 7
    c.start(run);
    c.see(run_failed{run, errc::provider_error, "boom", 1});
    CHECK(c.port.closed == 1000);
    CHECK(c.port.sent == words{R"({"type":"error","content":"boom"})"});
  }
  SECTION("somebody else's run failed") {
    c.accept(run);
    c.start(run);
    c.complete(run);
    c.start(second_run);
    c.see(run_failed{second_run, errc::provider_error, "boom", 1});
    CHECK(c.port.closed == 0);
  }
  SECTION("iteration limit") {
    c.accept(run);
    c.start(run);
    c.see(run_failed{run, errc::iteration_limit, "limit", 4});
    CHECK(c.port.closed == 0);
    c.say("b");
    CHECK(c.sent().size() == 2);
  }
  SECTION("refused") {
    c.port.on_done(error{errc::session_closed, "The session is closed."});
    CHECK(c.port.sent == words{R"({"type":"error","content":"The session is closed."})"});
    CHECK(c.port.closed == 0);
    c.say("b");
    CHECK(c.sent().size() == 2);
  }
  SECTION("taken out of the queue") {
    c.accept(run, 1);
    c.see(run_dequeued{run, question});
    CHECK(c.port.sent.size() == 1);
    c.say("b");
    CHECK(c.sent().size() == 2);
  }
}

TEST_CASE("agent-stream: capacity is held by turns, over all sockets") {
  auto gate = std::make_shared<transport::turn_gate>(1);
  client one;
  client two;
  one.port.gate = two.port.gate = gate;
  one.say("a");
  one.accept(run);
  one.start(run);
  two.say("b");
  CHECK(two.sent().empty());
  CHECK(two.port.followed.empty());  // nothing is made for a turn that may never come
  SECTION("the end of a turn lets the next go") {
    one.complete(run);
    CHECK(two.sent().size() == 1);
  }
  SECTION("so does a failure, and a client that leaves") {
    one.see(run_failed{run, errc::provider_error, "boom", 1});
    CHECK(two.sent().size() == 1);
  }
  SECTION("so does a run that waits for a person; the decision sets it going at once") {
    one.park(run);
    CHECK(two.sent().size() == 1);
    one.decide(run);
    client three;
    three.port.gate = gate;
    three.say("c");
    two.accept(second_run);
    two.start(second_run);
    two.complete(second_run);
    CHECK(three.sent().empty());
    one.complete(run);
    CHECK(three.sent().size() == 1);
  }
  SECTION("a client that leaves while it waits is forgotten") {
    two.protocol = nullptr;
    one.complete(run);
    CHECK(two.sent().empty());
    CHECK(gate->waiting() == 0);
    CHECK(gate->enter_now(1));
  }
}

TEST_CASE("agent-stream: a message waits without a slot for somebody else's run in its session") {
  auto gate = std::make_shared<transport::turn_gate>(1);
  client c;
  c.port.gate = gate;
  c.say("a");
  c.accept(run);
  c.start(run);
  c.complete(run);
  SECTION("that it knows of: it is not sent before") {
    c.start(second_run);
    c.say("b");
    CHECK(c.sent().size() == 1);
    c.complete(second_run);
    CHECK(c.sent().size() == 2);
  }
  SECTION("that it did not know of: it waits in the session's queue") {
    c.say("b");
    c.accept(second_run, 1);
    client other;
    other.port.gate = gate;
    other.say("c");
    CHECK(other.sent().size() == 1);
  }
}

TEST_CASE("agent-stream: a slot is kept between the answer to the command and the start of its run") {
  auto gate = std::make_shared<transport::turn_gate>(1);
  client one;
  client two;
  one.port.gate = two.port.gate = gate;
  one.say("a");
  two.say("b");
  one.accept(run);
  one.see(message_added{question, role::user, "a", {}, {}});
  CHECK(two.sent().empty());
}

TEST_CASE("agent-stream: ?session= attaches to a session by any of its names") {
  client c("guide", "my chat");
  REQUIRE(c.port.resolved == words{"my chat"});
  c.say("early");
  CHECK(c.port.submitted.empty());
  session_id id{{7, 8}};
  SECTION("found") {
    c.port.on_resolved(id);
    REQUIRE(c.port.followed.size() == 1);
    CHECK(c.port.followed[0].first == id);
    CHECK(c.port.followed[0].second.must_exist);
    c.port.attach(session_record{});
    CHECK(c.port.entered == std::vector<session_id>{id});
    REQUIRE(c.port.submitted.size() == 1);
    CHECK(c.port.submitted[0].first == id);
    CHECK(c.sent()[0].content == "early");
  }
  SECTION("not there") {
    c.port.on_resolved(error{errc::not_found, "Session not found: my chat"});
    CHECK(c.port.sent == words{R"({"type":"error","content":"Session not found: my chat"})"});
    CHECK(c.port.closed == 1000);
  }
  SECTION("not visible") {
    c.port.on_resolved(id);
    c.port.attach(error{errc::not_found, "Session not found"});
    CHECK(c.port.closed == 1000);
    CHECK(c.port.submitted.empty());
  }
}

TEST_CASE("agent-stream: limits are told and cost nothing, credentials that ended end the socket") {
  client c;
  c.protocol->on_refused({errc::rate_limited, "slow down"});
  CHECK(c.port.sent == words{R"({"type":"error","content":"slow down"})"});
  CHECK(c.port.closed == 0);
  c.protocol->on_refused({errc::auth_failed, "expired"});
  CHECK(c.port.closed == 1000);
}
