// One agent gives work to another, or passes the conversation on.
#include "actors_world.hpp"

#include "actors/agent_tools.hpp"

using namespace troupe;
using namespace troupe::test;

namespace {

/// Agent `a` may delegate to `helper` (on the provider `spare`) and hand over to it.
void with_helper(core::config&, core::project_config& project, core::agent_config& agent) {
  core::agent_config helper;
  helper.id = {"helper"};
  helper.project = {"p"};
  helper.provider = {"spare"};
  helper.model = "s";
  helper.description = "Knows files.";
  helper.instructions = "Help.";
  helper.tools = {"clock", "write_file", "delete_file"};
  helper.price = core::token_price{2'000'000, 2'000'000, 2'000'000};  // a call costs two dollars
  project.agents.emplace(helper.id, std::make_shared<const core::agent_config>(helper));
  agent.delegates = {{"helper"}};
  agent.handoffs = {{"helper"}};
  agent.tools = {"clock"};
}

core::tool_call delegates(std::string task = "Do it.") {
  return {{"c1"}, "delegate", R"({"agent":"helper","task":")" + task + "\"}"};
}

/// The first call of the agent's model delegates; the next one repeats what it was told.
void delegate_once(world& w) {
  w.model->answer = [](const providers::model_request& r) {
    const auto& last = r.history->back();
    return last.role == core::role::tool ? heard_model::says("It says: " + last.content) : heard_model::says("", {delegates()});
  };
}

core::session_record only_child(world& w, const core::session_id& parent) {
  auto children = w.queries()->children(parent);
  REQUIRE(children.size() == 1);
  return children[0];
}

}  // namespace

TEST_CASE("delegation: the sub-agent works in a session of its own and its answer is the call's result") {
  world w(with_helper);
  delegate_once(w);
  w.spare->answer = [](const auto& r) { return heard_model::says("Done: " + r.history->back().content); };
  auto id = w.opened(1, {{"p"}, {"a"}, "watched", {}, {}}, user("ann"));
  (void)w.must<core::message_accepted>(id, user("ann"), say("please"));
  auto answers = w.all<core::message_completed>(id);
  REQUIRE(answers.size() == 2);
  CHECK(answers[1].content == "It says: Done: Do it.");
  auto child = only_child(w, id);
  CHECK(child.agent.str() == "helper");
  CHECK(child.owner == "ann");
  CHECK(child.depth == 1);
  CHECK(child.parent == id);
  REQUIRE(w.spare->asked.size() == 1);
  CHECK(w.spare->asked[0].history->size() == 1);  // it sees the task, not the conversation
  CHECK(w.defects() == "");
}

TEST_CASE("delegation: what the sub-agent costs is the parent's too, and counted once for the project") {
  world w(with_helper);
  delegate_once(w);
  auto id = w.opened(1);
  (void)w.must<core::message_accepted>(id, {}, say("please"));
  auto done = w.all<core::run_completed>(id);
  REQUIRE(done.size() == 1);
  CHECK(done[0].cost == core::micro_usd::from_usd(4));  // two calls of its own and one of the helper
  CHECK(w.record(id).cost == core::micro_usd::from_usd(4));
  CHECK(only_child(w, id).cost == core::micro_usd::from_usd(2));
  core::micro_usd counted;
  for (const auto& day : w.queries()->usage_by_day({"p"}, core::millis{0})) counted += day.cost;
  CHECK(counted == core::micro_usd::from_usd(4));
}

TEST_CASE("delegation: a question of the sub-agent is asked in the parent's session, and decided there") {
  world w(with_helper);
  delegate_once(w);
  w.spare->answer = [](const providers::model_request& r) {
    const auto& last = r.history->back();
    if (last.role == core::role::tool) return heard_model::says("Said: " + last.content);
    return heard_model::says("", {{{"d"}, "delete_file", R"({"path":"a.txt"})"}});
  };
  auto id = w.opened(1);
  (void)w.must<core::message_accepted>(id, {}, say("please"));
  auto cards = w.all<core::approval_requested>(id);
  REQUIRE(cards.size() == 1);
  auto child = only_child(w, id);
  CHECK(cards[0].origin == child.id);
  CHECK(cards[0].tool == "delete_file");
  CHECK(cards[0].action == R"({"path":"a.txt"})");
  core::decide_approval no;
  no.approval = cards[0].approval;
  no.note = "leave it";
  (void)w.must<core::approval_settled>(id, user("bob", core::scope::all), no);
  auto there = w.all<core::approval_decided>(child.id);
  REQUIRE(there.size() == 1);
  CHECK(there[0].decision == core::decision::denied);
  CHECK(there[0].by == "bob");
  CHECK(there[0].note == "leave it");
  CHECK(w.all<core::run_completed>(id).size() == 1);
  CHECK(w.defects() == "");
}

TEST_CASE("delegation: a decision in the sub-agent's own session closes the card in the parent's") {
  world w(with_helper);
  delegate_once(w);
  w.spare->answer = [](const providers::model_request& r) {
    if (r.history->back().role == core::role::tool) return heard_model::says("ok");
    return heard_model::says("", {{{"d"}, "delete_file", R"({"path":"a.txt"})"}});
  };
  auto id = w.opened(1);
  (void)w.must<core::message_accepted>(id, {}, say("please"));
  auto child = only_child(w, id);
  auto asked = w.all<core::approval_requested>(child.id);
  REQUIRE(asked.size() == 1);
  core::decide_approval yes;
  yes.approval = asked[0].approval;
  yes.approved = true;
  (void)w.must<core::approval_settled>(child.id, user("bob", core::scope::all), yes);
  auto here = w.all<core::approval_decided>(id);
  REQUIRE(here.size() == 1);
  CHECK(here[0].decision == core::decision::approved);
  CHECK(here[0].by == "bob");
  CHECK(w.all<core::run_completed>(id).size() == 1);
}

