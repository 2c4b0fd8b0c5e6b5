// Approvals on every dialect: what people may say to them, and the cards of each kind, opening and closing.
#include "tests/unit/transport_dialect_test.hpp"
#include "transport/decision.hpp"
#include "transport/dialects/agent_stream.hpp"
#include "transport/dialects/conversation.hpp"
#include "transport/dialects/nexus.hpp"
#include "transport/json_text.hpp"

#include <catch2/catch.hpp>

namespace json = boost::json;
using namespace troupe;
using namespace troupe::core;
using transport::encoder_kind;
using transport_test::question;
using transport_test::recording_port;
using transport_test::reply;
using transport_test::run;
using transport_test::stage;
using transport_test::words;

namespace {

const approval_id card_id{{4, 1}};
const std::string schema_text = R"({"type":"object","properties":{"region":{"type":"string"}}})";

approval_requested card(approval_kind kind, std::uint64_t n = 1) {
  approval_requested a{run, {{4, n}}, {"c1"}, "deploy", R"({"to":"prod"})", kind, "high", millis{1000}};
  a.arguments_hash = "abc";
  if (kind == approval_kind::input) {
    a.prompt = "Which\nregion?";
    a.schema = schema_text;
  }
  return a;
}

approval_decided decided(outcome_choice choice = outcome_choice::none) {
  approval_decided d{run, card_id, {"c1"}, decision::approved, "ana", {}, {}};
  d.choice = choice;
  return d;
}

/// A run whose call has begun.
stage begun(encoder_kind kind) {
  stage s(kind);
  s(session_created{{"demo"}, {"guide"}, "nexus", {}, {}, {}});
  s(run_started{run, question, reply, {}, {"guide"}, 0, {}});
  s(step_started{run, 1, reply, "p", "m"});
  s(message_completed{run, 1, reply, "", {{{"c1"}, "deploy", R"({"to":"prod"})"}}, finish_reason::tool_calls, false});
  s(tool_started{run, {"c1"}, "deploy", R"({"to":"prod"})", effect::once});
  return s;
}

/// The first frame of this event: its fields, whatever way the dialect sends them.
json::object fields_of(stage& s, event_payload e) {
  auto frames = s(std::move(e));
  REQUIRE_FALSE(frames.empty());
  auto at = frames[0].find('[');
  if (frames[0].front() == '{') return json::parse(frames[0]).as_object();
  return json::parse(json::string_view(frames[0]).substr(at)).as_array().at(1).as_object();
}

std::optional<transport::given_decision> read(const char* text, transport::field_problem& problem) {
  return transport::read_decision(json::parse(text).as_object(), problem);
}

}  // namespace

// ---- what people say ----

