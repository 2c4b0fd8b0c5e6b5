// A world in which people decide about the calls of one agent. For tests of approvals.
#pragma once

#include "actors_tool_desk.hpp"

namespace troupe::test {

inline boost::json::object arguments(std::string_view text) {
  return boost::json::parse({text.data(), text.size()}).as_object();
}

inline core::principal admin(std::string id) { return user(std::move(id), core::scope::all); }

/// A session of alice's, in which bob and carol take part, whose agent has the tool `desk`.
struct approval_world {
  std::shared_ptr<tool_desk> desk = std::make_shared<tool_desk>();
  world w;
  core::session_id session;

  explicit approval_world(core::tool_approval demand = always(), const world::change& more = {})
      : w(
            [&](core::config& c, core::project_config& p, core::agent_config& a) {
              a.tools = {"desk", "other"};
              a.approval["desk"] = std::move(demand);
              if (more) more(c, p, a);
            },
            [&](tools::toolbox& box) {
              REQUIRE(box.add(desk_tool_named(desk, "desk")).has_value());
              REQUIRE(box.add(desk_tool_named(desk, "other")).has_value());
            }) {
    session = opened(1);
  }
  static core::tool_approval always() {
    core::tool_approval out;
    out.policy = core::approval_policy::always;
    return out;
  }
  static core::tool_approval two_people() {
    auto out = always();
    out.deciders = 2;
    return out;
  }
  core::session_id opened(std::uint64_t n) {
    auto id = w.opened(n, {{"p"}, {"a"}, "watched", {}, {}}, user("alice"));
    core::update_session update;
    update.participants = std::vector<std::string>{"alice", "bob", "carol"};
    w.must(id, user("alice"), update);
    return id;
  }
  /// A run that asks for these; the question about the first.
  core::approval_id run(std::vector<core::tool_call> calls = {call_of("c", "desk", R"({"path":"a"})")}) {
    ask_for(w, std::move(calls));
    w.must<core::message_accepted>(session, user("alice"), say("go"));
    auto asked = all<core::approval_requested>();
    REQUIRE_FALSE(asked.empty());
    return asked.back().approval;
  }
  template <class Kind>
  std::vector<Kind> all() {
    return w.all<Kind>(session);
  }
  core::approval_settled decide(const std::string& who, core::decide_approval what) {
    return w.must<core::approval_settled>(session, user(who), std::move(what));
  }
  core::error refusal(core::principal who, core::decide_approval what) {
    return w.refused(session, std::move(who), std::move(what));
  }
  /// The call that runs is done; the run ends.
  void finish() {
    for (const auto& c : desk->calls)
      if (!c->is_given_up) c->done("ok");
    w.settle();
    CHECK(end_of_run(w, session) == "completed");
    CHECK(w.defects().empty());
  }
};

inline core::decide_approval edited(const core::approval_id& id, std::string input) {
  auto out = approve(id);
  out.edited_input = std::move(input);
  return out;
}

}  // namespace troupe::test
