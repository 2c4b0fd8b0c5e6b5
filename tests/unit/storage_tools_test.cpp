// What tools leave behind: long outputs and their parts, sub-agents and what they cost, agents that take over.
#include "storage/connection.hpp"
#include "tests/unit/storage_test_support.hpp"

using namespace storage_test;
using Catch::Contains;

namespace {

std::shared_ptr<const std::string> shared(std::string text) { return std::make_shared<const std::string>(std::move(text)); }

struct tools_fixture {
  std::unique_ptr<storage::store> store = storage::store::open_in_memory().value();
  std::unique_ptr<storage::queries> q = store->open_queries().value();

  [[nodiscard]] std::string text(session_id id, const std::string& call, std::int64_t offset = 0,
                                 std::int64_t limit = 1'000) const {
    auto part = q->tool_output(id, {call}, offset, limit);
    return part ? part->text : "no such call";
  }
};

/// A call whose output is longer than what the model gets of it at once.
void call_tool(session_log& log, run_id r, const std::string& call, const std::string& whole, std::size_t shown = 4) {
  log.add(tool_started{r, {call}, "command", "{}", effect::once});
  tool_completed done{r, {call}, "command", true, whole.substr(0, shown), 5};
  if (whole.size() > shown) {
    done.output_bytes = static_cast<std::int64_t>(whole.size());
    done.whole_output = shared(whole);
  }
  log.add(done);
}

}  // namespace

TEST_CASE("outputs: a long output is read in parts, whole characters at a time", "[storage]") {
  tools_fixture f;
  session_log log;
  auto r = log.start(log.user("x"));
  const std::string whole = "ab\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80z";  // 1, 1, 2, 3, 4 and 1 bytes
  call_tool(log, r, "c1", whole);
  commit(*f.store, log);
  CHECK(f.q->tool_calls(log.id)[0].output_bytes == 12);
  CHECK(f.q->tool_calls(log.id)[0].output.size() == 4);

  auto part = f.q->tool_output(log.id, {"c1"}, 0, 100);
  REQUIRE(part);
  CHECK(part->text == whole);
  CHECK(part->offset == 0);
  CHECK(part->total == 12);
  const std::vector<std::int64_t> starts{0, 1, 2, 2, 4, 4, 4, 7, 7, 7, 7, 11};
  for (std::int64_t offset = 0; offset < 12; ++offset) {
    INFO("offset " << offset);
    part = f.q->tool_output(log.id, {"c1"}, offset, 4);
    CHECK(part->offset == starts[static_cast<std::size_t>(offset)]);
    CHECK(whole.compare(static_cast<std::size_t>(part->offset), part->text.size(), part->text) == 0);
    CHECK(part->text.size() <= 4);
  }
  CHECK(f.text(log.id, "c1", 0, 5) == "ab\xC3\xA4");
  CHECK(f.text(log.id, "c1", 5, 6) == "\xE2\x82\xAC");
  CHECK(f.text(log.id, "c1", 5, 7) == "\xE2\x82\xAC\xF0\x9F\x98\x80");
  // Whatever the limit, a reader who goes on behind the last part has read it all.
  for (std::int64_t limit = 1; limit < 15; ++limit) {
    std::string read;
    while (static_cast<std::int64_t>(read.size()) < 12) {
      auto next = f.q->tool_output(log.id, {"c1"}, static_cast<std::int64_t>(read.size()), limit);
      CHECK(next->offset == static_cast<std::int64_t>(read.size()));
      REQUIRE_FALSE(next->text.empty());
      read += next->text;
    }
    CHECK(read == whole);
  }
  for (std::int64_t beyond : {12, 13, 1'000'000}) {
    part = f.q->tool_output(log.id, {"c1"}, beyond, 100);
    CHECK(part->text.empty());
    CHECK(part->total == 12);
  }
  CHECK(f.text(log.id, "c1", -5, 4) == "ab\xC3\xA4");
  CHECK(f.text(log.id, "c1", 0, 0).empty());
  CHECK_FALSE(f.q->tool_output(log.id, {"c2"}, 0, 100));
  CHECK_FALSE(f.q->tool_output(make<session_id>(), {"c1"}, 0, 100));
}

