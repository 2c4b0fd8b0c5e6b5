// Questions to people as the inbox lists them, and what is remembered of their answers.
#include "storage/connection.hpp"
#include "tests/unit/storage_test_support.hpp"

using namespace storage_test;

namespace {

struct approvals_fixture {
  std::unique_ptr<storage::store> store = storage::store::open_in_memory().value();
  std::unique_ptr<storage::queries> q = store->open_queries().value();

  [[nodiscard]] std::vector<approval_id> ids(const storage::approval_filter& filter, window w = {}) const {
    std::vector<approval_id> out;
    for (const auto& a : q->approvals(filter, w).items) out.push_back(a.id);
    return out;
  }
};

approval_id ask(session_log& log, run_id r, const std::string& tool = "delete_file", const std::string& risk = "high",
                approval_kind kind = approval_kind::tool) {
  auto id = make<approval_id>();
  log.add(approval_requested{r, id, {"c"}, tool, R"({"path":"a"})", kind, risk, log.now + millis(1000)});
  return id;
}

void decide(session_log& log, run_id r, approval_id id, const std::string& by, decision d = decision::denied) {
  log.add(approval_decided{r, id, {"c"}, d, by, "", ""});
}

grant_id give(session_log& log, const std::string& tool, millis expires_at = millis(0)) {
  auto id = make<grant_id>();
  log.add(grant_given{id, grant_scope::session, tool, R"([{"pointer":"/path","matches":"^a"}])", expires_at, "bob",
                      make<approval_id>()});
  return id;
}

}  // namespace

TEST_CASE("approvals: what waits is listed first, each part newest first", "[storage]") {
  approvals_fixture f;
  session_log log;
  auto r = log.start(log.user("x"));
  std::vector<approval_id> a;
  for (int i = 0; i < 4; ++i) a.push_back(ask(log, r));
  decide(log, r, a[1], "bob");
  decide(log, r, a[3], "bob");
  commit(*f.store, log);
  CHECK(f.ids({}) == std::vector{a[2], a[0], a[3], a[1]});
  CHECK(f.ids({}, {2, 1}) == std::vector{a[0], a[3]});
  CHECK(f.ids({"pending", {}, {}}) == std::vector{a[2], a[0]});
  CHECK(f.ids({"denied", {}, {}}) == std::vector{a[3], a[1]});
  CHECK(f.ids({"approved", {}, {}}).empty());
}

TEST_CASE("approvals: the inbox is filtered by agent, tool, kind, risk, decider and time", "[storage]") {
  approvals_fixture f;
  session_log log;
  auto r = log.start(log.user("x"));
  auto plain = ask(log, r);
  auto since = log.now + millis(1);
  auto question = ask(log, r, "server.tool", "low", approval_kind::input);
  decide(log, r, question, "bob");
  log.add(agent_changed{r, {"editor"}, ""});
  auto unknown = ask(log, r, "command", "high", approval_kind::outcome_unknown);
  commit(*f.store, log);
  auto with = [&](auto set) {
    storage::approval_filter filter;
    set(filter);
    return f.ids(filter);
  };
  CHECK(with([](auto& q) { q.agent = agent_id{"editor"}; }) == std::vector{unknown});
  CHECK(with([](auto& q) { q.tool = "server.tool"; }) == std::vector{question});
  CHECK(with([](auto& q) { q.kind = approval_kind::outcome_unknown; }) == std::vector{unknown});
  CHECK(with([](auto& q) { q.kind = approval_kind::tool; }) == std::vector{plain});
  CHECK(with([](auto& q) { q.risk = "low"; }) == std::vector{question});
  CHECK(with([](auto& q) { q.decided_by = "bob"; }) == std::vector{question});
  CHECK(with([](auto& q) { q.decided_by = "eve"; }).empty());
  CHECK(with([&](auto& q) { q.since = since; }) == std::vector{unknown, question});
  CHECK(with([](auto& q) { q.agent = agent_id{"writer"}, q.status = "pending"; }) == std::vector{plain});
}

