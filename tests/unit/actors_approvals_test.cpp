// Approvals: when they are asked for, which decisions count, what is remembered, what calls ask while they run.
#include "actors/tool_policy.hpp"
#include "actors_tool_desk.hpp"
#include "tools/argument_tests.hpp"

using namespace troupe;
using namespace troupe::test;
using core::approval_decided;
using core::approval_endorsed;
using core::approval_policy;
using core::approval_requested;
using core::approval_settled;
using core::decision;
using core::errc;
using std::chrono::milliseconds;

namespace {

boost::json::object arguments(std::string_view text) { return boost::json::parse({text.data(), text.size()}).as_object(); }

core::principal admin(std::string id) { return user(std::move(id), core::scope::all); }

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
    out.policy = approval_policy::always;
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
    auto asked = all<approval_requested>();
    REQUIRE_FALSE(asked.empty());
    return asked.back().approval;
  }
  template <class Kind>
  std::vector<Kind> all() {
    return w.all<Kind>(session);
  }
  approval_settled decide(const std::string& who, core::decide_approval what) {
    return w.must<approval_settled>(session, user(who), std::move(what));
  }
  core::error refusal(core::principal who, core::decide_approval what) { return w.refused(session, std::move(who), std::move(what)); }
  /// The call that runs is done; the run ends.
  void finish() {
    for (const auto& c : desk->calls)
      if (!c->is_given_up) c->done("ok");
    w.settle();
    CHECK(end_of_run(w, session) == "completed");
    CHECK(w.defects().empty());
  }
};

core::decide_approval edited(const core::approval_id& id, std::string input) {
  auto out = approve(id);
  out.edited_input = std::move(input);
  return out;
}

}  // namespace

// ---- the policy ----

TEST_CASE("approval policy: the most precise entry holds, then its first rule that fits") {
  core::agent_config agent;
  tools::tool_spec tool;
  tool.name = "box.send";
  tool.source = "box";
  tool.risk = "medium";
  auto demand = [&](std::string_view input = "{}") { return actors::demand_of(agent, tool, arguments(input)); };
  CHECK_FALSE(demand().asks);
  tool.approval = approval_policy::always;
  CHECK(demand().asks);
  CHECK(demand().risk == "medium");
  agent.approval["*"].policy = approval_policy::never;
  CHECK_FALSE(demand().asks);
  agent.approval["box"].policy = approval_policy::by_effect;
  CHECK(demand().asks);
  tool.effect = core::effect::idempotent;
  CHECK_FALSE(demand().asks);
  // An entry that says nothing of the policy leaves the tool's own.
  agent.approval["box.send"].risk = "high";
  CHECK(demand().asks);
  CHECK(demand().risk == "high");
  auto tests = [](std::string_view text) { return *tools::argument_tests_from(text); };
  agent.approval["box.send"].rules = {
      {tests(R"([{"argument":"/to","matches":"@example\\.org$"}])"), approval_policy::never, ""},
      {tests(R"([{"argument":"/amount","greater":100}])"), approval_policy::always, "extreme"}};
  agent.approval["box.send"].policy = approval_policy::never;
  CHECK_FALSE(demand(R"({"to":"a@example.org","amount":1000})").asks);
  CHECK(demand(R"({"to":"a@example.com","amount":1000})").asks);
  CHECK(demand(R"({"to":"a@example.com","amount":1000})").risk == "extreme");
  CHECK_FALSE(demand(R"({"to":"a@example.com","amount":10})").asks);
}

TEST_CASE("approval policy: a question tells what it is about and what it demands") {
  auto demand = approval_world::two_people();
  demand.not_requester = true;
  demand.risk = "high";
  approval_world a(demand);
  a.run();
  auto asked = only_question(a.w, a.session);
  CHECK(asked.kind == core::approval_kind::tool);
  CHECK(asked.action == R"({"path":"a"})");
  CHECK(asked.arguments_hash == tools::arguments_hash(arguments(R"({"path":"a"})")));
  CHECK(asked.deciders == 2);
  CHECK(asked.not_by == "alice");
  CHECK(asked.risk == "high");
  CHECK(asked.expires_at == a.w.environment->now() + std::chrono::hours{24});
  CHECK(a.desk->calls.empty());
}