TEST_CASE("decision: a wrong field is named, with what was expected") {
  struct row {
    const char* body;
    const char* path;
    const char* says;
  };
  auto r = GENERATE(values<row>(
      {{"{}", "approved", "must be true or false; or send choice"},
       {R"({"approved":"yes"})", "approved", "must be true or false"},
       {R"({"choice":"maybe"})", "choice", "retry, done or failed"},
       {R"({"choice":"none"})", "choice", "retry, done or failed"},
       {R"({"choice":1})", "choice", "retry, done or failed"},
       {R"({"choice":"done","approved":true})", "choice", "without approved"},
       {R"({"choice":"done","answer":{}})", "choice", "without approved and answer"},
       {R"({"answer":"x"})", "answer", "must be an object"},
       {R"({"answer":{},"approved":false})", "answer", "without approved false"},
       {R"({"approved":true,"note":5})", "note", "must be a string"},
       {R"({"approved":true,"editedInput":[]})", "editedInput", "must be an object"},
       {R"({"approved":true,"argumentsHash":1})", "argumentsHash", "must be a string"},
       {R"({"approved":true,"remember":"always"})", "remember", "must be true, or an object"},
       {R"({"approved":false,"remember":true})", "remember", "an approval only"},
       {R"({"approved":true,"remember":{"for":1}})", "remember.for", "scope, when and expiresInMs"},
       {R"({"approved":true,"remember":{"scope":"world"}})", "remember.scope", "session, agent or project"},
       {R"({"approved":true,"remember":{"expiresInMs":0}})", "remember.expiresInMs", "from 1 to"},
       {R"({"approved":true,"remember":{"expiresInMs":1.5}})", "remember.expiresInMs", "whole number"},
       {R"({"approved":true,"remember":{"expiresInMs":1e30}})", "remember.expiresInMs", "whole number"},
       {R"({"approved":true,"remember":{"when":{}}})", "remember.when", "list of at most 20"},
       {R"({"approved":true,"remember":{"when":[1]}})", "remember.when[0]", "must be an object"},
       {R"({"approved":true,"remember":{"when":[{"equals":1}]}})", "remember.when[0].argument", "JSON pointer"},
       {R"({"approved":true,"remember":{"when":[{"argument":"path","equals":1}]}})", "remember.when[0].argument",
        "JSON pointer"},
       {R"({"approved":true,"remember":{"when":[{"argument":""}]}})", "remember.when[0]", "argument and one of"},
       {R"({"approved":true,"remember":{"when":[{"argument":"/a","like":1}]}})", "remember.when[0].like", "not known"},
       {R"({"approved":true,"remember":{"when":[{"argument":"/a","less":"1"}]}})", "remember.when[0].less", "a number"},
       {R"({"approved":true,"remember":{"when":[{"argument":"/a","present":false}]}})", "remember.when[0].present", "true"},
       {R"({"approved":true,"remember":{"when":[{"argument":"/a","equals":1},{"argument":"/a","matches":1}]}})",
        "remember.when[1].matches", "regular expression"}}));
  CAPTURE(r.body);
  transport::field_problem problem;
  CHECK_FALSE(read(r.body, problem).has_value());
  CHECK(problem.path == r.path);
  CHECK(problem.message.find(r.says) != std::string::npos);
  auto told = to_error(problem);
  CHECK(told.code == errc::validation_error);
  CHECK(told.text.find("Field \"" + problem.path + "\" ") == 0);
}

TEST_CASE("decision: approved, choice and answer, with what goes with them") {
  transport::field_problem problem;
  auto plain = read(R"({"approved":false,"note":"no","argumentsHash":"h","remember":false})", problem);
  REQUIRE(plain.has_value());
  CHECK_FALSE(plain->what.approved);
  CHECK(plain->what.note == "no");
  CHECK(plain->what.arguments_hash == "h");
  CHECK_FALSE(plain->what.remember.has_value());
  auto edited = read(R"({"approved":true,"editedInput":{"a":1},"answer":null})", problem);
  REQUIRE(edited.has_value());
  CHECK(edited->what.edited_input == R"({"a":1})");
  auto answered = read(R"({"answer":{"region":"eu"},"approved":true})", problem);
  REQUIRE(answered.has_value());
  CHECK(answered->what.approved);
  CHECK(answered->what.answer == R"({"region":"eu"})");
  auto failed = read(R"({"choice":"failed"})", problem);
  REQUIRE(failed.has_value());
  CHECK_FALSE(failed->what.approved);
  CHECK(failed->what.choice == outcome_choice::failed);
  CHECK(read(R"({"choice":"retry"})", problem)->what.approved);
}

TEST_CASE("decision: what is remembered is exactly these arguments, or what the tests say") {
  struct row {
    const char* body;
    const char* when;
    grant_scope scope;
    std::int64_t ms;
  };
  auto r = GENERATE(values<row>(
      {{R"({"approved":true,"remember":true})", R"([{"argument":"","equals":{"to":"prod"}}])", grant_scope::session, 0},
       {R"({"approved":true,"remember":{}})", R"([{"argument":"","equals":{"to":"prod"}}])", grant_scope::session, 0},
       {R"({"approved":true,"remember":true,"editedInput":{"to":"test"}})", R"([{"argument":"","equals":{"to":"test"}}])",
        grant_scope::session, 0},
       {R"({"approved":true,"remember":{"scope":"agent","when":[],"expiresInMs":5000}})", "[]", grant_scope::agent, 5000},
       {R"({"approved":true,"remember":{"scope":"project","when":[{"argument":"/to","matches":"^t"}]}})",
        R"([{"argument":"/to","matches":"^t"}])", grant_scope::project, 0}}));
  CAPTURE(r.body);
  transport::field_problem problem;
  auto given = read(r.body, problem);
  REQUIRE(given.has_value());
  approval_record a;
  a.id = card_id;
  a.action = R"({"to":"prod"})";
  auto command = transport::decision_on(a, *given, principal{}, problem);
  REQUIRE(command.has_value());
  CHECK(command->approval == card_id);
  REQUIRE(command->remember.has_value());
  CHECK(command->remember->when == r.when);
  CHECK(command->remember->scope == r.scope);
  CHECK(command->remember->lifetime.count() == r.ms);
}

