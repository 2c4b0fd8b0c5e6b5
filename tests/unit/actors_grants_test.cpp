// Remembered approvals: which calls need no question any more.
#include "actors_approval_world.hpp"

using namespace troupe;
using namespace troupe::test;
using core::approval_decided;
using core::approval_requested;
using core::approval_settled;
using core::errc;
using std::chrono::milliseconds;

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
  d.remember =
      core::remember_options{core::grant_scope::session, R"([{"argument":"/path","matches":"^tmp/"}])", milliseconds{60'000}};
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
