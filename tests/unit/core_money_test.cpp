#include "core/money.hpp"

#include <catch2/catch.hpp>

using namespace troupe::core;

namespace {
constexpr token_price price{2'500, 250, 10'000};  // 2.50, 0.25 and 10 US dollars per million tokens
}

TEST_CASE("money: a call costs its fresh, cached and output tokens", "[core]") {
  CHECK(cost_of({1'000'000, 0, 0}, price) == micro_usd{2'500'000});
  CHECK(cost_of({1'000'000, 1'000'000, 0}, price) == micro_usd{250'000});
  CHECK(cost_of({1'000'000, 400'000, 1'000'000}, price) == micro_usd{1'500'000 + 100'000 + 10'000'000});
  CHECK(cost_of({}, price) == micro_usd{0});
}

TEST_CASE("money: a part of a micro-dollar counts as a whole one", "[core]") {
  CHECK(cost_of({1, 1, 0}, price) == micro_usd{1});
  CHECK(cost_of({4, 0, 0}, price) == micro_usd{10});
  CHECK(cost_of({4, 1, 0}, price) == micro_usd{8});  // 7.75
}

TEST_CASE("money: counts that cannot be are worth nothing", "[core]") {
  CHECK(cost_of({-5, 0, -7}, price) == micro_usd{0});
  CHECK(cost_of({10, 50, 0}, price) == cost_of({10, 10, 0}, price));
}

TEST_CASE("money: dollars become micro-dollars half away from zero", "[core]") {
  CHECK(micro_usd::from_usd(1.5).value == 1'500'000);
  CHECK(micro_usd::from_usd(0.0000005).value == 1);
  CHECK(micro_usd::from_usd(-0.0000005).value == -1);
  CHECK(micro_usd{1'500'000}.usd() == 1.5);
  CHECK((micro_usd{5} - micro_usd{7}) + micro_usd{1} < micro_usd{0});
}

TEST_CASE("money: usage adds up", "[core]") {
  token_usage sum{1, 2, 3};
  sum += {10, 20, 30};
  CHECK(sum == token_usage{11, 22, 33});
  CHECK(sum.total() == 44);
}
