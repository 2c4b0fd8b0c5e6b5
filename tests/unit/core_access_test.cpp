#include "core/access.hpp"

#include <catch2/catch.hpp>

using namespace troupe::core;

TEST_CASE("access: owner, participants and admins see a session, nobody else does", "[core]") {
  session_record s;
  s.owner = "ann";
  s.participants = {"bob"};
  auto sees = [&](std::string id, std::uint8_t scopes) { return may_see({std::move(id), "", scopes, millis(0)}, s); };
  CHECK(sees("ann", scope::user));
  CHECK(sees("bob", scope::user));
  CHECK_FALSE(sees("eve", scope::user));
  CHECK_FALSE(sees("", scope::user));
  CHECK(sees("root", scope::admin));
}

TEST_CASE("access: without auth the anonymous owner may do everything", "[core]") {
  principal anonymous;
  CHECK(anonymous.may(scope::admin));
  CHECK(may_see(anonymous, session_record{}));
  CHECK_FALSE(anonymous.is_expired(millis(1'000'000'000'000)));
}

TEST_CASE("access: scopes are needed all together, and an admin has them all", "[core]") {
  principal reader{"r", "", scope::read, millis(0)};
  CHECK(reader.may(scope::read));
  CHECK_FALSE(reader.may(scope::read | scope::chat));
  CHECK_FALSE(reader.may(scope::admin));
  CHECK(principal{"a", "", scope::admin, millis(0)}.may(scope::chat | scope::approve));
}

TEST_CASE("access: a principal expires at its time", "[core]") {
  principal p{"r", "", scope::user, millis(100)};
  CHECK_FALSE(p.is_expired(millis(99)));
  CHECK(p.is_expired(millis(100)));
}