TEST_CASE("approvals: a question keeps what it says, who said yes and what was decided", "[storage]") {
  temporary_folder folder;
  session_log log;
  auto r = log.start(log.user("x"));
  log.add(tool_started{r, {"c"}, "delete_file", R"({"path":"a"})", effect::once});
  auto id = make<approval_id>();
  log.add(approval_requested{r,
                             id,
                             {"c"},
                             "delete_file",
                             R"({"path": "a"})",
                             approval_kind::tool,
                             "high",
                             log.now + millis(9),
                             "hash-a",
                             "Really?",
                             R"({"type":"object"})",
                             3,
                             "ann"});
  auto look = [&] {
    auto s = open_store(folder.path());  // opened again: the endorsements are found among the rows
    commit(*s, log);
    CHECK(findings_of(folder.path()) == std::vector<std::string>{});
    return s->open_queries().value()->approval(id).value();
  };
  auto a = look();
  CHECK(a.arguments_hash == "hash-a");
  CHECK(a.prompt == "Really?");
  CHECK(a.schema == R"({"type":"object"})");
  CHECK(a.deciders == 3);
  CHECK(a.not_by == "ann");
  CHECK(a.endorsed_by.empty());

  log.add(approval_endorsed{r, id, {"c"}, "bob \"[1]\"", "fine", R"({"path":"b"})"});
  log.add(approval_endorsed{r, id, {"c"}, "bob \"[1]\"", "again", ""});
  a = look();
  CHECK(a.endorsed_by == std::vector<std::string>{"bob \"[1]\""});
  CHECK(a.edited_input == R"({"path":"b"})");
  CHECK_FALSE(a.decision);
  log.add(approval_endorsed{r, id, {"c"}, "carol", "", R"({ "path":"b" })"});  // the same, written otherwise
  a = look();
  CHECK(a.endorsed_by == std::vector<std::string>{"bob \"[1]\"", "carol"});
  log.add(approval_endorsed{r, id, {"c"}, "frank", "", R"({"path":"c"})"});  // nobody has said yes to that
  a = look();
  CHECK(a.endorsed_by == std::vector<std::string>{"frank"});
  CHECK(a.edited_input == R"({"path":"c"})");
  log.add(approval_endorsed{r, id, {"c"}, "carol", "", R"({"path":"b"})"});
  log.add(approval_endorsed{r, id, {"c"}, "bob", "", ""});

  log.add(approval_decided{
      r, id, {"c"}, decision::approved, "dave", "go", R"({"path":"b"})", outcome_choice::retry, R"("yes")", "hash-b"});
  log.add(approval_endorsed{r, id, {"c"}, "eve", "", ""});  // too late
  a = look();
  CHECK(a.decision == decision::approved);
  CHECK(a.endorsed_by.size() == 2);
  CHECK(a.edited_input == R"({"path":"b"})");
  CHECK(a.choice == outcome_choice::retry);
  CHECK(a.answer == R"("yes")");
  CHECK(a.arguments_hash == "hash-b");
}

TEST_CASE("approvals: what a session shows for a sub-agent is in that session's list only", "[storage]") {
  approvals_fixture f;
  session_log parent;
  session_log child;
  auto child_run = child.start(child.user("work"));
  auto asked = ask(child, child_run);
  auto r = parent.start(parent.user("x"));
  parent.add(tool_started{r, {"c"}, "delegate", R"({"agent":"helper"})", effect::once, child.id});
  auto mirror = make<approval_id>();
  approval_requested shown{r, mirror, {"c"}, "delete_file", R"({"path":"a"})", approval_kind::tool, "high", millis(0)};
  shown.origin = child.id;
  shown.origin_approval = asked;
  parent.add(shown);
  commit(*f.store, parent);
  commit(*f.store, child);
  CHECK(f.ids({"pending", {}, {}}) == std::vector{asked});
  CHECK(f.ids({"pending", project_id{"demo"}, {}, "ann"}) == std::vector{asked});
  CHECK(f.ids({"pending", {}, parent.id}) == std::vector{mirror});
  CHECK(f.ids({"pending", {}, child.id}) == std::vector{asked});
  CHECK(f.q->approval(mirror)->origin == child.id);
  CHECK(f.q->approval(mirror)->origin_approval == asked);
  CHECK(f.q->run(r)->status == run_status::parked);
  // Edited arguments are the child's call's.
  parent.add(approval_decided{r, mirror, {"c"}, decision::approved, "bob", "", R"({"path":"b"})"});
  commit(*f.store, parent);
  CHECK(f.q->tool_calls(parent.id)[0].input == R"({"agent":"helper"})");
  CHECK(f.q->run(r)->status == run_status::running);
}

TEST_CASE("approvals: an unknown outcome is a question of its own kind, and the call stays open", "[storage]") {
  approvals_fixture f;
  session_log log;
  auto r = log.start(log.user("x"));
  log.add(tool_started{r, {"c"}, "command", "{}", effect::once});
  log.add(tool_outcome_unknown{r, {"c"}, "command"});
  auto id = ask(log, r, "command", "high", approval_kind::outcome_unknown);
  commit(*f.store, log);
  CHECK(f.q->run(r)->status == run_status::parked);
  CHECK_FALSE(f.q->tool_calls(log.id)[0].ok);
  log.add(approval_decided{r, id, {"c"}, decision::approved, "bob", "", "", outcome_choice::done});
  log.add(tool_completed{r, {"c"}, "command", true, "Done, says bob.", 0});
  commit(*f.store, log);
  CHECK(f.q->approval(id)->choice == outcome_choice::done);
  CHECK(f.q->tool_calls(log.id)[0].ok == true);
}