TEST_CASE("decision: what one person remembers does not decide for the sessions of others") {
  transport::field_problem problem;
  auto given = read(R"({"approved":true,"remember":{"scope":"project"}})", problem);
  principal ana{"ana", "Ana", scope::user, millis{0}};
  CHECK_FALSE(transport::decision_on({}, *given, ana, problem).has_value());
  CHECK(problem.code == errc::forbidden);
  ana.scopes = scope::all;
  CHECK(transport::decision_on({}, *given, ana, problem).has_value());
}

TEST_CASE("decision: each kind of question takes its own answers") {
  struct row {
    approval_kind kind;
    const char* body;
    const char* wrong;  // empty: it is taken
  };
  using enum approval_kind;
  auto r = GENERATE(values<row>({{tool, R"({"approved":true})", ""},
                                 {tool, R"({"choice":"done"})", "choice"},
                                 {tool, R"({"answer":{}})", "answer"},
                                 {outcome_unknown, R"({"choice":"done"})", ""},
                                 {outcome_unknown, R"({"approved":false})", ""},
                                 {outcome_unknown, R"({"answer":{}})", "answer"},
                                 {outcome_unknown, R"({"approved":true,"editedInput":{}})", "editedInput"},
                                 {outcome_unknown, R"({"approved":true,"remember":true})", "remember"},
                                 {input, R"({"answer":{"a":1}})", ""},
                                 {input, R"({"approved":false})", ""},
                                 {input, R"({"choice":"retry"})", "choice"},
                                 {input, R"({"answer":{},"remember":true})", "remember"}}));
  CAPTURE(r.body);
  transport::field_problem problem;
  auto given = read(r.body, problem);
  REQUIRE(given.has_value());
  approval_record a;
  a.kind = r.kind;
  CHECK(transport::decision_on(a, *given, principal{}, problem).has_value() == (*r.wrong == 0));
  CHECK(problem.path == r.wrong);
}

// ---- cards ----

TEST_CASE("cards: each kind opens and closes on nexus and both Socket.IO dialects, and is shown to who comes later") {
  auto kind = GENERATE(encoder_kind::nexus_a, encoder_kind::nexus_b, encoder_kind::chat_room, encoder_kind::chat_events);
  CAPTURE(static_cast<int>(kind));
  auto s = begun(kind);
  SECTION("a tool call") {
    auto f = fields_of(s, card(approval_kind::tool));
    CHECK(f.at("kind") == "tool");
    CHECK(f.at("riskLevel") == "high");
    CHECK(f.at("argumentsHash") == "abc");
    CHECK(f.at("expiresAt") == "1970-01-01T00:00:01.000Z");
    for (auto absent : {"choices", "message", "schema", "requiredApprovals", "originSessionId"})
      CHECK_FALSE(f.contains(absent));
  }
  SECTION("an unknown outcome") {
    auto f = fields_of(s, card(approval_kind::outcome_unknown));
    CHECK(f.at("kind") == "outcome_unknown");
    CHECK(f.at("choices") == json::array{"retry", "done", "failed"});
  }
  SECTION("a question") {
    auto f = fields_of(s, card(approval_kind::input));
    CHECK(f.at("kind") == "input");
    CHECK(f.at("message") == "Which\nregion?");
    CHECK(f.at("schema") == json::parse(schema_text));
  }
  CHECK(s.open_cards().size() == 1);
  auto closed = fields_of(s, decided(outcome_choice::done));
  CHECK(closed.at("approvalId") == json::string(card_id.str()));
  CHECK(closed.at("decision") == "approved");
  CHECK(closed.at("choice") == "done");
  CHECK(s.open_cards().empty());
}

