// Calls of a session: ids, progress, questions of both eras, ends.
#include "tests/unit/tools_mcp_talk.hpp"

using namespace mcp_test;

TEST_CASE("mcp session: calls have ids and progress tokens of their own, what belongs to none is ignored") {
  talk t;
  t.legacy();
  t.begin(1);
  auto first = t.last();
  CHECK(first.at("params").at("_meta").at("progressToken") == first.at("id"));
  CHECK(first.at("params").at("arguments").at("a") == 1);
  t.begin(2);
  CHECK(t.last().at("id") != first.at("id"));
  auto one = json::serialize(first.at("id"));
  auto progress = [&](const std::string& token, const std::string& rest) {
    t.hear(R"({"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":)" + token + rest + "}}");
  };
  progress(one, R"(,"progress":1)");
  progress(one, R"(,"progress":2.5,"total":10,"message":"half")");
  progress(one, R"(,"message":"only words")");
  progress(one, "");
  progress("77", R"(,"progress":1)");
  progress("\"" + one + "\"", R"(,"progress":1)");
  t.hear(R"({"jsonrpc":"2.0","id":5000,"result":{}})");
  t.hear(R"({"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"what?"}})");
  REQUIRE(t.events.size() == 3);
  CHECK(t.events[0].text == "1");
  CHECK(t.events[1].text == "2.5 of 10: half");
  CHECK(t.events[2].text == "only words");
  CHECK(t.events[2].key == 1);
  auto answer = R"({"jsonrpc":"2.0","id":)" + one + R"(,"result":{"content":[]}})";
  t.hear(answer);
  t.hear(answer);
  REQUIRE(t.events.size() == 4);
  CHECK(t.events[3].is == call_event::kind::result);
  CHECK(t.s.open_calls() == 1);
}

TEST_CASE("mcp session: errors of a call say what the server said") {
  struct row {
    const char* error;
    const char* part;
  };
  auto r = GENERATE(
      row{R"({"code":-32602,"message":"bad city"})", "bad city (error -32602)"},
      row{R"({"code":-32020,"message":"header"})", "listed anew"},
      row{R"({"code":-32021,"message":"needs sampling"})", "does not offer"},
      row{R"({"code":-32042,"message":"sign in","data":{"elicitations":[{"url":"https://a.b/c","message":"Please"}]}})",
          "open https://a.b/c first: Please"});
  talk t;
  t.modern();
  t.begin(1);
  t.error(r.error);
  REQUIRE(t.events.size() == 1);
  CHECK(t.events[0].is == call_event::kind::refused);
  CHECK_THAT(t.events[0].text, Contains(r.part));
  CHECK(t.changes == (std::string(r.error).find("-32020") == std::string::npos ? 0 : 1));
}

TEST_CASE("mcp session: cancelling says so in the way of transport and era, and nothing is heard afterwards") {
  bool is_http = GENERATE(false, true);
  bool is_modern = GENERATE(false, true);
  talk t(is_http ? http() : session_options());
  is_modern ? t.modern() : t.legacy();
  t.begin(1);
  auto id = t.last_id();
  t.s.cancel(1);
  t.s.cancel(1);
  t.settle();
  bool says = t.sent.back().method == "notifications/cancelled";
  CHECK(says == !(is_http && is_modern));
  if (says) CHECK(t.last().at("params").at("requestId") == id);
  CHECK(t.abandoned == (is_http ? std::vector<std::int64_t>{id} : std::vector<std::int64_t>{}));
  t.hear(R"({"jsonrpc":"2.0","id":)" + std::to_string(id) + R"(,"result":{"content":[]}})");
  CHECK(t.events.empty());
}

