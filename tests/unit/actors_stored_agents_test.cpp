// Agents that change while sessions use them: a run keeps the version it began with, the next one takes the new one.
#include "actors_approval_world.hpp"

using namespace troupe;
using namespace troupe::test;
using core::errc;

namespace {

/// A session of the stored agent `s`, whose calls of `desk` ask.
struct stored_world {
  std::shared_ptr<core::agent_catalogue> stored;
  core::agent_config basis;
  std::map<std::uint64_t, core::agent_config> on_disk;
  std::shared_ptr<tool_desk> desk = std::make_shared<tool_desk>();
  world w;
  core::session_id session;

  stored_world()
      : w(
            [&](core::config& c, core::project_config&, core::agent_config& a) {
              stored = c.stored;
              basis = a;
            },
            [&](tools::toolbox& box) { REQUIRE(box.add(desk_tool_named(desk, "desk")).has_value()); }) {
    stored->read_versions_from([this](const auto&, const auto&, std::uint64_t hash) -> core::agent_ptr {
      auto found = on_disk.find(hash);
      return found == on_disk.end() ? nullptr : std::make_shared<const core::agent_config>(found->second);
    });
    basis.id = {"s"};
    basis.tools = {"desk"};
    basis.approval["desk"] = approval_world::always();
    publish(1, "first");
    session = w.opened(1, {{"p"}, {"s"}, "watched", {}, {}}, user("alice"));
  }
  void publish(std::uint32_t version, const std::string& model) {
    auto agent = basis;
    agent.model = model;
    agent.hash = version * 1'000;
    on_disk[agent.hash] = agent;
    core::stored_agent entry;
    entry.version = version;
    entry.agent = std::make_shared<const core::agent_config>(std::move(agent));
    stored->publish({"p"}, {"s"}, std::move(entry));
  }
  void remove(std::uint32_t version) {
    core::stored_agent entry;
    entry.version = version;
    entry.deleted = true;
    stored->publish({"p"}, {"s"}, std::move(entry));
  }
  core::approval_id parked() {
    ask_for(w, {call_of("c", "desk", R"({"path":"a"})")});
    w.must<core::message_accepted>(session, user("alice"), say("go"));
    auto asked = w.all<core::approval_requested>(session);
    REQUIRE(asked.size() == 1);
    return asked[0].approval;
  }
  void approve_and_finish(const core::approval_id& id) {
    w.must<core::approval_settled>(session, user("alice"), approve(id));
    REQUIRE(desk->calls.size() == 1);
    desk->calls[0]->done("ok");
    w.settle();
    CHECK(end_of_run(w, session) == "completed");
    CHECK(w.defects().empty());
  }
  [[nodiscard]] std::vector<std::string> models() const {
    std::vector<std::string> out;
    for (const auto& request : w.model->asked) out.push_back(request.model);
    return out;
  }
};

}  // namespace

TEST_CASE("stored agents: a run that waits goes on with the version it began with, the next takes the new one") {
  stored_world s;
  const bool restarts = GENERATE(false, true);
  auto id = s.parked();
  s.publish(2, "second");
  if (restarts) s.w.restart();
  s.approve_and_finish(id);
  CHECK(s.models() == std::vector<std::string>{"first", "first"});
  s.w.must<core::message_accepted>(s.session, user("alice"), say("again"));
  CHECK(s.models().back() == "second");
}

TEST_CASE("stored agents: deleting one does not end its runs, but no new one starts") {
  stored_world s;
  const bool restarts = GENERATE(false, true);
  auto id = s.parked();
  s.remove(2);
  if (restarts) s.w.restart();
  s.approve_and_finish(id);
  CHECK(s.w.refused(s.session, user("alice"), say("again")).code == errc::not_found);
  s.publish(3, "third");
  s.w.must<core::message_accepted>(s.session, user("alice"), say("again"));
  CHECK(s.models().back() == "third");
}

TEST_CASE("stored agents: one that cannot be used any more says why to who writes") {
  stored_world s;
  core::stored_agent broken;
  broken.version = 2;
  broken.problem = "/provider: is gone";
  s.stored->publish({"p"}, {"s"}, broken);
  auto refused = s.w.refused(s.session, user("alice"), say("hello"));
  CHECK(refused.code == errc::not_found);
  CHECK(refused.text == "Agent s is stored but cannot be used: /provider: is gone");
}

TEST_CASE("stored agents: what waited when its agent was deleted goes on when somebody writes after it is made again") {
  stored_world s;
  auto id = s.parked();
  s.w.must<core::message_accepted>(s.session, user("alice"), say("waits"));
  s.remove(2);
  s.approve_and_finish(id);
  CHECK(s.w.all<core::run_started>(s.session).size() == 1);
  s.publish(3, "third");
  s.w.model->answer = [](const auto&) { return heard_model::says("Hello."); };
  s.w.must<core::message_accepted>(s.session, user("alice"), say("and this"));
  CHECK(s.w.all<core::run_completed>(s.session).size() == 3);
  CHECK(s.models() == std::vector<std::string>{"first", "first", "third", "third"});
  CHECK(s.w.defects().empty());
}
