#include "core/error.hpp"

#include <catch2/catch.hpp>

#include <set>
#include <string>

using namespace troupe::core;

TEST_CASE("error: every code has its own name and comes back from it", "[core]") {
  std::set<std::string_view> names;
  for (int i = 0; i < errc_count; ++i) {
    auto code = static_cast<errc>(i);
    names.insert(to_string(code));
    CHECK(errc_from(to_string(code)) == code);
    CHECK(http_status(code) >= 200);
    CHECK(http_status(code) <= 599);
  }
  CHECK(names.size() == errc_count);
}

TEST_CASE("error: what is unknown is an internal error", "[core]") {
  CHECK(errc_from("NO_SUCH_CODE") == errc::internal_error);
  CHECK(errc_from("") == errc::internal_error);
  CHECK(to_string(static_cast<errc>(200)) == "INTERNAL_ERROR");
}

TEST_CASE("error: codes say whether to try again", "[core]") {
  CHECK(is_retryable(errc::storage_unavailable));
  CHECK(is_retryable(errc::busy));
  CHECK_FALSE(is_retryable(errc::validation_error));
  CHECK_FALSE(is_retryable(errc::internal_error));
  CHECK(http_status(errc::approval_not_pending) == 409);
}

TEST_CASE("error: a result nobody looked at throws its text", "[core]") {
  result<int> good = 7;
  result<int> bad = error{errc::not_found, "session 1 does not exist"};
  CHECK(good.value() == 7);
  CHECK_THROWS_WITH(bad.value(), "NOT_FOUND: session 1 does not exist");
}
