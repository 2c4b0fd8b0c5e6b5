// The approvals inbox, remembered approvals, sub-agents and outputs over REST, with actors that answer what a test says.
#include "tests/unit/transport_rest_bench.hpp"

namespace json = boost::json;
using namespace troupe;
using namespace troupe::core;
using transport_test::rest_bench;

namespace {

const session_id mine{{1, 1}};
const session_id theirs{{1, 2}};
const approval_id open_one{{4, 1}};
const approval_id their_one{{4, 2}};
const grant_id kept{{6, 1}};

error no_such_session() { return {errc::not_found, "not there"}; }

session_record record_of(session_id id) {
  session_record s;
  s.id = id;
  s.project = {"demo"};
  s.owner = id == theirs ? "eva" : "ana";
  return s;
}

/// Ana's session with an open approval, Eva's with another, and one remembered.
struct inbox : rest_bench {
  approval_record approval;
  grant_record grant;
  approval_settled settled{open_one, decision::approved, "ana", {}, true};
  std::optional<error> refusal;

  inbox() {
    approval.id = open_one;
    approval.session = mine;
    approval.call = {"c1"};
    approval.tool = "deploy";
    approval.action = R"({"to":"prod"})";
    approval.created_at = millis{1};
    grant.grant = {kept, grant_scope::session, "deploy", {}, {}, "ana", open_one};
    grant.session = mine;
    grant.created_at = millis{1};
    all.on_ask = [this](const query& q) { return answer_to(q); };
    all.on_submit = [this](const actors::submit& m) -> result<command_reply> {
      if (refusal) return *refusal;
      if (std::holds_alternative<revoke_grant>(m.command)) return command_reply{done{}};
      return command_reply{settled};
    };
  }

  result<answer> answer_to(const query& q) {
    if (const auto* g = std::get_if<get_approval>(&q)) {
      if (g->approval != open_one && g->approval != their_one) return no_such_session();
      auto a = approval;
      a.id = g->approval;
      if (g->approval == their_one) a.session = theirs;
      return answer{std::move(a)};
    }
    if (const auto* g = std::get_if<get_session>(&q)) return answer{record_of(g->session)};
    if (std::holds_alternative<resolve_session>(q)) return no_such_session();
    if (std::holds_alternative<list_approvals>(q)) return answer{page<approval_record>{{approval}, 1}};
    if (std::holds_alternative<list_grants>(q)) return answer{page<grant_record>{{grant}, 1}};
    if (const auto* g = std::get_if<get_grant>(&q)) return g->grant == kept ? result<answer>(answer{grant}) : no_such_session();
    if (std::holds_alternative<list_children>(q))
      return answer{std::in_place_index<20>, std::vector<session_record>{record_of({{1, 3}}), record_of(theirs)}};
    if (const auto* g = std::get_if<get_tool_output>(&q)) {
      if (g->call.str() != "c1") return no_such_session();
      return answer{tool_output_part{"middle", g->offset, 100}};
    }
    if (std::holds_alternative<list_sessions>(q)) return answer{page<session_record>{}};
    return no_such_session();
  }

  [[nodiscard]] const decide_approval& last_decision() const { return std::get<decide_approval>(all.submitted.back().command); }
};

std::string path_of(const approval_id& id, const char* rest) { return "/api/v1/approvals/" + id.str() + rest; }

}  // namespace

TEST_CASE("rest approvals: every filter reaches the question") {
  inbox rest;
  auto answer = rest("GET",
                     "/api/v1/approvals?status=pending&projectId=p&agentId=a&tool=deploy&kind=outcome_unknown&riskLevel=high"
                     "&decidedBy=eva&since=1970-01-02T00:00:00Z&limit=5&offset=10&sessionId=" +
                         mine.str());
  CHECK(answer.status == 200);
  CHECK(answer.body.at("items").at(0).at("toolId") == "deploy");
  const auto& q = rest.all.last<list_approvals>();
  CHECK(q.status == "pending");
  CHECK(q.project == project_id{"p"});
  CHECK(q.session == mine);
  CHECK(q.agent == agent_id{"a"});
  CHECK(q.tool == "deploy");
  CHECK(q.kind == approval_kind::outcome_unknown);
  CHECK(q.risk == "high");
  CHECK(q.decided_by == "eva");
  CHECK(q.since == millis{86'400'000});
  CHECK(q.window.limit == 5);
  CHECK(q.window.offset == 10);
  CHECK(q.visible_to == "ana");
  rest("GET", "/api/v1/approvals", {}, "root");
  CHECK_FALSE(rest.all.last<list_approvals>().visible_to.has_value());
}