TEST_CASE("cards: of two people the first is shown, also to who comes later") {
  auto kind = GENERATE(encoder_kind::nexus_a, encoder_kind::chat_room, encoder_kind::chat_events);
  auto s = begun(kind);
  auto asked = card(approval_kind::tool);
  asked.deciders = 2;
  CHECK(fields_of(s, asked).at("requiredApprovals") == 2);
  auto f = fields_of(s, approval_endorsed{run, card_id, {"c1"}, "ana", "fine", {}});
  CHECK(f.at("approvalId") == json::string(card_id.str()));
  CHECK(f.at("endorsedBy") == json::array{"ana"});
  CHECK(f.at("requiredApprovals") == 2);
  CHECK(f.at("note") == "fine");
  REQUIRE(s.open_cards().size() == 1);
  CHECK(s.open_cards()[0].find(R"("endorsedBy":["ana"])") != std::string::npos);
  SECTION("and names it has none for are passed over") {
    stage quiet = begun(encoder_kind::conversation);
    quiet(asked);
    CHECK(quiet(approval_endorsed{run, card_id, {"c1"}, "ana", {}, {}}).empty());
  }
}

TEST_CASE("cards: a sub-agent's question names the session it was asked in") {
  auto s = begun(encoder_kind::nexus_a);
  auto asked = card(approval_kind::tool);
  asked.origin = {{8, 8}};
  CHECK(fields_of(s, asked).at("originSessionId") == json::string(asked.origin.str()));
}

TEST_CASE("cards on conversation: one call asks again and again, each card once, each followed by done") {
  auto s = begun(encoder_kind::conversation);
  CHECK(s.types(card(approval_kind::tool)) == words{"approval_required", "done"});
  CHECK(s.types(decided()).empty());
  auto unknown = s(card(approval_kind::outcome_unknown, 2));
  REQUIRE(unknown.size() == 2);
  auto f = json::parse(unknown[0]).as_object();
  CHECK(f.at("type") == "approval_required");
  CHECK(f.at("kind") == "outcome_unknown");
  CHECK(f.at("choices") == json::array{"retry", "done", "failed"});
  CHECK(f.at("approval_id") == json::string(approval_id{{4, 2}}.str()));
  CHECK(std::string(f.at("message").as_string()).find("deploy") != std::string::npos);
  CHECK(s.open_cards().size() == 1);
  CHECK(s.types(approval_decided{run, {{4, 2}}, {"c1"}, decision::approved, "ana", {}, {}}).empty());
  auto asked = json::parse(s(card(approval_kind::input, 3)).at(0)).as_object();
  CHECK(asked.at("message") == "Which\nregion?");
  CHECK(asked.at("schema") == json::parse(schema_text));
  CHECK(s.types(approval_decided{run, {{4, 3}}, {"c1"}, decision::approved, "ana", {}, {}}).empty());
  CHECK(s.types(tool_completed{run, {"c1"}, "deploy", true, "up", 1}) == words{"tool_result"});
}

