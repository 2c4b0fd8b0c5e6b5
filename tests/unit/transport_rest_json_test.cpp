#include "transport/rest/rest_json.hpp"

#include "transport/rest/home_page.hpp"

#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>

using namespace troupe;
namespace json = boost::json;

namespace {

template <class Id>
Id id(std::uint64_t n) {
  return Id{core::uuid{0, n}};
}

core::approval_record pending_approval() {
  core::approval_record a;
  a.id = id<core::approval_id>(1);
  a.project = {"demo"};
  a.agent = {"guide"};
  a.session = id<core::session_id>(2);
  a.run = id<core::run_id>(3);
  a.call = {"call_1"};
  a.tool = "delete_file";
  a.action = R"({"path":"a.txt"})";
  a.risk = "high";
  a.created_at = core::millis{1'700'000'000'123};
  a.expires_at = core::millis{1'700'000'060'000};
  return a;
}

core::message_record assistant(std::uint64_t run, std::int64_t at, std::vector<core::tool_call> calls) {
  core::message_record m;
  m.id = id<core::message_id>(static_cast<std::uint64_t>(at));
  m.run = id<core::run_id>(run);
  m.role = core::role::assistant;
  m.calls = std::move(calls);
  m.created_at = core::millis{at};
  return m;
}

core::tool_call_record call_result(std::uint64_t run, std::string call, std::int64_t at, std::string output) {
  core::tool_call_record r;
  r.id = {std::move(call)};
  r.run = id<core::run_id>(run);
  r.started_at = core::millis{at};
  r.ok = true;
  r.output = std::move(output);
  r.ms = 7;
  return r;
}

}  // namespace

TEST_CASE("approval json: a pending one has every field, the undecided ones null") {
  auto o = transport::approval_json(pending_approval());
  CHECK(o.at("status") == "pending");
  CHECK(o.at("toolId") == "delete_file");
  CHECK(o.at("toolCallId") == "call_1");
  CHECK(o.at("action").at("path") == "a.txt");
  CHECK(o.at("toolInput") == o.at("action"));
  CHECK(o.at("createdAt") == "2023-11-14T22:13:20.123Z");
  for (auto name : {"decidedBy", "decidedAt", "resolvedBy", "resolvedAt", "note", "editedInput", "choice", "answer", "choices",
                    "schema", "message", "argumentsHash", "originSessionId"})
    CHECK(o.at(name).is_null());
  CHECK(o.at("kind") == "tool");
  CHECK(o.at("requiredApprovals") == 1);
  CHECK(o.at("endorsedBy").as_array().empty());
  CHECK(o.at("sessionId") == "00000000-0000-0000-0000-000000000002");
}

TEST_CASE("approval json: a decided one tells who and when under both names") {
  auto a = pending_approval();
  a.decision = core::decision::denied;
  a.decided_by = "ana";
  a.note = "no";
  a.decided_at = core::millis{1'700'000'001'000};
  auto o = transport::approval_json(a);
  CHECK(o.at("status") == "denied");
  CHECK(o.at("decidedBy") == "ana");
  CHECK(o.at("resolvedBy") == "ana");
  CHECK(o.at("resolvedAt") == o.at("decidedAt"));
  CHECK(o.at("note") == "no");
}

TEST_CASE("approval json: questions, unknown outcomes and sub-agents show what they are about") {
  auto a = pending_approval();
  a.kind = core::approval_kind::input;
  a.prompt = "Which region?";
  a.schema = R"({"type":"object"})";
  a.answer = R"({"region":"eu"})";
  a.arguments_hash = "abc";
  a.deciders = 2;
  a.endorsed_by = {"ana"};
  a.origin = id<core::session_id>(9);
  auto o = transport::approval_json(a);
  CHECK(o.at("schema").at("type") == "object");
  CHECK(o.at("answer").at("region") == "eu");
  CHECK(o.at("message") == "Which region?");
  CHECK(o.at("argumentsHash") == "abc");
  CHECK(o.at("requiredApprovals") == 2);
  CHECK(o.at("endorsedBy") == json::array{"ana"});
  CHECK(o.at("originSessionId") == "00000000-0000-0000-0000-000000000009");
  a.kind = core::approval_kind::outcome_unknown;
  a.choice = core::outcome_choice::retry;
  a.edited_input = R"({"path":"b"})";
  o = transport::approval_json(a);
  CHECK(o.at("choices") == json::array{"retry", "done", "failed"});
  CHECK(o.at("choice") == "retry");
  CHECK(o.at("editedInput").at("path") == "b");
}

TEST_CASE("grant json: it is active until it expires or is revoked") {
  core::grant_record g;
  g.grant = {id<core::grant_id>(5), core::grant_scope::agent, "deploy", "", core::millis{2000}, "ana", {}};
  CHECK(transport::grant_json(g, core::millis{1999}).at("status") == "active");
  CHECK(transport::grant_json(g, core::millis{2000}).at("status") == "expired");
  CHECK(transport::grant_json(g, core::millis{0}).at("when").as_array().empty());
  g.grant.when = R"([{"argument":"/to","equals":"test"}])";
  g.revoked_at = core::millis{1500};
  g.revoked_by = "eva";
  auto o = transport::grant_json(g, core::millis{1600});
  CHECK(o.at("status") == "revoked");
  CHECK(o.at("revokedBy") == "eva");
  CHECK(o.at("scope") == "agent");
  CHECK(o.at("when").at(0).at("argument") == "/to");
}