TEST_CASE("rest approvals: what is wrong is 400 and named") {
  inbox rest;
  struct row {
    const char* method;
    std::string target;
    const char* body;
    const char* path;
  };
  auto one = path_of(open_one, "/decide");
  auto many = std::string("/api/v1/approvals/decide");
  for (const auto& r :
       std::vector<row>{{"GET", "/api/v1/approvals?status=open", "", "status"},
                        {"GET", "/api/v1/approvals?kind=card", "", "kind"},
                        {"GET", "/api/v1/approvals?riskLevel=huge", "", "riskLevel"},
                        {"GET", "/api/v1/approvals?since=yesterday", "", "since"},
                        {"GET", "/api/v1/approvals?limit=1000", "", "limit"},
                        {"GET", "/api/v1/approvals?sessionId=none", "", "sessionId"},
                        {"POST", one, "{}", "approved"},
                        {"POST", one, R"({"choice":"done"})", "choice"},
                        {"POST", one, R"({"answer":{}})", "answer"},
                        {"POST", one, R"({"approved":true,"remember":{"scope":"world"}})", "remember.scope"},
                        {"POST", many, R"({"approved":true})", "ids"},
                        {"POST", many, R"({"ids":[],"approved":true})", "ids"},
                        {"POST", many, R"({"ids":["a",1],"approved":true})", "ids[1]"},
                        {"POST", many, R"({"ids":["a"]})", "approved"},
                        {"POST", many, R"({"ids":["a"],"answer":{}})", "answer"},
                        {"POST", many, R"({"ids":["a"],"approved":true,"editedInput":{}})", "editedInput"},
                        {"GET", "/api/v1/sessions/" + mine.str() + "/tool-calls/c1/output?limit=1", "", "limit"},
                        {"GET", "/api/v1/sessions/" + mine.str() + "/tool-calls/c1/output?offset=-1", "", "offset"}}) {
    CAPTURE(r.target, r.body);
    auto answer = rest(r.method, r.target, r.body);
    CHECK(answer.status == 400);
    CHECK(answer.body.at("error").at("code") == "VALIDATION_ERROR");
    CHECK(answer.body.at("error").at("details").at("issues").at(0).at("path") == r.path);
  }
  CHECK(rest.all.submitted.empty());
}

TEST_CASE("rest approvals: a decision reaches the session with everything that was said") {
  inbox rest;
  auto body = R"({"approved":true,"note":"go","editedInput":{"to":"test"},"argumentsHash":"h","remember":{"expiresInMs":5}})";
  CHECK(rest("POST", path_of(open_one, "/decide"), body).status == 200);
  CHECK(rest.all.submitted.back().session == mine);
  CHECK(rest.all.submitted.back().by.id == "ana");
  const auto& d = rest.last_decision();
  CHECK(d.approval == open_one);
  CHECK(d.note == "go");
  CHECK(d.edited_input == R"({"to":"test"})");
  CHECK(d.arguments_hash == "h");
  REQUIRE(d.remember.has_value());
  CHECK(d.remember->lifetime.count() == 5);
  CHECK(d.remember->when == R"([{"argument":"","equals":{"to":"test"}}])");
  rest.approval.kind = approval_kind::outcome_unknown;
  CHECK(rest("POST", path_of(open_one, "/decide"), R"({"choice":"failed"})").status == 200);
  CHECK(rest.last_decision().choice == outcome_choice::failed);
  CHECK(rest("POST", path_of(open_one, "/deny"), R"({"note":"no"})").status == 200);
  CHECK_FALSE(rest.last_decision().approved);
}

TEST_CASE("rest approvals: who loses is told the winner, with time, note and choice") {
  inbox rest;
  rest.settled = {open_one, decision::denied, "eva", "late", false};
  rest.settled.choice = outcome_choice::failed;
  rest.approval.decision = decision::denied;
  rest.approval.decided_at = millis{86'400'000};
  auto answer = rest("POST", path_of(open_one, "/approve"));
  CHECK(answer.status == 409);
  const auto& details = answer.body.at("error").at("details");
  CHECK(answer.body.at("error").at("code") == "APPROVAL_NOT_PENDING");
  CHECK(details.at("decision") == "denied");
  CHECK(details.at("resolvedBy") == "eva");
  CHECK(details.at("resolvedAt") == "1970-01-02T00:00:00.000Z");
  CHECK(details.at("note") == "late");
  CHECK(details.at("choice") == "failed");
}