TEST_CASE("grants: a remembered approval holds until it expires or is taken back", "[storage]") {
  approvals_fixture f;
  session_log log;
  session_log other("other", "nexus", "eve");
  auto expires = log.now + millis(500);
  auto lasting = give(log, "command");
  auto short_lived = give(log, "write_file", expires);
  auto revoked = give(log, "delete_file");
  commit(*f.store, log);
  log.add(grant_revoked{revoked, "eve"});  // in a commit of its own
  log.add(grant_revoked{revoked, "late"});
  log.add(grant_revoked{make<grant_id>(), "eve"});
  auto at_once = give(log, "move_file");
  log.add(grant_revoked{at_once, "eve"});
  commit(*f.store, log);
  other.now = log.now + millis(5);
  auto theirs = give(other, "command");
  other.add(grant_revoked{lasting, "eve"});  // not given there
  commit(*f.store, other);

  auto held = [&](millis now) {
    std::vector<grant_id> out;
    for (const auto& g : f.q->grants_in_force(now)) out.push_back(g.grant.grant);
    return out;
  };
  CHECK(held(expires - millis(1)) == std::vector{lasting, short_lived, theirs});
  CHECK(held(expires) == std::vector{lasting, theirs});
  auto listed = [&](const storage::grant_filter& filter, window w = {}) {
    std::vector<grant_id> out;
    for (const auto& g : f.q->grants(filter, w).items) out.push_back(g.grant.grant);
    return out;
  };
  CHECK(listed({{}, {}, false, expires}) == std::vector{theirs, lasting});
  CHECK(listed({{}, {}, true, expires}) == std::vector{theirs, at_once, revoked, short_lived, lasting});
  CHECK(listed({project_id{"demo"}, {}, false, new_year}) == std::vector{short_lived, lasting});
  CHECK(listed({{}, "eve", true, expires}) == std::vector{theirs});
  CHECK(listed({{}, {}, true, expires}, {1, 2}) == std::vector{revoked});
  CHECK(f.q->grants({{}, {}, true, expires}, {1, 2}).total == 5);

  auto g = f.q->grant(revoked);
  REQUIRE(g);
  CHECK(g->grant.tool == "delete_file");
  CHECK(g->grant.scope == grant_scope::session);
  CHECK(g->grant.when == R"([{"pointer":"/path","matches":"^a"}])");
  CHECK(g->grant.by == "bob");
  CHECK_FALSE(g->grant.approval.is_nil());
  CHECK(g->project == log.project);
  CHECK(g->agent == agent_id{"writer"});
  CHECK(g->session == log.id);
  CHECK(g->revoked_by == "eve");
  CHECK(g->revoked_at.count() != 0);
  CHECK(f.q->grant(at_once)->revoked_by == "eve");
  CHECK(f.q->grant(lasting)->revoked_at.count() == 0);
  CHECK_FALSE(f.q->grant(make<grant_id>()));
}

TEST_CASE("approvals: the inbox and the grants are found by an index", "[storage]") {
  temporary_folder folder;
  auto s = open_store(folder.path());
  storage::connection c(folder.database(), storage::connection::mode::read_only);
  auto plan = [&](const std::string& sql) {
    std::string out;
    storage::cursor rows(c.statement("EXPLAIN QUERY PLAN " + sql));
    while (rows.next()) {
      rows.integer();
      rows.integer();
      rows.integer();
      out += rows.text() + "\n";
    }
    INFO(sql + "\n" + out);
    CHECK(out.find("TEMP B-TREE") == std::string::npos);
    CHECK(out.find("USING INDEX") != std::string::npos);
  };
  std::string newest_first = " ORDER BY created_at_ms DESC, id DESC LIMIT 20";
  std::string order = " ORDER BY (decision IS NOT NULL), created_at_ms DESC, id DESC LIMIT 20";
  plan("SELECT tool FROM approvals WHERE (decision IS NOT NULL) = 0 AND origin IS NULL" + newest_first);
  plan("SELECT tool FROM approvals WHERE (decision IS NOT NULL) = 0 AND origin IS NULL AND project = 'x'" + newest_first);
  plan("SELECT tool FROM approvals WHERE origin IS NULL AND project = 'x'" + order);
  plan("SELECT tool FROM approvals WHERE origin IS NULL" + order);
  plan("SELECT tool FROM grants WHERE project = 'x' ORDER BY created_at_ms DESC, id DESC LIMIT 20");
  plan(
      "SELECT tool FROM grants WHERE revoked_at_ms IS NULL AND (expires_at_ms IS NULL OR expires_at_ms > 5)"
      " ORDER BY created_at_ms, id");
  plan("SELECT id FROM sessions WHERE parent = 'x' AND status <> 'deleted' ORDER BY n");
  plan("SELECT n FROM tool_outputs WHERE session = 'x' AND call = 'y' AND run = 'z' ORDER BY seq DESC LIMIT 1");
}
