#include "core/ids.hpp"

#include <catch2/catch.hpp>

#include <set>
#include <type_traits>

using namespace troupe::core;

TEST_CASE("uuid: text and value are one to one", "[core]") {
  uuid id{0x0190a1b2c3d47e5fULL, 0x8123456789abcdefULL};
  CHECK(id.str() == "0190a1b2-c3d4-7e5f-8123-456789abcdef");
  CHECK(id.hex() == "0190a1b2c3d47e5f8123456789abcdef");
  CHECK(uuid::parse(id.str()) == id);
  CHECK(uuid::parse("0190A1B2-C3D4-7E5F-8123-456789ABCDEF") == id);
  CHECK(uuid{}.is_nil());
  CHECK(uuid{}.str() == "00000000-0000-0000-0000-000000000000");
}

TEST_CASE("uuid: anything but the canonical form is refused", "[core]") {
  for (auto text :
       {"", "0190a1b2c3d47e5f8123456789abcdef", "0190a1b2-c3d4-7e5f-8123-456789abcde", "0190a1b2-c3d4-7e5f-8123-456789abcdef0",
        "0190a1b2xc3d4-7e5f-8123-456789abcdef", "0190a1b2-c3d4-7e5f-8123-456789abcdeg", "{190a1b2-c3d4-7e5f-8123-456789abcde}"})
    CHECK_FALSE(uuid::parse(text));
}

TEST_CASE("uuid: a name always gives the same id, of version 8", "[core]") {
  CHECK(uuid_of_name("conv-1") == uuid_of_name("conv-1"));
  std::set<uuid> seen;
  for (int i = 0; i < 10'000; ++i) seen.insert(uuid_of_name("conv-" + std::to_string(i)));
  CHECK(seen.size() == 10'000);
  CHECK(uuid_of_name("conv-1").str()[14] == '8');
  CHECK(uuid_of_name("").is_nil() == false);
}

TEST_CASE("ids: different things do not mix", "[core]") {
  STATIC_REQUIRE_FALSE(std::is_convertible_v<run_id, session_id>);
  STATIC_REQUIRE_FALSE(std::is_constructible_v<run_id, session_id>);
  STATIC_REQUIRE_FALSE(std::is_convertible_v<std::string, agent_id>);
  auto id = session_id::parse("0190a1b2-c3d4-7e5f-8123-456789abcdef");
  REQUIRE(id);
  CHECK(id->str() == "0190a1b2-c3d4-7e5f-8123-456789abcdef");
  CHECK(agent_id{}.empty());
}