TEST_CASE("rest approvals: the first of two is 200, and the approval is pending still") {
  inbox rest;
  rest.settled.won = false;
  rest.settled.is_pending = true;
  rest.approval.deciders = 2;
  rest.approval.endorsed_by = {"ana"};
  auto answer = rest("POST", path_of(open_one, "/approve"));
  CHECK(answer.status == 200);
  CHECK(answer.body.at("status") == "pending");
  CHECK(answer.body.at("requiredApprovals") == 2);
  CHECK(answer.body.at("endorsedBy") == json::array{"ana"});
}

TEST_CASE("rest approvals: what one may not do is 403, what one may not see is 404") {
  inbox rest;
  auto approve = path_of(open_one, "/approve");
  CHECK(rest("POST", approve, "{}", "reader").status == 403);
  CHECK(rest("POST", approve, "{}", "").status == 401);
  CHECK(rest("POST", approve, "{}", "eva").status == 404);
  CHECK(rest("GET", path_of(their_one, "")).status == 404);
  CHECK(rest("POST", path_of(their_one, "/decide"), R"({"choice":"done"})").status == 404);  // nor its kind
  CHECK(rest("DELETE", "/api/v1/approvals/remembered/" + kept.str(), "", "eva").status == 404);
  CHECK(rest("DELETE", "/api/v1/approvals/remembered/" + kept.str(), "", "reader").status == 403);
  CHECK(rest("GET", "/api/v1/sessions/" + theirs.str() + "/children").status == 404);
  CHECK(rest("GET", "/api/v1/sessions/" + theirs.str() + "/tool-calls/c1/output").status == 404);
  CHECK(rest("POST", path_of(open_one, "/decide"), R"({"approved":true,"remember":{"scope":"project"}})").status == 403);
  CHECK(rest.all.submitted.empty());
  rest.refusal = error{errc::forbidden, "Somebody else must decide: you asked for it."};
  auto own = rest("POST", approve);
  CHECK(own.status == 403);
  CHECK(own.body.at("error").at("code") == "FORBIDDEN");
}

TEST_CASE("rest approvals in bulk: each id has a result or an error of its own") {
  inbox rest;
  json::object body{
      {"ids", {open_one.str(), "no id", their_one.str(), open_one.str()}}, {"approved", true}, {"remember", true}};
  auto lost = std::make_shared<int>(0);
  rest.all.on_submit = [&rest, lost](const actors::submit&) -> result<command_reply> {
    auto s = rest.settled;
    s.won = (*lost)++ == 0;
    return command_reply{s};
  };
  auto answer = rest("POST", "/api/v1/approvals/decide", json::serialize(body));
  REQUIRE(answer.status == 200);
  const auto& items = answer.body.at("items").as_array();
  REQUIRE(items.size() == 4);
  CHECK(items[0].at("approval").at("id") == json::string(open_one.str()));
  CHECK(items[1].at("error").at("code") == "NOT_FOUND");
  CHECK(items[2].at("error").at("code") == "NOT_FOUND");
  CHECK(items[3].at("error").at("code") == "APPROVAL_NOT_PENDING");
  CHECK(items[3].at("error").at("details").at("resolvedBy") == "ana");
  CHECK(rest.last_decision().remember->when == R"([{"argument":"","equals":{"to":"prod"}}])");
}

TEST_CASE("rest remembered approvals: listed as one may see them, revoked in their session, and again without complaint") {
  inbox rest;
  auto list = rest("GET", "/api/v1/approvals/remembered?projectId=demo&all=true");
  CHECK(list.status == 200);
  CHECK(list.body.at("items").at(0).at("status") == "active");
  const auto& q = rest.all.last<list_grants>();
  CHECK(q.project == project_id{"demo"});
  CHECK(q.all);
  CHECK(q.visible_to == "ana");
  CHECK(q.now == rest.clock->now());
  auto path = "/api/v1/approvals/remembered/" + kept.str();
  auto gone = rest("DELETE", path);
  CHECK(gone.status == 204);
  CHECK(gone.text.empty());
  REQUIRE(rest.all.submitted.size() == 1);
  CHECK(rest.all.submitted[0].session == mine);
  CHECK(std::get<revoke_grant>(rest.all.submitted[0].command).grant == kept);
  rest.grant.revoked_at = millis{5};
  CHECK(rest("DELETE", path).status == 204);
  CHECK(rest.all.submitted.size() == 1);
  CHECK(rest("DELETE", "/api/v1/approvals/remembered/" + grant_id{{6, 2}}.str()).status == 404);
  CHECK(rest("DELETE", "/api/v1/approvals/remembered/none").status == 404);
  CHECK(rest("PUT", "/api/v1/approvals/remembered").status == 405);
}

