// What a copy takes over of a log with sub-agents, approvals, grants and handoffs.
#include "actors/fork.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::core;

namespace {

struct counting_environment final : environment {
  std::uint64_t n = 100;
  [[nodiscard]] millis now() const noexcept override { return millis(5); }
  [[nodiscard]] uuid new_uuid() override { return {++n, 7}; }
  [[nodiscard]] uuid random_uuid() override { return {++n, 8}; }
};

struct fixture {
  counting_environment ids;
  actors::fork_fold fold{ids};
  seq_t seq = 0;
  const run_id run{{1, 1}};
  const message_id question{{2, 1}};
  const approval_id asked{{3, 1}};
  const approval_id mirror{{3, 2}};

  void add(event_payload p) {
    ++seq;
    fold.take({seq, seq, millis(0), std::move(p)});
  }
  void begin() {
    add(session_created{{"demo"}, {"writer"}, "nexus", "", "ann", ""});
    start(run);
  }
  void start(run_id r) {
    add(message_added{question, role::user, "do it", "ann", ""});
    add(run_started{r, question, {{2, 2}}, {{9, 9}}, {"writer"}, 1, millis(0)});
  }
  template <class T>
  std::vector<T> all() {
    std::vector<T> out;
    for (const auto& fact : fold.facts())
      if (const auto* one = std::get_if<T>(&fact)) out.push_back(*one);
    return out;
  }
};

}  // namespace

TEST_CASE("fork fold: sub-agents, their questions, their cost and remembered approvals stay behind") {
  fixture f;
  f.begin();
  f.add(tool_started{f.run, {"c"}, "delegate", "{}", effect::once, session_id{{4, 1}}, grant_id{{5, 1}}});
  approval_requested shown{f.run, f.mirror, {"c"}, "delete_file", "{}", approval_kind::tool, "", millis(0)};
  shown.origin = {{4, 1}};
  f.add(shown);
  f.add(approval_endorsed{f.run, f.mirror, {"c"}, "bob", "", ""});
  f.add(approval_decided{f.run, f.mirror, {"c"}, decision::approved, "eve", "", ""});
  f.add(grant_given{{{5, 2}}, grant_scope::session, "delete_file", "", millis(0), "eve", f.mirror});
  f.add(grant_revoked{{{5, 2}}, "eve"});
  f.add(tool_progress{{"c"}, "half way"});
  f.add(tool_completed{f.run, {"c"}, "delegate", true, "begin", 5, 70'000, {10, 0, 2}, {30}});
  f.add(run_stop_requested{f.run, "ann"});
  f.add(run_cancelled{f.run, "ann", true});

  auto started = f.all<tool_started>();
  REQUIRE(started.size() == 1);
  CHECK(started[0].child.is_nil());
  CHECK(started[0].allowed_by.is_nil());
  auto completed = f.all<tool_completed>();
  REQUIRE(completed.size() == 1);
  CHECK(completed[0].child_cost.value == 0);
  CHECK(completed[0].child_tokens == token_usage{});
  CHECK(completed[0].output_bytes == 70'000);
  CHECK(f.all<approval_requested>().empty());
  CHECK(f.all<approval_endorsed>().empty());
  CHECK(f.all<approval_decided>().empty());
  CHECK(f.all<grant_given>().empty());
  CHECK(f.all<grant_revoked>().empty());
  CHECK(f.all<tool_progress>().empty());
  CHECK(f.all<run_stop_requested>().empty());
  CHECK(f.all<run_cancelled>().size() == 1);
}

TEST_CASE("fork fold: questions that were asked here keep who said what, under ids of their own") {
  fixture f;
  f.begin();
  f.add(tool_started{f.run, {"c"}, "command", "{}", effect::once});
  f.add(tool_outcome_unknown{f.run, {"c"}, "command"});
  f.add(approval_requested{
      f.run, f.asked, {"c"}, "command", "{}", approval_kind::outcome_unknown, "", millis(0), "h", "", "", 2});
  f.add(approval_endorsed{f.run, f.asked, {"c"}, "bob", "", ""});
  f.add(approval_decided{f.run, f.asked, {"c"}, decision::approved, "eve", "", "", outcome_choice::done, "", "h"});
  f.add(run_completed{f.run, {{2, 2}}, {{9, 9}}, {1, 0, 1}, {7}, 1});

  REQUIRE(f.all<approval_requested>().size() == 1);
  auto id = f.all<approval_requested>()[0].approval;
  CHECK(id != f.asked);
  CHECK(f.all<approval_requested>()[0].deciders == 2);
  CHECK(f.all<approval_requested>()[0].run == f.all<run_started>()[0].run);
  REQUIRE(f.all<approval_endorsed>().size() == 1);
  CHECK(f.all<approval_endorsed>()[0].approval == id);
  CHECK(f.all<approval_endorsed>()[0].run == f.all<run_started>()[0].run);
  CHECK(f.all<approval_decided>()[0].approval == id);
  CHECK(f.all<approval_decided>()[0].choice == outcome_choice::done);
  CHECK(f.all<tool_outcome_unknown>().size() == 1);
}

TEST_CASE("fork fold: a copy begins with the agent that had the conversation then") {
  fixture f;
  f.begin();
  f.add(agent_changed{f.run, {"editor"}, "go on"});
  CHECK(f.fold.agent() == agent_id{"writer"});
  CHECK(f.all<agent_changed>().empty());  // its run has not ended
  f.add(run_completed{f.run, {{2, 2}}, {{9, 9}}, {}, {}, 1});
  CHECK(f.fold.agent() == agent_id{"writer"});
  REQUIRE(f.all<agent_changed>().size() == 1);
  CHECK(f.all<agent_changed>()[0].agent == agent_id{"editor"});
  CHECK(f.all<agent_changed>()[0].run == f.all<run_started>()[0].run);
  f.add(history_cleared{"ann"});
  CHECK(f.fold.facts().empty());
  CHECK(f.fold.agent() == agent_id{"editor"});
  f.start({{1, 2}});
  f.add(run_completed{{{1, 2}}, {{2, 2}}, {{9, 9}}, {}, {}, 1});
  CHECK(f.fold.agent() == agent_id{"editor"});
}