TEST_CASE("outputs: bytes that are no text are read too, and one part has an end", "[storage]") {
  tools_fixture f;
  session_log log;
  auto r = log.start(log.user("x"));
  std::string bytes = "ok\x80\x80\x80\x80\x80\x80\xF0\xF0";
  bytes.push_back('\0');
  bytes += "end\xE2";
  call_tool(log, r, "c1", bytes, 2);
  std::string large(static_cast<std::size_t>(storage::max_output_part) + 100, 'x');
  call_tool(log, r, "c2", large);
  commit(*f.store, log);
  std::string read;
  while (read.size() < bytes.size()) {
    auto next = f.q->tool_output(log.id, {"c1"}, static_cast<std::int64_t>(read.size()), 4);
    REQUIRE_FALSE(next->text.empty());
    read += next->text;
  }
  CHECK(read == bytes);
  auto first = f.q->tool_output(log.id, {"c2"}, 0, 1'000'000'000);
  CHECK(static_cast<std::int64_t>(first->text.size()) == storage::max_output_part);
  CHECK(first->total == storage::max_output_part + 100);
  CHECK(f.text(log.id, "c2", storage::max_output_part, 1'000'000'000).size() == 100);
}

TEST_CASE("outputs: of calls with one id the latest that has a result counts", "[storage]") {
  tools_fixture f;
  session_log log;
  session_log other;
  auto r = log.start(log.user("x"));
  call_tool(log, r, "c", "the first output");
  CHECK_FALSE(f.q->tool_output(log.id, {"c"}, 0, 100));
  commit(*f.store, log);
  commit(*f.store, other);
  CHECK(f.text(log.id, "c") == "the first output");
  call_tool(log, r, "c", "the second output");  // in the same run
  commit(*f.store, log);
  CHECK(f.text(log.id, "c") == "the second output");
  log.add(run_completed{r, {}, {}, {}, {}, 1});
  r = log.start(log.user("y"));
  log.add(tool_started{r, {"c"}, "command", "{}", effect::once});
  commit(*f.store, log);
  CHECK(f.text(log.id, "c") == "the second output");
  log.add(tool_completed{r, {"c"}, "command", true, "short", 5});
  commit(*f.store, log);
  CHECK(f.text(log.id, "c") == "short");
  CHECK(f.q->tool_output(log.id, {"c"}, 2, 100)->total == 5);
  CHECK_FALSE(f.q->tool_output(other.id, {"c"}, 0, 100));
  log.add(history_cleared{"ann"});
  commit(*f.store, log);
  CHECK_FALSE(f.q->tool_output(log.id, {"c"}, 0, 100));
}

TEST_CASE("outputs: a copied session reads what it took over in its source", "[storage]") {
  temporary_folder folder;
  auto s = open_store(folder.path());
  auto q = s->open_queries().value();
  session_log source;
  auto r = source.start(source.user("x"));
  call_tool(source, r, "c", "taken over");
  source.add(run_completed{r, {}, {}, {}, {}, 1});
  auto at = source.seq;
  auto later = source.start(source.user("y"));
  call_tool(source, later, "c", "said later");

  auto copy_of = [](session_id from, seq_t upto) {
    session_log copy;
    session_log made;
    auto created = std::get<session_created>(copy.all[0].payload);
    created.forked_from = from;
    created.forked_at = upto;
    made.all[0].payload = created;
    made.rewrite_last();
    auto run = made.start(made.user("x"));
    made.add(tool_started{run, {"c"}, "command", "{}", effect::once});
    made.add(tool_completed{run, {"c"}, "command", true, "take", 5, 10});
    made.add(run_completed{run, {}, {}, {}, {}, 1});
    return made;
  };
  auto copy = copy_of(source.id, at);
  auto copy_of_copy = copy_of(copy.id, copy.seq);
  for (auto* log : {&source, &copy, &copy_of_copy}) commit(*s, *log);
  auto text = [&](const session_log& log) { return q->tool_output(log.id, {"c"}, 0, 100).value().text; };
  CHECK(text(source) == "said later");
  CHECK(text(copy) == "taken over");
  CHECK(text(copy_of_copy) == "taken over");
  CHECK(findings_of(folder.path()) == std::vector<std::string>{});
  auto own = copy.start(copy.user("z"));
  call_tool(copy, own, "c", "of its own");
  commit(*s, copy);
  CHECK(text(copy) == "of its own");
  CHECK(text(copy_of_copy) == "taken over");
  CHECK(findings_of(folder.path()) == std::vector<std::string>{});
}

TEST_CASE("sub-agents: their cost counts in the parent's run and session, not in its usage", "[storage]") {
  temporary_folder folder;
  auto s = open_store(folder.path());
  auto q = s->open_queries().value();
  session_log parent;
  session_log child;
  auto trace = trace_id{next_uuid()};
  auto r = parent.start(parent.user("x"), trace);
  auto m = parent.step(r, 1);
  parent.usage(r, 1);
  parent.add(message_completed{r, 1, m, "", {{{"c"}, "delegate", "{}"}}, finish_reason::tool_calls, false});
  parent.add(tool_started{r, {"c"}, "delegate", "{}", effect::once, child.id});
  auto work = child.start(child.user("work"));
  child.usage(work, 1, 2'000);
  commit(*s, parent);
  commit(*s, child);
  parent.add(tool_completed{r, {"c"}, "delegate", true, "done", 9, 0, {120, 20, 30}, {2'000}});
  auto last = parent.step(r, 2);
  parent.add(message_completed{r, 2, last, "Done.", {}, finish_reason::stop, false});
  parent.add(run_completed{r, last, trace, {240, 40, 60}, {2'450}, 2});
  commit(*s, parent);

  CHECK(q->run(r)->cost == micro_usd{2'450});
  CHECK(q->run(r)->tokens == token_usage{240, 40, 60});
  CHECK(q->session(parent.id)->cost == micro_usd{2'450});
  CHECK(q->session(child.id)->cost == micro_usd{2'000});
  CHECK(q->tool_calls(parent.id)[0].cost == micro_usd{2'000});
  CHECK(q->tool_calls(parent.id)[0].child == child.id);
  CHECK(q->usage_by_day(parent.project, millis(0)).at(0).cost == micro_usd{2'450});
  CHECK(q->usage_by_day(parent.project, millis(0)).at(0).requests == 2);
  bool seen = false;
  for (const auto& span : q->spans(trace))
    if (span.kind == "tool_call") {
      seen = true;
      CHECK(span.cost == micro_usd{2'000});
    }
  CHECK(seen);
  CHECK(findings_of(folder.path()) == std::vector<std::string>{});
}

TEST_CASE("sub-agents: a bill that comes after the end of the run still counts", "[storage]") {
  temporary_folder folder;
  session_log log;
  auto r = log.start(log.user("x"));
  log.add(tool_started{r, {"c"}, "delegate", "{}", effect::once, make<session_id>()});
  log.add(run_cancelled{r, "ann", false});
  {
    auto s = open_store(folder.path());
    commit(*s, log);
  }
  log.add(tool_completed{r, {"c"}, "delegate", false, "stopped", 9, 0, {10, 0, 1}, {70}});
  auto s = open_store(folder.path());
  commit(*s, log);
  auto q = s->open_queries().value();
  CHECK(q->run(r)->cost == micro_usd{70});
  CHECK(q->run(r)->status == run_status::cancelled);
  CHECK(q->session(log.id)->cost == micro_usd{70});
  CHECK(findings_of(folder.path()) == std::vector<std::string>{});
}

TEST_CASE("sub-agents: their sessions are listed in the order they were made", "[storage]") {
  tools_fixture f;
  session_log parent;
  auto child_of = [&](session_id of, std::uint32_t depth) {
    session_log log;
    auto& created = std::get<session_created>(log.all[0].payload);
    created.parent = of;
    created.parent_call = {"c" + std::to_string(depth)};
    created.depth = depth;
    log.rewrite_last();
    log.add(session_updated{session_status::active, "", std::vector<std::string>{"bob"}, ""});
    return log;
  };
  auto first = child_of(parent.id, 1);
  auto second = child_of(parent.id, 1);
  auto grandchild = child_of(first.id, 2);
  for (auto* log : {&parent, &second, &first, &grandchild}) commit(*f.store, *log);
  auto children = f.q->children(parent.id);
  REQUIRE(children.size() == 2);
  CHECK(children[0].id == second.id);
  CHECK(children[1].id == first.id);
  CHECK(children[1].parent == parent.id);
  CHECK(children[1].parent_call == tool_call_id{"c1"});
  CHECK(children[1].depth == 1);
  CHECK(children[1].participants == std::vector<std::string>{"bob"});
  CHECK(f.q->children(first.id).at(0).depth == 2);
  CHECK(f.q->children(grandchild.id).empty());
  CHECK(f.q->session(parent.id)->parent.is_nil());
  CHECK(f.q->session(grandchild.id)->parent == first.id);
  CHECK(f.q->sessions({{}, {}, {}, "", {}, "bob"}, {}).total == 0);  // lists leave them out unless they are asked for
  CHECK(f.q->sessions({{}, {}, {}, "", {}, "bob", core::millis{0}, true}, {}).total == 3);
  second.add(session_updated{session_status::deleted, ""});
  commit(*f.store, second);
  CHECK(f.q->children(parent.id).size() == 1);
}

TEST_CASE("handoff: what follows is the new agent's, also after a restart", "[storage]") {
  temporary_folder folder;
  session_log log;
  auto r = log.start(log.user("x"));
  log.step(r, 1);
  log.usage(r, 1, 100);
  {
    auto s = open_store(folder.path());
    commit(*s, log);
  }
  log.add(agent_changed{r, {"editor"}, "go on"});
  log.step(r, 2);
  {
    auto s = open_store(folder.path());
    commit(*s, log);
  }
  log.usage(r, 2, 7);
  auto s = open_store(folder.path());
  commit(*s, log);
  auto q = s->open_queries().value();
  CHECK(q->session(log.id)->agent == agent_id{"editor"});
  CHECK(q->run(r)->agent == agent_id{"editor"});
  auto shares = q->usage_by(log.project, millis(0), usage_key::agent, {}).items;
  REQUIRE(shares.size() == 2);
  CHECK(shares[0].key == "writer");
  CHECK(shares[0].cost == micro_usd{100});
  CHECK(shares[1].key == "editor");
  CHECK(shares[1].cost == micro_usd{7});
  CHECK(findings_of(folder.path()) == std::vector<std::string>{});
  auto next = make<run_id>();
  log.add(run_completed{r, {}, {}, {240, 40, 60}, {107}, 2});
  log.add(run_queued{next, log.user("y"), 1});
  commit(*s, log);
  CHECK(q->run(next)->agent == agent_id{"editor"});
  CHECK(SQLite::Database(folder.database()).execAndGet("SELECT config_hash FROM agents WHERE id = 'writer'").getString() ==
        "0000000000000007");
  CHECK(findings_of(folder.path()) == std::vector<std::string>{});
}

TEST_CASE("a live run wakes with everything that happened in it", "[storage]") {
  tools_fixture f;
  session_log log;
  auto r = log.start(log.user("x"));
  auto from = log.all.size() - 1;
  log.add(tool_started{r, {"c"}, "command", "{}", effect::once, make<session_id>(), make<grant_id>()});
  log.add(tool_progress{{"c"}, "half way"});
  log.add(tool_outcome_unknown{r, {"c"}, "command"});
  auto a = make<approval_id>();
  log.add(approval_requested{r, a, {"c"}, "command", "{}", approval_kind::outcome_unknown, "", millis(0), "h", "", "", 2});
  log.add(approval_endorsed{r, a, {"c"}, "bob", "", ""});
  log.add(grant_given{make<grant_id>(), grant_scope::agent, "command", "", millis(0), "bob", a});
  log.add(agent_changed{r, {"editor"}, ""});
  log.add(run_stop_requested{r, "ann"});
  commit(*f.store, log);
  auto state = f.q->session_state(log.id);
  REQUIRE(state);
  REQUIRE(state->live_run.size() == log.all.size() - from);
  for (std::size_t i = 0; i < state->live_run.size(); ++i)
    CHECK(state->live_run[i].payload.index() == log.all[from + i].payload.index());
  CHECK(state->live_run[1].as<tool_started>()->child == std::get<tool_started>(log.all[from + 1].payload).child);
  CHECK(state->live_run[2].as<tool_progress>()->text == "half way");
  CHECK(f.q->run(r)->status == run_status::parked);
  CHECK(f.q->sessions_in_flight() == std::vector{log.id});
}

TEST_CASE("check: what was changed of outputs, grants, calls, sub-agents and questions is named", "[storage]") {
  temporary_folder folder;
  auto s = open_store(folder.path());
  session_log log;
  auto& created = std::get<session_created>(log.all[0].payload);
  created.parent = make<session_id>();
  created.depth = 1;
  log.rewrite_last();
  auto r = log.start(log.user("x"));
  call_tool(log, r, "c", "a long output");
  call_tool(log, r, "c2", "another long output");
  auto a = make<approval_id>();
  log.add(approval_requested{r, a, {"c3"}, "command", "{}", approval_kind::tool, "", millis(0), "h", "p", "{}", 2});
  log.add(approval_endorsed{r, a, {"c3"}, "bob", "", ""});
  log.add(grant_given{make<grant_id>(), grant_scope::agent, "command", R"([{"pointer": "/n", "equals": 0.5}])", millis(0),
                      "bob", a});
  log.usage(r, 1);
  commit(*s, log);
  CHECK(findings_of(folder.path()) == std::vector<std::string>{});
  auto found = [&](const std::string& sql) {
    {
      SQLite::Database db(folder.database(), SQLite::OPEN_READWRITE);
      db.exec("BEGIN; " + sql + "; COMMIT");
    }
    std::string out;
    for (const auto& text : findings_of(folder.path())) out += text + "\n";
    return out;
  };
  CHECK_THAT(found("UPDATE tool_outputs SET data = x'61' WHERE call = 'c'"),
             Contains("output at seq") && Contains("has 1 bytes instead of 13"));
  CHECK_THAT(found("UPDATE tool_outputs SET run = 'x' WHERE call = 'c'"), Contains("run differs"));
  CHECK_THAT(found("DELETE FROM tool_outputs WHERE call = 'c2'"), Contains("the row is missing"));
  CHECK_THAT(
      found("INSERT INTO tool_outputs (session, run, call, seq, data) SELECT session, run, 'c9', 999, data FROM tool_outputs"),
      Contains("output at seq 999: the log has no such row"));
  CHECK_THAT(found("UPDATE grants SET scope = 'project', revoked_by = 'eve'"),
             Contains("scope differs") && Contains("revoked_by differs"));
  CHECK_THAT(found("UPDATE grants SET conditions = ''"), Contains("conditions differs"));
  CHECK_THAT(found("DELETE FROM grants"), Contains("grant") && Contains("the row is missing"));
  CHECK_THAT(found("UPDATE tool_calls SET child = 'x', cost_micro_usd = 9, output_bytes = 1, allowed_by = '" + r.str() + "'"),
             Contains("cost_micro_usd differs") && Contains("output_bytes differs") && Contains("allowed_by differs"));
  CHECK_THAT(found("UPDATE approvals SET deciders = 1, endorsed_by = '', arguments_hash = 'x', answer = '1', choice = 'done'"),
             Contains("deciders differs") && Contains("endorsed_by differs") && Contains("arguments_hash differs") &&
                 Contains("answer differs") && Contains("choice differs"));
  CHECK_THAT(
      found("UPDATE approvals SET origin = '" + r.str() + "', not_by = 'x', prompt = '', schema = ''"),
      Contains("origin differs") && Contains("not_by differs") && Contains("prompt differs") && Contains("schema differs"));
  CHECK_THAT(found("UPDATE sessions SET parent = NULL, depth = 0, agent = 'eve'"),
             Contains("parent differs") && Contains("depth differs") && Contains("agent differs"));
  CHECK_THAT(found("UPDATE usage SET agent = 'eve'"), Contains("usage at seq") && Contains("agent differs"));
}