TEST_CASE("approval policy: of parallel calls those that ask nobody go on, and the model hears of all together") {
  approval_world a;
  auto id = a.run({call_of("c", "desk"), call_of("d", "other")});
  REQUIRE(a.desk->calls.size() == 1);
  CHECK(a.desk->last().tool == "other");
  a.desk->last().done("other is done");
  a.w.settle();
  CHECK(a.w.model->asked.size() == 1);
  a.decide("bob", approve(id));
  REQUIRE(a.desk->calls.size() == 2);
  a.desk->last().done("desk is done");
  a.w.settle();
  auto results = results_of(a.w);
  REQUIRE(results.size() == 2);
  CHECK(results[0].content == "desk is done");
  CHECK(results[1].content == "other is done");
  a.finish();
}

// ---- decisions ----

TEST_CASE("decisions: who sent the message may be kept from deciding, and others decide") {
  auto demand = approval_world::always();
  demand.not_requester = true;
  approval_world a(demand);
  auto id = a.run();
  CHECK(a.refusal(user("alice"), approve(id)).code == errc::forbidden);
  CHECK(a.refusal(user("alice"), deny(id)).code == errc::forbidden);
  a.w.restart();  // who sent it is known from the log then
  CHECK(a.refusal(user("alice"), approve(id)).code == errc::forbidden);
  CHECK(a.decide("bob", approve(id)).won);
  a.finish();
}

TEST_CASE("decisions: one that comes too late is none, though no timer has run") {
  approval_world a;
  auto id = a.run();
  // The clock on the wall moves, the timers' does not.
  a.w.environment->set_now(a.w.environment->now() + std::chrono::hours{24});
  auto said = a.decide("bob", approve(id));
  CHECK_FALSE(said.won);
  CHECK(said.decision == decision::expired);
  CHECK(a.desk->calls.empty());
  CHECK(results_of(a.w)[0].content == "Nobody approved this call in time; it was not carried out.");
}

TEST_CASE("decisions: edited arguments must fit before they count, and are what runs") {
  approval_world a;
  auto id = a.run();
  auto why = a.refusal(user("bob"), edited(id, R"({"path":7})"));
  CHECK(why.code == errc::validation_error);
  CHECK(why.text.find("/path") != std::string::npos);
  CHECK(a.refusal(user("bob"), edited(id, "no json")).code == errc::validation_error);
  CHECK(a.all<approval_decided>().empty());
  CHECK(a.decide("bob", edited(id, R"({ "path" : "b" })")).won);
  auto decided = a.all<approval_decided>();
  REQUIRE(decided.size() == 1);
  CHECK(decided[0].edited_input == R"({"path":"b"})");
  CHECK(decided[0].arguments_hash == tools::arguments_hash(arguments(R"({"path":"b"})")));
  CHECK(a.desk->last().arguments == arguments(R"({"path":"b"})"));
  a.finish();
}

TEST_CASE("decisions: who looked at other arguments decides nothing") {
  approval_world a;
  auto id = a.run();
  auto stale = approve(id);
  stale.arguments_hash = tools::arguments_hash(arguments(R"({"path":"z"})"));
  auto why = a.refusal(user("bob"), stale);
  CHECK(why.code == errc::approval_not_pending);
  CHECK(why.text.find("not the ones you looked at") != std::string::npos);
  stale.arguments_hash = only_question(a.w, a.session).arguments_hash;
  CHECK(a.decide("bob", stale).won);
  a.finish();
}