TEST_CASE("mcp session: a legacy question goes to the call that asks, and back") {
  talk t;
  t.legacy();
  t.begin(1);
  t.hear(R"({"jsonrpc":"2.0","id":"q1","method":"elicitation/create","params":)" + form + "}");
  t.hear(R"({"jsonrpc":"2.0","id":"q2","method":"elicitation/create","params":)" + form + "}");
  REQUIRE(t.events.size() == 1);  // one at a time
  CHECK(t.events[0].is == call_event::kind::question);
  CHECK(t.events[0].ask.text == "The MCP server `files` asks: Which color?");
  SECTION("answers") {
    t.s.answer(1, {true, {{"color", "red"}}});
    t.s.answer(1, {false, {}});
    t.s.answer(1, {true, {}});  // nobody asked
    t.settle();
    CHECK(t.events.size() == 2);
    CHECK(t.sent[t.sent.size() - 2].text ==
          R"({"id":"q1","result":{"action":"accept","content":{"color":"red"}},"jsonrpc":"2.0"})");
    CHECK(t.sent.back().text == R"({"id":"q2","result":{"action":"decline"},"jsonrpc":"2.0"})");
  }
  SECTION("the call is given up") {
    t.s.cancel(1);
    t.settle();
    auto n = t.sent.size();
    CHECK(json::parse(t.sent[n - 3].text).at("result").at("action") == "cancel");
    CHECK(json::parse(t.sent[n - 2].text).at("id") == "q2");
    CHECK(t.sent[n - 1].method == "notifications/cancelled");
  }
  SECTION("the call ends first") {
    t.result(R"({"content":[]})");
    CHECK(json::parse(t.sent.back().text).at("result").at("action") == "cancel");
    CHECK(t.events.back().is == call_event::kind::result);
  }
}

TEST_CASE("mcp session: whose question it is: the stream's, else the only owner's, else nobody's") {
  talk t(http());
  t.legacy();
  t.begin(1, "ann");
  auto ann = t.last_id();
  t.begin(2, "bob");
  auto ask = R"({"jsonrpc":"2.0","id":7,"method":"elicitation/create","params":)" + form + "}";
  t.hear(ask, ann);
  REQUIRE(t.events.size() == 1);
  CHECK(t.events[0].key == 1);
  t.hear(ask, 0);
  CHECK(t.events.size() == 1);
  CHECK(json::parse(t.sent.back().text).at("result").at("action") == "cancel");
  t.s.cancel(1);
  t.begin(3, "bob");
  t.hear(ask, 0);
  REQUIRE(t.events.size() == 2);
  CHECK(t.events[1].key == 3);
  t.s.cancel(2);
  t.s.cancel(3);
  t.hear(ask, 0);
  CHECK(t.notes.size() == 2);
}

TEST_CASE("mcp session: a modern question repeats the call with a new id, all answers and the state as it was") {
  talk t;
  t.modern();
  t.begin(1);
  auto first = t.last_id();
  t.result(R"({"resultType":"input_required","requestState":{"opaque":[1]},"inputRequests":{
      "a":{"method":"elicitation/create","params":)" +
           form + R"(},
      "b":{"method":"elicitation/create","params":{"mode":"url","message":"Sign in","url":"https://x.example/y"}}}})");
  REQUIRE(t.events.size() == 1);
  t.s.answer(1, {true, {{"color", "red"}}});
  t.settle();
  REQUIRE(t.events.size() == 2);
  CHECK_THAT(t.events[1].ask.text, Contains("`x.example`"));
  CHECK(t.sent.back().request == first);  // not before all are answered
  t.s.answer(1, {true, {{"ignored", 1}}});
  t.settle();
  auto again = t.last();
  CHECK(again.at("id") != first);
  CHECK(json::serialize(again.at("params").at("inputResponses")) ==
        R"({"a":{"action":"accept","content":{"color":"red"}},"b":{"action":"accept"}})");
  CHECK(json::serialize(again.at("params").at("requestState")) == R"({"opaque":[1]})");
  CHECK(again.at("params").at("arguments").at("a") == 1);
  t.result(R"({"resultType":"input_required","requestState":"s"})");  // only state: at once
  CHECK(t.last().at("params").at("requestState") == "s");
  CHECK_FALSE(t.last().at("params").as_object().contains("inputResponses"));
  t.result(R"({"resultType":"complete","content":[]})");
  CHECK(t.events.back().is == call_event::kind::result);
}

TEST_CASE("mcp session: what a server may not ask ends the modern call and is refused in the legacy one") {
  struct row {
    const char* request;
    const char* part;
  };
  auto r = GENERATE(
      row{R"({"method":"sampling/createMessage","params":{}})", "sampling/createMessage"},
      row{R"({"method":"roots/list"})", "roots/list"},
      row{R"({"method":"elicitation/create","params":{"message":"m"}})", "requestedSchema"},
      row{R"({"method":"elicitation/create","params":{"mode":"video","message":"m"}})", "modes are"},
      row{R"({"method":"elicitation/create","params":{"mode":"url","message":"m","url":"javascript:alert"}})", "http or https"},
      row{R"({"method":"elicitation/create","params":{"message":"m","requestedSchema":{"type":"array"}}})", "object"});
  CAPTURE(r.request);
  talk m;
  m.modern();
  m.begin(1);
  m.result(R"({"resultType":"input_required","inputRequests":{"q":)" + std::string(r.request) + "}}");
  REQUIRE(m.events.size() == 1);
  CHECK(m.events[0].is == call_event::kind::refused);
  CHECK_THAT(m.events[0].text, Contains(r.part));
  talk l;
  l.legacy();
  l.begin(1);
  l.hear(R"({"jsonrpc":"2.0","id":3,)" + std::string(r.request).substr(1));
  CHECK(l.events.empty());
  CHECK_THAT(l.sent.back().text, Contains("\"error\":") && Contains(r.part));
}