TEST_CASE("cards on agent-stream: a line says what waits and where to decide") {
  auto s = begun(encoder_kind::agent_stream);
  struct row {
    approval_kind kind;
    const char* says;
    const char* where;
  };
  std::uint64_t n = 0;
  for (const auto& r :
       {row{approval_kind::tool, "deploy waits for approval of {\"to\":\"prod\"}", "/approve or /deny"},
        row{approval_kind::outcome_unknown, "not known whether deploy was carried out", R"({"choice": "retry"})"},
        row{approval_kind::input, "deploy asks: Which region?", R"(/decide {"answer": {…}})"}}) {
    auto frames = s(card(r.kind, ++n));
    REQUIRE(frames.size() == 2);
    auto line = std::string(json::parse(frames[0]).at("content").as_string());
    CAPTURE(line);
    CHECK(line.find(r.says) != std::string::npos);
    CHECK(line.find(r.where) != std::string::npos);
    CHECK(line.find("/api/v1/approvals/" + approval_id{{4, n}}.str()) != std::string::npos);
    CHECK(std::count(line.begin(), line.end(), '\n') == 2);  // one before, one behind it
    CHECK(frames[1].find(R"("type":"done")") != std::string::npos);
    CHECK(s.types(approval_decided{run, {{4, n}}, {"c1"}, decision::approved, "ana", {}, {}}).empty());
  }
  CHECK(s.types(tool_completed{run, {"c1"}, "deploy", true, "up", 1}) == words{"tool_end"});
}

TEST_CASE("events of the log: lists and streams show what no client does") {
  grant_given grant{{{6, 1}}, grant_scope::agent, "deploy", R"([{"argument":"/to","equals":"prod"}])", millis{0}, "ana",
                    card_id};
  struct row {
    event_payload event;
    const char* type;
  };
  for (const auto& r : {row{grant, "grant.given"}, row{grant_revoked{{{6, 1}}, "ana"}, "grant.revoked"},
                        row{agent_changed{run, {"other"}, "take over"}, "agent.changed"},
                        row{run_stop_requested{run, "ana"}, "run.stop_requested"},
                        row{tool_outcome_unknown{run, {"c1"}, "deploy"}, "tool.outcome_unknown"}}) {
    auto log = begun(encoder_kind::nexus_log);
    CHECK(log.types(r.event) == words{r.type});
    for (auto kind : {encoder_kind::nexus_a, encoder_kind::nexus_b, encoder_kind::conversation, encoder_kind::agent_stream,
                      encoder_kind::chat_room, encoder_kind::chat_events}) {
      auto client = begun(kind);
      CHECK(client(r.event).empty());
    }
  }
  auto log = begun(encoder_kind::nexus_log);
  CHECK(fields_of(log, grant).at("when") == json::parse(grant.when));
}