TEST_CASE("decisions: what has no place in one is refused and leaves it open") {
  approval_world a;
  auto id = a.run();
  auto with = [&](auto change) {
    auto d = approve(id);
    change(d);
    return a.refusal(user("bob"), d).code;
  };
  CHECK(with([](auto& d) { d.choice = core::outcome_choice::retry; }) == errc::validation_error);
  CHECK(with([](auto& d) { d.answer = "{}"; }) == errc::validation_error);
  CHECK(with([](auto& d) { d.note = std::string(4'001, 'x'); }) == errc::validation_error);
  CHECK(a.refusal(user("bob", core::scope::chat | core::scope::read), approve(id)).code == errc::forbidden);
  CHECK(a.refusal(user("eve"), approve(id)).code == errc::not_found);
  CHECK(a.all<approval_decided>().empty());
  a.decide("bob", approve(id));
  a.finish();
}

TEST_CASE("decisions: of many that race one wins, and the others are told which") {
  for (std::size_t jobs : {0U, 1U, 3U, 5U, 8U, 13U, 40U}) {
    INFO("jobs between them: " << jobs);
    approval_world a;
    auto id = a.run();
    std::vector<std::shared_ptr<std::optional<world::reply>>> said;
    for (const auto* who : {"alice", "bob", "carol"}) {
      said.push_back(a.w.post(a.session, user(who), who == std::string("bob") ? deny(id) : approve(id)));
      a.w.run_some(jobs);
    }
    a.w.settle();
    std::size_t winners = 0;
    for (const auto& r : said) {
      REQUIRE(r->has_value());
      REQUIRE(r->value().has_value());
      auto s = std::get<approval_settled>(*r->value());
      winners += s.won;
      CHECK(s.by == "alice");
      CHECK(s.decision == decision::approved);
    }
    CHECK(winners == 1);
    CHECK(a.all<approval_decided>().size() == 1);
    CHECK(a.desk->calls.size() == 1);
  }
}

TEST_CASE("decisions: one survives a model that fails right after it") {
  approval_world a;
  auto id = a.run();
  a.w.model->answer = [](const auto&) { return heard_model::fails("broken", false); };
  a.decide("bob", approve(id));
  a.desk->last().done("written");
  a.w.settle();
  CHECK(end_of_run(a.w, a.session) == "failed: broken");
  CHECK(a.all<approval_decided>().size() == 1);
  a.w.restart();
  CHECK(a.decide("carol", deny(id)).by == "bob");
  a.w.model->answer = [](const auto&) { return heard_model::says("Hello."); };
  a.w.must<core::message_accepted>(a.session, user("alice"), say("again"));
  REQUIRE(results_of(a.w).size() == 1);
  CHECK(results_of(a.w)[0].content == "written");
  CHECK(a.desk->calls.size() == 1);
  CHECK(a.w.defects().empty());
}

TEST_CASE("decisions: a run that ends while one is on its way has one decision of it in its log") {
  for (std::size_t jobs = 0; jobs < 30; ++jobs) {
    INFO("jobs between decision and cancel: " << jobs);
    approval_world a;
    auto id = a.run();
    auto said = a.w.post(a.session, user("bob"), approve(id));
    a.w.run_some(jobs);
    a.w.must(a.session, user("alice"), core::cancel_run{});
    REQUIRE(said->has_value());
    CHECK(a.all<approval_decided>().size() == 1);
    CHECK(a.all<core::tool_completed>().size() == 1);
    CHECK(a.w.defects().empty());
  }
}

// ---- two people ----

TEST_CASE("two people: both must approve, the same person counts once, one denial settles") {
  approval_world a(approval_world::two_people());
  auto id = a.run();
  auto first = a.decide("alice", approve(id));
  CHECK(first.is_pending);
  CHECK(a.decide("alice", approve(id)).is_pending);
  CHECK(a.all<approval_endorsed>().size() == 1);
  CHECK(a.all<approval_decided>().empty());
  CHECK(a.desk->calls.empty());
  bool denies = GENERATE(false, true);
  if (denies) {
    CHECK(a.decide("bob", deny(id)).decision == decision::denied);
    CHECK(results_of(a.w)[0].content.starts_with("The user denied this call"));
    CHECK(a.desk->calls.empty());
  } else {
    auto second = a.decide("bob", approve(id));
    CHECK(second.won);
    CHECK_FALSE(second.is_pending);
    a.finish();
  }
}

TEST_CASE("two people: the first approval survives a restart") {
  approval_world a(approval_world::two_people());
  auto id = a.run();
  a.decide("alice", edited(id, R"({"path":"b"})"));
  a.w.restart();
  CHECK(a.decide("alice", approve(id)).is_pending);
  CHECK(a.decide("bob", approve(id)).won);
  CHECK(a.desk->last().arguments == arguments(R"({"path":"b"})"));
  a.finish();
}

TEST_CASE("two people: who edits proposes something else, and it starts over") {
  approval_world a(approval_world::two_people());
  auto id = a.run();
  auto original = only_question(a.w, a.session).arguments_hash;
  CHECK(a.decide("alice", approve(id)).is_pending);
  CHECK(a.decide("bob", edited(id, R"({"path":"b"})")).is_pending);
  // Alice approved what was asked first; who still looks at that is told so.
  auto stale = approve(id);
  stale.arguments_hash = original;
  CHECK(a.refusal(user("carol"), stale).code == errc::approval_not_pending);
  CHECK(a.decide("bob", approve(id)).is_pending);
  CHECK(a.desk->calls.empty());
  CHECK(a.decide("alice", approve(id)).won);
  auto decided = a.all<approval_decided>();
  REQUIRE(decided.size() == 1);
  CHECK(decided[0].edited_input == R"({"path":"b"})");
  CHECK(a.desk->last().arguments == arguments(R"({"path":"b"})"));
  a.finish();
}

// ---- what is remembered ----

TEST_CASE("remembered approvals: the same call asks nobody any more, another one does") {
  approval_world a;
  auto d = approve(a.run());
  d.remember = core::remember_options{};
  a.decide("bob", d);
  a.finish();
  auto grants = a.all<core::grant_given>();
  REQUIRE(grants.size() == 1);
  CHECK(grants[0].by == "bob");
  CHECK(grants[0].tool == "desk");
  CHECK(grants[0].scope == core::grant_scope::session);
  bool after_restart = GENERATE(false, true);
  if (after_restart) a.w.restart();
  ask_for(a.w, {call_of("c", "desk", R"({ "path" : "a" })"), call_of("d", "desk", R"({"path":"b"})")});
  a.w.must<core::message_accepted>(a.session, user("alice"), say("again"));
  REQUIRE(a.desk->calls.size() == 2);
  CHECK(a.all<approval_requested>().size() == 2);
  auto started = a.all<core::tool_started>();
  REQUIRE(started.size() == 3);
  CHECK(started[0].allowed_by.is_nil());
  CHECK(started[1].allowed_by == grants[0].grant);
  CHECK(started[2].allowed_by.is_nil());
  // Elsewhere it says nothing.
  auto elsewhere = a.opened(2);
  a.w.must<core::message_accepted>(elsewhere, user("alice"), say("go"));
  CHECK(a.w.all<approval_requested>(elsewhere).size() == 2);
}

TEST_CASE("remembered approvals: conditions, and a time after which they hold no more") {
  approval_world a;
  auto d = approve(a.run());
  d.remember = core::remember_options{core::grant_scope::session, R"([{"argument":"/path","matches":"^tmp/"}])", milliseconds{60'000}};
  a.decide("bob", d);
  a.finish();
  auto asks = [&](std::string input) {
    auto before = a.all<approval_requested>().size();
    ask_for(a.w, {call_of("c", "desk", std::move(input))});
    a.w.must<core::message_accepted>(a.session, user("alice"), say("again"));
    bool asked = a.all<approval_requested>().size() > before;
    a.w.must(a.session, user("alice"), core::cancel_run{});
    return asked;
  };
  CHECK_FALSE(asks(R"({"path":"tmp/x"})"));
  CHECK(asks(R"({"path":"etc/x"})"));
  a.w.advance(milliseconds{60'000});
  CHECK(asks(R"({"path":"tmp/x"})"));
}

TEST_CASE("remembered approvals: those beyond the session are for admins") {
  approval_world a;
  auto d = approve(a.run());
  d.remember = core::remember_options{core::grant_scope::project, "[]", milliseconds{0}};
  CHECK(a.refusal(user("bob"), d).code == errc::forbidden);
  CHECK(a.all<approval_decided>().empty());
  a.w.must<approval_settled>(a.session, admin("root"), d);
  a.finish();
  auto elsewhere = a.opened(2);
  ask_for(a.w, {call_of("c", "desk", R"({"path":"anything"})")});
  a.w.must<core::message_accepted>(elsewhere, user("alice"), say("go"));
  CHECK(a.w.all<approval_requested>(elsewhere).empty());
}

TEST_CASE("remembered approvals: only the approval of a call is remembered, with conditions that are some") {
  approval_world a;
  auto id = a.run();
  auto d = deny(id);
  d.remember = core::remember_options{};
  CHECK(a.refusal(user("bob"), d).code == errc::validation_error);
  d = approve(id);
  d.remember = core::remember_options{core::grant_scope::session, "rubbish", milliseconds{0}};
  CHECK(a.refusal(user("bob"), d).code == errc::validation_error);
  d.remember = core::remember_options{core::grant_scope::session, "[]", milliseconds{-1}};
  CHECK(a.refusal(user("bob"), d).code == errc::validation_error);
  CHECK(a.all<core::grant_given>().empty());
}

TEST_CASE("remembered approvals: where two must look at each call nothing is remembered, and nothing remembered counts") {
  approval_world a(approval_world::two_people());
  auto id = a.run();
  auto d = approve(id);
  d.remember = core::remember_options{};
  auto why = a.refusal(user("bob"), d);
  CHECK(why.code == errc::validation_error);
  CHECK(why.text.find("two people") != std::string::npos);
}

TEST_CASE("remembered approvals: taken back they hold no more, also after a restart") {
  approval_world a;
  auto d = approve(a.run());
  d.remember = core::remember_options{core::grant_scope::session, "[]", milliseconds{0}};
  a.decide("bob", d);
  a.finish();
  auto grant = a.all<core::grant_given>().front().grant;
  auto elsewhere = a.opened(2);
  CHECK(a.w.refused(elsewhere, user("alice"), core::revoke_grant{grant}).code == errc::not_found);
  CHECK(a.w.refused(a.session, user("bob", core::scope::chat), core::revoke_grant{grant}).code == errc::forbidden);
  a.w.must(a.session, user("bob"), core::revoke_grant{grant});
  a.w.must(a.session, user("bob"), core::revoke_grant{grant});
  auto revoked = a.all<core::grant_revoked>();
  REQUIRE(revoked.size() == 1);
  CHECK(revoked[0].by == "bob");
  bool after_restart = GENERATE(false, true);
  if (after_restart) a.w.restart();
  a.run();
  CHECK(a.all<approval_requested>().size() == 2);
}

// ---- what calls ask while they run ----

namespace {
const std::string wants_name =
    R"({"type":"object","properties":{"name":{"type":"string"}},"required":["name"],"additionalProperties":false})";

/// A call that has asked for a name.
core::approval_id asking(approval_world& a) {
  ask_for(a.w, {call_of("c", "other", R"({"path":"a"})")});
  a.w.must<core::message_accepted>(a.session, user("alice"), say("go"));
  a.desk->last().listener->ask({"Who?", wants_name});
  a.w.settle();
  auto asked = only_question(a.w, a.session);
  CHECK(asked.kind == core::approval_kind::input);
  CHECK(asked.prompt == "Who?");
  CHECK(asked.schema == wants_name);
  CHECK(asked.tool == "other");
  return asked.approval;
}
}  // namespace

TEST_CASE("questions of calls: the answer must fit, goes to the call, and the call goes on") {
  approval_world a;
  auto id = asking(a);
  auto answer = [&](std::string text) {
    auto d = approve(id);
    d.answer = std::move(text);
    return d;
  };
  CHECK(a.refusal(user("bob"), approve(id)).code == errc::validation_error);
  CHECK(a.refusal(user("bob"), answer("7")).code == errc::validation_error);
  auto why = a.refusal(user("bob"), answer(R"({"name":7})"));
  CHECK(why.code == errc::validation_error);
  CHECK(why.text.find("/name") != std::string::npos);
  CHECK(a.desk->last().answers.empty());
  CHECK(a.decide("bob", answer(R"({ "name" : "Ada" })")).won);
  CHECK(a.all<approval_decided>().front().answer == R"({"name":"Ada"})");
  REQUIRE(a.desk->last().answers.size() == 1);
  CHECK(a.desk->last().answers[0].accepted);
  CHECK(a.desk->last().answers[0].content == arguments(R"({"name":"Ada"})"));
  a.finish();
}

TEST_CASE("questions of calls: denied is declined, and so is one that nobody answered or could answer") {
  approval_world a([] { return approval_world::always(); }(),
                   [](auto&, auto&, core::agent_config& c) { c.limits.approval_timeout = milliseconds{1'000}; });
  bool expires = GENERATE(false, true);
  auto id = asking(a);
  if (expires)
    a.w.advance(milliseconds{1'000});
  else
    a.decide("bob", deny(id));
  REQUIRE(a.desk->last().answers.size() == 1);
  CHECK_FALSE(a.desk->last().answers[0].accepted);
  a.desk->last().listener->ask({"What?", "no schema"});
  a.w.settle();
  REQUIRE(a.desk->last().answers.size() == 2);
  CHECK_FALSE(a.desk->last().answers[1].accepted);
  CHECK(a.all<approval_requested>().size() == 1);
  a.finish();
}

TEST_CASE("questions of calls: the call's time limit stands still while one is open") {
  approval_world a([] { return approval_world::always(); }(),
                   [](auto&, auto&, core::agent_config& c) { c.limits.tool_timeout = milliseconds{1'000}; });
  ask_for(a.w, {call_of("c", "other")});
  a.w.must<core::message_accepted>(a.session, user("alice"), say("go"));
  a.w.advance(milliseconds{600});
  a.desk->last().listener->ask({"Go on?", ""});
  a.w.settle();
  a.w.advance(milliseconds{60'000});
  CHECK_FALSE(a.desk->last().is_given_up);
  a.decide("bob", approve(only_question(a.w, a.session).approval));
  REQUIRE(a.desk->last().answers.size() == 1);
  CHECK(a.desk->last().answers[0].accepted);
  a.w.advance(milliseconds{399});
  CHECK_FALSE(a.desk->last().is_given_up);
  a.w.advance(milliseconds{1});
  CHECK(a.desk->last().is_given_up);
  CHECK(end_of_run(a.w, a.session) == "completed");
}

TEST_CASE("questions of calls: one whose call ends is closed, and who answers then is told") {
  approval_world a;
  auto id = asking(a);
  a.desk->last().done("never mind");
  a.w.settle();
  CHECK(end_of_run(a.w, a.session) == "completed");
  auto decided = a.all<approval_decided>();
  REQUIRE(decided.size() == 1);
  CHECK(decided[0].decision == decision::expired);
  auto late = a.decide("bob", approve(id));
  CHECK_FALSE(late.won);
  CHECK(late.decision == decision::expired);
  a.w.advance(std::chrono::hours{25});
  CHECK(a.all<approval_decided>().size() == 1);
  CHECK(a.w.defects().empty());
}

TEST_CASE("questions of calls: a cancelled run closes them") {
  approval_world a;
  asking(a);
  a.w.must(a.session, user("alice"), core::cancel_run{});
  CHECK(a.desk->last().is_given_up);
  auto decided = a.all<approval_decided>();
  REQUIRE(decided.size() == 1);
  CHECK(decided[0].decision == decision::denied);
  CHECK(a.w.defects().empty());
}
