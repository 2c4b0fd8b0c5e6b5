// Who may see a session and what they may do with it.
#include "actors_world.hpp"

using namespace troupe;
using namespace troupe::test;
using core::errc;

namespace {

const core::principal alice = user("alice");
const core::principal bob = user("bob");
const core::principal root = user("root", core::scope::all);

core::open_session opening() { return {{"p"}, {"a"}, "test", {}, {}}; }

core::update_session sharing_with(std::vector<std::string> ids) { return {std::nullopt, std::move(ids), std::nullopt}; }

}  // namespace

TEST_CASE("access: a session of another principal is answered as if there were none") {
  world w;
  auto id = w.opened(1, opening(), alice);
  const auto missing = w.refused({{9, 99}}, bob, say("hi"));
  for (const core::command& c :
       {core::command{say("hi")}, core::command{opening()}, core::command{core::cancel_run{}},
        core::command{core::clear_history{}}, core::command{core::fork_session{id, 5}}, core::command{file("a", "b", "c")}}) {
    auto e = w.refused(id, bob, c);
    CHECK(e.code == errc::not_found);
    CHECK(e.text == "Session not found: " + id.str());
  }
  CHECK(missing.text == "Session not found: " + core::session_id{{9, 99}}.str());
  CHECK(w.all<core::message_added>(id).empty());
  (void)w.must<core::message_accepted>(id, root, say("hi"));
}

TEST_CASE("access: participants talk, and see the session no more once they are taken out") {
  world w;
  auto id = w.opened(1, opening(), alice);
  w.must(id, alice, sharing_with({"bob", "carol", "bob"}));
  CHECK(w.record(id).participants == std::vector<std::string>{"bob", "carol"});
  (void)w.must<core::message_accepted>(id, bob, say("hi"));
  auto said = w.all<core::message_added>(id);
  REQUIRE(said.size() == 1);
  CHECK(said[0].author == "bob");
  CHECK(said[0].author_name == "bob");
  w.restart();
  (void)w.must<core::message_accepted>(id, bob, say("again"));
  w.must(id, alice, sharing_with({"carol"}));
  CHECK(w.refused(id, bob, say("hi")).code == errc::not_found);
}

TEST_CASE("access: only the owner and admins share, close and clear a session") {
  world w;
  auto id = w.opened(1, opening(), alice);
  w.must(id, alice, sharing_with({"bob"}));
  for (const core::command& c : {core::command{sharing_with({"bob", "eve"})}, core::command{core::clear_history{}},
                                 core::command{core::change_status{core::session_status::deleted}}}) {
    CHECK(w.refused(id, bob, c).code == errc::forbidden);
    w.must(id, root, c);
  }
  // A name is everybody's.
  world v;
  auto other = v.opened(1, opening(), alice);
  v.must(other, alice, sharing_with({"bob"}));
  v.must(other, bob, core::update_session{"Bob's name", std::nullopt, std::nullopt});
  CHECK(v.record(other).title == "Bob's name");
}

TEST_CASE("access: a scope that is missing is named") {
  world w([](auto&, auto&, core::agent_config& agent) {
    agent.tools = {"write_file"};
    agent.approval["write_file"].policy = core::approval_policy::always;
  });
  w.model->answer = [](const providers::model_request& r) {
    if (r.history->back().role == core::role::tool) return heard_model::says("done");
    return heard_model::says("", {{{"c"}, "write_file", R"({"path": "a", "content": "b"})"}});
  };
  auto id = w.opened(1, opening(), alice);
  w.must(id, alice, sharing_with({"reader", "talker"}));
  auto reader = user("reader", core::scope::read);
  for (const core::command& c : {core::command{say("hi")}, core::command{core::react{{{1, 1}}, "x", true}},
                                 core::command{file("a", "b", "c")}, core::command{core::cancel_run{}}}) {
    auto e = w.refused(id, reader, c);
    CHECK(e.code == errc::forbidden);
    CHECK(e.text.find("\"chat\"") != std::string::npos);
  }
  CHECK(w.refused({{9, 2}}, reader, opening()).code == errc::forbidden);
  // Who only reads may find out that the session is there.
  CHECK_FALSE(w.must<core::session_opened>(id, reader, opening()).created);

  auto talker = user("talker", core::scope::chat);
  (void)w.must<core::message_accepted>(id, talker, say("write"));
  auto asked = w.all<core::approval_requested>(id);
  REQUIRE(asked.size() == 1);
  core::decide_approval yes{asked[0].approval, {}, true, {}, {}};
  auto e = w.refused(id, talker, yes);
  CHECK(e.code == errc::forbidden);
  CHECK(e.text.find("\"approve\"") != std::string::npos);
  auto settled = w.must<core::approval_settled>(id, alice, yes);
  CHECK(settled.by == "alice");
  CHECK(w.all<core::run_completed>(id).size() == 1);
}

TEST_CASE("access: an approval of another session is not told") {
  world w([](auto&, auto&, core::agent_config& agent) {
    agent.tools = {"write_file"};
    agent.approval["write_file"].policy = core::approval_policy::always;
  });
  w.model->answer = [](const providers::model_request& r) {
    if (r.history->back().role == core::role::tool) return heard_model::says("done");
    return heard_model::says("", {{{"c"}, "write_file", R"({"path": "a", "content": "b"})"}});
  };
  auto hers = w.opened(1, opening(), alice);
  auto his = w.opened(2, opening(), bob);
  (void)w.must<core::message_accepted>(hers, alice, say("write"));
  auto asked = w.all<core::approval_requested>(hers);
  REQUIRE(asked.size() == 1);
  core::decide_approval no{asked[0].approval, {}, false, "secret", {}};
  CHECK(w.refused(his, bob, no).code == errc::not_found);
  (void)w.must<core::approval_settled>(hers, alice, no);
  CHECK(w.refused(his, bob, no).code == errc::not_found);
}

TEST_CASE("access: only an admin opens a session for somebody else") {
  world w;
  auto for_alice = opening();
  for_alice.owner = "alice";
  CHECK(w.refused({{9, 1}}, bob, for_alice).code == errc::forbidden);
  auto id = w.opened(2, for_alice, root);
  CHECK(w.record(id).owner == "alice");
  auto own = w.opened(3, for_alice, alice);
  CHECK(w.record(own).owner == "alice");
  // Without auth there is one principal, who may do everything.
  auto anonymous = w.opened(4, for_alice, {});
  CHECK(w.record(anonymous).owner == "alice");
}

TEST_CASE("access: expired credentials carry nothing out") {
  world w;
  auto id = w.opened(1, opening(), alice);
  auto late = alice;
  late.expires_at = w.environment->now() + core::millis{1'000};
  (void)w.must<core::message_accepted>(id, late, say("hi"));
  w.advance(std::chrono::milliseconds{1'000});
  CHECK(w.refused(id, late, say("hi")).code == errc::auth_failed);
}