TEST_CASE("tool call json: a long output has its size, a sub-agent its session and cost") {
  auto c = call_result(1, "c1", 10, "begin");
  CHECK(transport::tool_call_json(c).at("outputBytes") == 5);
  CHECK(transport::tool_call_json(c).at("isCut") == false);
  c.output_bytes = 100'000;
  c.child = id<core::session_id>(7);
  c.cost = {1'500'000};
  auto o = transport::tool_call_json(c);
  CHECK(o.at("isCut") == true);
  CHECK(o.at("outputBytes") == 100'000);
  CHECK(o.at("childSessionId") == "00000000-0000-0000-0000-000000000007");
  CHECK(o.at("cost") == 1.5);
  c.ok.reset();
  CHECK(transport::tool_call_json(c).at("success").is_null());
  auto m = transport::messages_json({assistant(1, 10, {{{"c1"}, "delegate", "{}"}})}, {c});
  CHECK(m.at(0).at("toolCalls").at(0).at("childSessionId") == "00000000-0000-0000-0000-000000000007");
}

TEST_CASE("lost decision: the error names the winner, with and without a name and a note") {
  core::approval_settled w{id<core::approval_id>(1), core::decision::approved, "ana", "fine", false};
  auto e = transport::lost_decision(w);
  CHECK(e.code == core::errc::approval_not_pending);
  CHECK(e.text == "The approval was settled before: approved by ana (fine).");
  CHECK(transport::winner_json(w, nullptr).at("resolvedBy") == "ana");
  CHECK_FALSE(transport::winner_json(w, nullptr).contains("resolvedAt"));
  auto stored = pending_approval();
  stored.decided_at = core::millis{1'700'000'001'000};
  CHECK(transport::winner_json(w, &stored).at("resolvedAt") == "2023-11-14T22:13:21.000Z");
  w.choice = core::outcome_choice::done;
  CHECK(transport::winner_json(w, nullptr).at("choice") == "done");
  w.by.clear();
  w.note.clear();
  CHECK(transport::lost_decision(w).text == "The approval was settled before: approved.");
  CHECK_FALSE(transport::winner_json(w, nullptr).contains("note"));
}

TEST_CASE("messages json: each call gets the result of its own message") {
  std::vector<core::message_record> messages{assistant(1, 10, {{{"c"}, "clock", "{}"}}),
                                             assistant(1, 20, {{{"c"}, "clock", "{}"}}),
                                             assistant(2, 30, {{{"c"}, "clock", "not json"}})};
  std::vector<core::tool_call_record> results{call_result(1, "c", 11, "first"), call_result(1, "c", 20, R"({"n":2})")};
  auto all = transport::messages_json(messages, results);
  REQUIRE(all.size() == 3);
  auto call = [&](std::size_t i) { return all[i].at("toolCalls").at(0).as_object(); };
  CHECK(call(0).at("output") == "first");
  CHECK(call(1).at("output").at("n") == 2);
  CHECK(call(1).at("success") == true);
  CHECK(call(1).at("durationMs") == 7);
  CHECK(call(2).at("output").is_null());
  CHECK(call(2).at("success").is_null());
  CHECK(call(2).at("input") == "not json");
}

TEST_CASE("messages json: the second page finds its results although the first has the same call id") {
  auto all = transport::messages_json({assistant(1, 20, {{{"c"}, "clock", "{}"}})},
                                      {call_result(1, "c", 11, "first"), call_result(1, "c", 21, "second")});
  CHECK(all.at(0).at("toolCalls").at(0).at("output") == "second");
}

TEST_CASE("messages json: ids that are not there are null and content is text") {
  core::message_record m;
  m.content = "hola";
  auto all = transport::messages_json({m}, {});
  CHECK(all.at(0).at("runId").is_null());
  CHECK(all.at(0).at("role") == "user");
  CHECK(all.at(0).at("content") == "hola");
  CHECK(all.at(0).at("toolCalls").as_array().empty());
  CHECK_FALSE(all.at(0).as_object().contains("clientMessageId"));
}

TEST_CASE("messages json: who wrote them, what they bring and how they were received") {
  core::message_record m;
  m.author = "u1";
  m.author_name = "Ana";
  m.client_message_id = "k";
  m.attachments = {{id<core::file_id>(9), "a.png", "image/png", 3}};
  m.reactions = {{"👍", "u2", "Eva"}, {"👍", {}, {}}};
  m.id = id<core::message_id>(7);
  m.feedback = {{core::rating::down, "too long", "u2", core::millis(1'000)}};
  auto o = transport::messages_json({m}, {}).at(0).as_object();
  CHECK(o.at("authorName") == "Ana");
  CHECK(o.at("clientMessageId") == "k");
  CHECK(json::serialize(o.at("attachments")) ==
        R"([{"fileId":")" + id<core::file_id>(9).str() + R"(","name":"a.png","contentType":"image/png","size":3}])");
  CHECK(o.at("reactions").at(0).at("username") == "Eva");
  CHECK(o.at("reactions").at(1).at("userId") == "anonymous");
  CHECK(o.at("feedback").at(0).at("rating") == "down");
  CHECK(o.at("feedback").at(0).at("note") == "too long");
  CHECK(o.at("feedback").at(0).at("messageId") == o.at("id"));
  m.client_message_id = "idem:0123";
  CHECK_FALSE(transport::messages_json({m}, {}).at(0).as_object().contains("clientMessageId"));
}

TEST_CASE("session json: metadata is an object and usage has all its numbers") {
  core::session_record s;
  s.cost = {1'500'000};
  s.tokens = {10, 2, 5};
  CHECK(transport::session_json(s).at("metadata").is_object());
  s.metadata = R"({"source":"test"})";
  auto o = transport::session_json(s);
  CHECK(o.at("metadata").at("source") == "test");
  CHECK(o.at("usage").at("costUsd") == 1.5);
  CHECK(o.at("usage").at("totalTokens") == 15);
  CHECK(o.at("status") == "active");
}

TEST_CASE("agent json: the instructions stay on the server") {
  core::agent_config a;
  a.id = {"guide"};
  a.project = {"demo"};
  a.instructions = "secret";
  a.tools = {"clock", "delete_file"};
  a.approval["delete_file"].policy = core::approval_policy::always;
  a.approval["clock"].rules.push_back({});
  auto o = transport::agent_json(a, true);
  CHECK(o.at("name") == "guide");
  CHECK(o.at("tools").as_array().size() == 2);
  CHECK(o.at("approval").at("delete_file") == "always");
  CHECK(o.at("approval").at("clock") == "by_rule");
  CHECK(o.at("limits").at("budgetUsd").is_null());
  CHECK(o.at("isDefault") == true);
  CHECK(json::serialize(o).find("secret") == std::string::npos);
}

TEST_CASE("tool json: the parameters are a schema, not its text") {
  auto o = transport::tool_json(
      {"clock", "Tells the time.", R"({"type":"object"})", core::effect::read_only, true, "builtin", "low"});
  CHECK(o.at("parameters").at("type") == "object");
  CHECK(o.at("effect") == "read_only");
  CHECK(o.at("riskLevel") == "low");
  CHECK(o.at("status") == "ready");
  CHECK(o.at("approval") == "always");
}

TEST_CASE("trace json: a run that goes on has no end and no duration") {
  core::span_record s;
  s.trace = {core::uuid{1, 2}};
  s.kind = "run";
  s.name = "guide";
  s.started_at = core::millis{1000};
  auto o = transport::trace_json(s, {"demo"});
  CHECK(o.at("id") == "00000000000000010000000000000002");
  CHECK(o.at("endedAt").is_null());
  CHECK(o.at("durationMs").is_null());
  s.ended_at = core::millis{1250};
  CHECK(transport::span_json(s).at("durationMs") == 250);
}

TEST_CASE("trace id: both spellings are read, others are not") {
  core::trace_id t{core::uuid{0x0123456789abcdef, 0xfedcba9876543210}};
  CHECK(transport::parse_trace_id(t.value.hex()) == t);
  CHECK(transport::parse_trace_id(t.str()) == t);
  CHECK_FALSE(transport::parse_trace_id("0123"));
  CHECK_FALSE(transport::parse_trace_id(std::string(32, 'g')));
}

TEST_CASE("home page: names from the configuration are text, never markup or placeholders") {
  core::config c;
  c.default_project = {"p"};
  core::agent_config a;
  a.id = {"a"};
  a.project = {"p"};
  a.name = "<script>alert(1)</script>\"@NONCE@";
  core::project_config p;
  p.id = {"p"};
  p.default_agent = {"a"};
  p.agents[a.id] = std::make_shared<const core::agent_config>(a);
  c.projects[p.id] = p;
  auto page = transport::home_page(c, "1.2.3", "n0nce");
  CHECK(page.find("<script>") == std::string::npos);
  CHECK(page.find("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#64;NONCE&#64;") != std::string::npos);
  CHECK(page.find("1.2.3") != std::string::npos);
  for (auto name : {"@SCRIPT@", "@NONCE@", "@VERSION@", "@AGENTS@", "@AGENT@", "@AGENT_NAME@", "@PROJECT@"})
    CHECK(page.find(name) == std::string::npos);
}

TEST_CASE("home page: it loads nothing from elsewhere and its headers allow only its own script") {
  const core::config none;
  auto page = transport::home_page(none, "1", "n0nce");
  CHECK(page.find("http://") == std::string::npos);
  CHECK(page.find("https://") == std::string::npos);
  auto headers = transport::home_page_headers("n0nce");
  REQUIRE(headers.front().first == "Content-Security-Policy");
  CHECK(headers.front().second.find("default-src 'none'; script-src 'nonce-n0nce'") == 0);
  CHECK(headers.front().second.find("unsafe") == std::string::npos);
}