TEST_CASE("rest sub-agents: their sessions are asked for, and left out of lists otherwise") {
  inbox rest;
  auto children = rest("GET", "/api/v1/sessions/" + mine.str() + "/children");
  CHECK(children.status == 200);
  CHECK(children.body.at("total") == 1);  // not the one of somebody else
  CHECK(rest("GET", "/api/v1/sessions?parentId=" + mine.str()).body.at("items") == children.body.at("items"));
  rest("GET", "/api/v1/sessions");
  CHECK_FALSE(rest.all.last<list_sessions>().with_children);
  rest("GET", "/api/v1/sessions?includeChildren=true");
  CHECK(rest.all.last<list_sessions>().with_children);
}

TEST_CASE("rest tool outputs: a part, where it ends, and how much there is") {
  inbox rest;
  auto path = "/api/v1/sessions/" + mine.str() + "/tool-calls/";
  auto part = rest("GET", path + "c1/output?offset=20&limit=6");
  CHECK(part.status == 200);
  CHECK(part.body.at("text") == "middle");
  CHECK(part.body.at("offset") == 20);
  CHECK(part.body.at("total") == 100);
  CHECK(part.body.at("nextOffset") == 26);
  CHECK(rest.all.last<get_tool_output>().limit == 6);
  CHECK(rest("GET", path + "c1/output?offset=94").body.at("nextOffset").is_null());
  CHECK(rest("GET", path + "c2/output").status == 404);
}

TEST_CASE("rest tools: as they are now, each with the state of its source") {
  inbox rest;
  CHECK(rest("GET", "/api/v1/tools").body.at("total") == 0);
  rest.tools = {{"files.read", "Reads.", "{}", effect::read_only, false, "mcp", "low", "restarting"}};
  auto tools = rest("GET", "/api/v1/tools");
  CHECK(tools.body.at("items").at(0).at("status") == "restarting");
  CHECK(tools.body.at("items").at(0).at("riskLevel") == "low");
}

TEST_CASE("rest health: what is degraded is told to operators and takes nothing out of service") {
  inbox rest;
  CHECK(rest("GET", "/readyz", {}, "root").text == R"({"status":"ready"})");
  rest.health->set("provider", "openai", "open", false);
  rest.health->set("tools", "files", "ready", true);
  rest.health->count_tool_call("clock", true);
  rest.health->count_tool_call("clock", true);
  rest.health->count_tool_call("a \"b\"\n", false);
  auto ready = rest("GET", "/readyz", {}, "root");
  CHECK(ready.status == 200);
  CHECK(ready.text == R"({"status":"ready","degraded":[{"kind":"provider","name":"openai","state":"open"}]})");
  CHECK(rest("GET", "/readyz", {}, "").text == R"({"status":"ready"})");
  auto metrics = rest("GET", "/metrics", {}, "root");
  CHECK(metrics.status == 200);
  for (auto line : {"troupe_provider_breaker_open{provider=\"openai\"} 1\n", "troupe_tool_source_up{source=\"files\"} 1\n",
                    "troupe_tool_calls_total{tool=\"clock\",outcome=\"succeeded\"} 2\n",
                    "troupe_tool_calls_total{tool=\"a \\\"b\\\" \",outcome=\"failed\"} 1\n", "troupe_approvals_pending 1\n"})
    CHECK(metrics.text.find(line) != std::string::npos);
  rest.health->set("provider", "openai", "closed", true);
  CHECK(rest("GET", "/metrics", {}, "root").text.find("troupe_provider_breaker_open{provider=\"openai\"} 0\n") !=
        std::string::npos);
}

TEST_CASE("status board: made-up tools beyond a limit are counted as one") {
  status_board board;
  for (std::size_t i = 0; i < status_board::most_tools + 10; ++i) board.count_tool_call("tool " + std::to_string(i), false);
  auto calls = board.calls();
  CHECK(calls.size() == status_board::most_tools + 1);
  CHECK(calls.front().tool.empty());
  CHECK(calls.front().failed == 10);
}