TEST_CASE("delegation: stopping the parent stops the sub-agent") {
  world w(with_helper);
  delegate_once(w);
  w.spare->holds = true;
  auto id = w.opened(1);
  (void)w.must<core::message_accepted>(id, {}, say("please"));
  auto child = only_child(w, id);
  CHECK(w.all<core::run_cancelled>(child.id).empty());
  (void)w.must(id, {}, core::cancel_run{});
  CHECK(w.all<core::run_cancelled>(id).size() == 1);
  CHECK(w.all<core::run_cancelled>(child.id).size() == 1);
  CHECK(w.defects() == "");
}

TEST_CASE("delegation: after a restart the same sub-agent goes on, and works once") {
  for (std::size_t jobs = 0; jobs < 120; jobs += 3) {
    world w(with_helper);
    delegate_once(w);
    w.spare->answer = [](const auto&) { return heard_model::says("Done."); };
    auto id = w.opened(1);
    (void)w.post(id, {}, say("please"));
    w.run_some(jobs);
    w.restart();
    INFO("after " << jobs << " jobs");
    if (w.all<core::message_added>(id).empty()) continue;
    CHECK(w.all<core::run_completed>(id).size() == 1);
    auto child = only_child(w, id);
    CHECK(w.all<core::message_added>(child.id).size() == 1);
    CHECK(w.all<core::run_completed>(child.id).size() == 1);
    CHECK(w.all<core::message_completed>(id).back().content == "It says: Done.");
    CHECK(w.defects() == "");
  }
}

TEST_CASE("delegation: an open question of the sub-agent is one card after a restart, and can be decided") {
  world w(with_helper);
  delegate_once(w);
  w.spare->answer = [](const providers::model_request& r) {
    if (r.history->back().role == core::role::tool) return heard_model::says("ok");
    return heard_model::says("", {{{"d"}, "delete_file", R"({"path":"a.txt"})"}});
  };
  auto id = w.opened(1);
  (void)w.must<core::message_accepted>(id, {}, say("please"));
  w.restart();
  auto cards = w.all<core::approval_requested>(id);
  REQUIRE(cards.size() == 1);
  core::decide_approval yes;
  yes.approval = cards[0].approval;
  yes.approved = true;
  (void)w.must<core::approval_settled>(id, {}, yes);
  CHECK(w.all<core::run_completed>(id).size() == 1);
  CHECK(w.all<core::run_completed>(only_child(w, id).id).size() == 1);
  CHECK(w.defects() == "");
}

TEST_CASE("delegation: a sub-agent that fails is a failed result, and the run goes on") {
  world w(with_helper);
  delegate_once(w);
  w.spare->answer = [](const auto&) { return heard_model::fails("no such model", false); };
  auto id = w.opened(1);
  (void)w.must<core::message_accepted>(id, {}, say("please"));
  CHECK(w.all<core::message_completed>(id).back().content == "It says: The agent helper failed: no such model");
}

TEST_CASE("delegation: only agents of the list are offered, and nothing is delegated below the depth limit") {
  core::config config;
  core::agent_config helper;
  helper.id = {"helper"};
  helper.description = "Knows files.";
  config.projects[{"p"}].agents.emplace(helper.id, std::make_shared<const core::agent_config>(helper));
  core::agent_config agent;
  agent.project = {"p"};
  agent.delegates = {{"helper"}};
  agent.limits.max_depth = 2;
  auto tools = actors::agent_tools(agent, config, 1);
  REQUIRE(tools.size() == 1);
  CHECK(tools[0]->spec().description.find("helper: Knows files.") != std::string::npos);
  CHECK(tools[0]->check(R"({"agent":"helper","task":"x"})").has_value());
  CHECK(tools[0]->check(R"({"agent":"other","task":"x"})").has_error());
  CHECK(tools[0]->check(R"({"agent":"helper"})").has_error());
  CHECK(actors::agent_tools(agent, config, 2).empty());
}

TEST_CASE("handoff: the other agent answers from here on, with its own instructions and model") {
  world w(with_helper);
  w.model->answer = [](const auto&) {
    return heard_model::says("", {{{"h"}, "handoff", R"({"agent":"helper","note":"wants a file"})"}});
  };
  w.spare->answer = [](const auto&) { return heard_model::says("Helper here."); };
  auto id = w.opened(1);
  (void)w.must<core::message_accepted>(id, {}, say("please"));
  auto changed = w.all<core::agent_changed>(id);
  REQUIRE(changed.size() == 1);
  CHECK(changed[0].agent.str() == "helper");
  CHECK(w.record(id).agent.str() == "helper");
  REQUIRE(w.spare->asked.size() == 1);
  CHECK(w.spare->asked[0].instructions == "Help.");
  CHECK(w.spare->asked[0].history->front().content == "please");
  CHECK(w.all<core::message_completed>(id).back().content == "Helper here.");
  (void)w.must<core::message_accepted>(id, {}, say("more"));
  CHECK(w.spare->asked.size() == 2);
  w.restart();
  (void)w.must<core::message_accepted>(id, {}, say("and more"));
  CHECK(w.spare->asked.size() == 3);
  CHECK(w.defects() == "");
}