TEST_CASE("mcp session: rounds and questions are bounded") {
  talk t;
  t.modern();
  t.begin(1);
  SECTION("rounds") {
    for (int i = 0; t.events.empty() && i < 100; ++i) t.result(R"({"resultType":"input_required","requestState":"s"})");
    CHECK_THAT(t.events.at(0).text, Contains("10 times"));
  }
  SECTION("questions") {
    std::string many;
    for (int i = 0; i < 9; ++i)
      many += (i == 0 ? "\"" : ",\"") + std::to_string(i) + R"(":{"method":"elicitation/create","params":)" + form + "}";
    t.result(R"({"resultType":"input_required","inputRequests":{)" + many + "}}");
    CHECK_THAT(t.events.at(0).text, Contains("more than 8 questions"));
  }
  SECTION("neither questions nor state") {
    t.result(R"({"resultType":"input_required"})");
    CHECK_THAT(t.events.at(0).text, Contains("without saying which"));
  }
  SECTION("another type of result") {
    t.result(R"({"resultType":"perhaps"})");
    CHECK(t.events.at(0).is == call_event::kind::lost);
  }
}

TEST_CASE("mcp session: pings are answered, unknown requests refused, unknown notifications ignored") {
  talk t;
  t.legacy();
  t.hear(R"({"jsonrpc":"2.0","id":"p","method":"ping"})");
  CHECK(t.sent.back().text == R"({"id":"p","result":{},"jsonrpc":"2.0"})");
  t.hear(R"({"jsonrpc":"2.0","id":9,"method":"tasks/list"})");
  CHECK_THAT(t.sent.back().text, Contains("-32601") && Contains("\"id\":9"));
  auto n = t.sent.size();
  t.hear(R"({"jsonrpc":"2.0","method":"notifications/whatever","params":{"a":1}})");
  CHECK(t.sent.size() == n);
  talk m(http());
  m.modern();
  n = m.sent.size();
  m.hear(R"({"jsonrpc":"2.0","id":"p","method":"ping"})", 1);  // neither is allowed there, nor an answer
  CHECK(m.sent.size() == n);
}

TEST_CASE("mcp session: failures of HTTP requests end calls as what they are") {
  using kind = request_failure::kind;
  talk t(http());
  t.legacy();
  for (auto [how, end] : std::vector<std::pair<kind, call_event::kind>>{{kind::unreachable, call_event::kind::refused},
                                                                        {kind::refused, call_event::kind::refused},
                                                                        {kind::lost, call_event::kind::lost}}) {
    t.begin(1);
    t.s.request_failed(t.last_id(), {how, "because"});
    t.s.request_failed(t.last_id(), {how, "because"});
    t.settle();
    CHECK(t.events.back().is == end);
    CHECK(t.events.back().text == "because");
    CHECK(t.s.phase() == phase::ready);
  }
  CHECK(t.events.size() == 3);
  // The session is gone: begun anew once, both calls may be made again, and what is open otherwise does not suffer.
  t.begin(2);
  auto two = t.last_id();
  t.begin(3);
  auto three = t.last_id();
  t.s.request_failed(two, {kind::no_session, "gone", true});
  t.s.request_failed(three, {kind::no_session, "gone", false});
  t.settle();
  CHECK(t.s.phase() == phase::initializing);
  CHECK(t.sent.back().method == "initialize");
  CHECK(t.events.size() == 5);
  CHECK(t.events[3].is == call_event::kind::again);
  CHECK(t.events[4].is == call_event::kind::again);
  t.result(R"({"protocolVersion":"2025-06-18","capabilities":{"tools":{}}})");
  t.result(talk::tools);
  CHECK(t.s.phase() == phase::ready);
  CHECK(t.listed.size() == 2);
}