TEST_CASE("tool frames: progress as it comes on nexus, sub-agents and long outputs are named") {
  auto s = begun(encoder_kind::nexus_a);
  auto progress = json::parse(s(tool_progress{{"c1"}, "50 %"}).at(0)).as_object();
  CHECK(progress == json::object{{"type", "message.tool_progress"}, {"toolCallId", "c1"}, {"text", "50 %"}, {"seq", s.seq()}});
  for (auto kind :
       {encoder_kind::conversation, encoder_kind::agent_stream, encoder_kind::chat_room, encoder_kind::chat_events}) {
    auto other = begun(kind);
    CHECK(other(tool_progress{{"c1"}, "50 %"}).empty());
  }
  tool_started delegated{run, {"c2"}, "delegate", "{}", effect::once};
  delegated.child = {{8, 8}};
  CHECK(fields_of(s, delegated).at("childSessionId") == json::string(delegated.child.str()));
  tool_completed done{run, {"c2"}, "delegate", true, "begin", 1};
  done.output_bytes = 100'000;
  done.child_cost = {2'000};
  auto f = fields_of(s, done);
  CHECK(f.at("outputBytes") == 100'000);
  CHECK(f.at("cost") == 0.002);
}

// ---- sockets ----

TEST_CASE("nexus approval.decide: choice, answer and remember reach the session") {
  recording_port port;
  port.settings = transport_test::demo_settings();
  auto protocol = transport::make_nexus(port, {});
  protocol->on_open();
  auto decide = [&](const std::string& rest, approval_kind kind) {
    protocol->on_message(R"({"type":"approval.decide","approvalId":")" + card_id.str() + "\"," + rest + "}", true);
    approval_record known;
    known.id = card_id;
    known.session = {{7, 8}};
    known.kind = kind;
    known.action = R"({"to":"prod"})";
    port.on_found(known);
  };
  auto last = [&] { return std::get<decide_approval>(port.submitted.back().second); };
  SECTION("choice") {
    decide(R"("choice":"done")", approval_kind::outcome_unknown);
    CHECK(last().choice == outcome_choice::done);
    approval_settled winner{card_id, decision::denied, "eva", "late", false};
    winner.choice = outcome_choice::failed;
    port.on_done(command_reply{winner});
    auto told = json::parse(port.sent.back()).as_object();
    CHECK(told.at("type") == "approval.decided");
    CHECK(told.at("choice") == "failed");
    CHECK(told.at("note") == "late");
  }
  SECTION("answer") {
    decide(R"("answer":{"region":"eu"})", approval_kind::input);
    CHECK(last().answer == R"({"region":"eu"})");
  }
  SECTION("remember") {
    decide(R"("approved":true,"remember":true)", approval_kind::tool);
    CHECK(last().remember->when == R"([{"argument":"","equals":{"to":"prod"}}])");
  }
  SECTION("the first of two hears it from the log") {
    decide(R"("approved":true)", approval_kind::tool);
    approval_settled first{card_id, decision::approved, "ana", {}, true};
    first.is_pending = true;
    port.on_done(command_reply{first});
    CHECK(port.sent.empty());
  }
  SECTION("what does not belong to the card is an error that names the field") {
    decide(R"("choice":"done")", approval_kind::tool);
    CHECK(port.submitted.empty());
    auto told = json::parse(port.sent.back()).as_object();
    CHECK(told.at("code") == "VALIDATION_ERROR");
    CHECK(std::string(told.at("message").as_string()).find("\"choice\"") != std::string::npos);
  }
}

TEST_CASE("conversation approval_response: what only a card can tell is looked up") {
  recording_port port;
  port.settings = transport_test::demo_settings();
  auto protocol = transport::make_conversation(port, {"my chat", {"demo"}, {}});
  protocol->on_open();
  port.sent.clear();
  protocol->on_message(R"({"type":"approval_response","choice":"retry","tool_call_id":"c1"})", true);
  REQUIRE(port.queries.size() == 1);
  const auto& query = std::get<list_approvals>(port.queries[0]);
  CHECK(query.status == "pending");
  CHECK(query.session == port.followed.at(0).first);
  CHECK(port.submitted.empty());
  page<approval_record> open;
  for (std::uint64_t n = 1; n <= 3; ++n) {
    approval_record a;
    a.id = {{4, n}};
    a.call = {n == 1 ? "c9" : "c1"};
    a.kind = approval_kind::outcome_unknown;
    a.created_at = millis{static_cast<std::int64_t>(10 - n)};
    open.items.push_back(std::move(a));
  }
  SECTION("the oldest of its call is decided") {
    port.on_answer(answer{std::move(open)});
    REQUIRE(port.submitted.size() == 1);
    const auto& command = std::get<decide_approval>(port.submitted[0].second);
    CHECK(command.approval == approval_id{{4, 3}});
    CHECK(command.choice == outcome_choice::retry);
  }
  SECTION("none is an error, and the socket stays open") {
    port.on_answer(answer{page<approval_record>{}});
    CHECK(port.submitted.empty());
    CHECK(port.sent.size() == 1);
    CHECK(port.closed == 0);
  }
}

TEST_CASE("times: what the server writes is read back, and dates alone, anything else is nothing") {
  for (std::int64_t ms : {0LL, 1'700'000'000'123LL, 951'782'400'000LL})
    CHECK(transport::time_from(transport::iso_time(millis{ms})) == millis{ms});
  CHECK(transport::time_from("2023-11-14T22:13:20Z") == millis{1'700'000'000'000});
  CHECK(transport::time_from("1970-01-02") == millis{86'400'000});
  CHECK(transport::time_from("1700000000123") == millis{1'700'000'000'123});
  for (auto text : {"", "yesterday", "2023-02-30", "2023-13-01", "2023-11-14T25:00:00Z", "2023-11-14T22:13:20", "-5",
                    "2023-11-14T22:13:20.12Z", "99999999999999999999", "2023-11-14 22:13:20Z", "+023-11-14"})
    CHECK_FALSE(transport::time_from(text).has_value());
}
