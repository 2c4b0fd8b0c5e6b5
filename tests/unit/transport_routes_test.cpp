#include "transport/rest/route_match.hpp"

#include <catch2/catch.hpp>

using troupe::transport::matches;
using troupe::transport::path_parameters;

TEST_CASE("route match: a literal path matches itself, with and without its slash, and nothing else") {
  path_parameters p;
  CHECK(matches("/api/v1/chat", "/api/v1/chat", p));
  CHECK(matches("/api/v1/chat", "/api/v1/chat/", p));
  CHECK_FALSE(matches("/api/v1/chat", "/api/v1/chat//", p));
  CHECK_FALSE(matches("/api/v1/chat", "/api/v1/chats", p));
  CHECK_FALSE(matches("/api/v1/chat", "/api/v1", p));
  CHECK_FALSE(matches("/api/v1/chat", "/api/v1/chat/x", p));
  CHECK_FALSE(matches("/api/v1/chat", "/API/v1/chat", p));
  CHECK_FALSE(matches("/api/v1/chat", "*", p));
  CHECK_FALSE(matches("/api/v1/chat", "", p));
}

TEST_CASE("route match: the root is the root only") {
  path_parameters p;
  CHECK(matches("/", "/", p));
  CHECK_FALSE(matches("/", "/x", p));
  CHECK_FALSE(matches("/x", "/", p));
}

TEST_CASE("route match: names take whole segments in order") {
  path_parameters p;
  REQUIRE(matches("/sessions/{id}/queue/{messageId}", "/sessions/a b/queue/ñ/", p));
  REQUIRE(p.size() == 2);
  CHECK(p[0] == path_parameters::value_type{"id", "a b"});
  CHECK(p[1] == path_parameters::value_type{"messageId", "ñ"});
}

TEST_CASE("route match: a name never matches an empty segment") {
  path_parameters p;
  CHECK_FALSE(matches("/sessions/{id}", "/sessions/", p));
  CHECK_FALSE(matches("/sessions/{id}", "/sessions//", p));
  CHECK_FALSE(matches("/sessions/{id}/queue", "/sessions//queue", p));
}

TEST_CASE("route match: what an earlier pattern found is forgotten") {
  path_parameters p;
  CHECK_FALSE(matches("/a/{x}/c", "/a/1/d", p));
  REQUIRE(matches("/a/{y}/d", "/a/1/d", p));
  REQUIRE(p.size() == 1);
  CHECK(p[0].first == "y");
}
