#include "tools/argument_tests.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <catch2/catch.hpp>

using namespace troupe;
namespace json = boost::json;

namespace {

json::object arguments(std::string_view text) { return json::parse({text.data(), text.size()}).as_object(); }

bool fits(std::string_view tests, std::string_view input) {
  auto read = tools::argument_tests_from(tests);
  INFO((read ? std::string() : read.error().text));
  REQUIRE(read.has_value());
  return tools::fits(*read, arguments(input));
}

std::string refusal(std::string_view tests) {
  auto read = tools::argument_tests_from(tests);
  REQUIRE(read.has_error());
  CHECK(read.error().code == core::errc::validation_error);
  return read.error().text;
}

}  // namespace

TEST_CASE("argument tests: each comparison holds for what it names and for nothing else") {
  CHECK(fits(R"([{"argument":"/a","equals":1}])", R"({"a":1.0})"));
  CHECK_FALSE(fits(R"([{"argument":"/a","equals":1}])", R"({"a":"1"})"));
  CHECK(fits(R"([{"argument":"/a","equals":{"x":1,"y":[2]}}])", R"({"a":{"y":[2],"x":1}})"));
  CHECK(fits(R"([{"argument":"/a","not_equals":"x"}])", R"({"a":"y"})"));
  CHECK_FALSE(fits(R"([{"argument":"/a","not_equals":"x"}])", R"({"a":"x"})"));
  CHECK(fits(R"([{"argument":"/a","less":10}])", R"({"a":9.5})"));
  CHECK_FALSE(fits(R"([{"argument":"/a","less":10}])", R"({"a":10})"));
  CHECK_FALSE(fits(R"([{"argument":"/a","less":10}])", R"({"a":"9"})"));
  CHECK(fits(R"([{"argument":"/a","greater":-1}])", R"({"a":0})"));
  CHECK(fits(R"([{"argument":"/a","greater":9223372036854775806}])", R"({"a":9223372036854775807})"));
  CHECK(fits(R"([{"argument":"/a/0","matches":"^tmp/"}])", R"({"a":["tmp/x"]})"));
  CHECK_FALSE(fits(R"([{"argument":"/a/0","matches":"^tmp/"}])", R"({"a":["etc/tmp/x"]})"));
  CHECK(fits(R"([{"argument":"","matches":"secret"}])", R"({"a":{"b":"a secret"}})"));
  CHECK(fits(R"([{"argument":"/a~1b","present":true}])", R"({"a/b":null})"));
  CHECK(fits(R"([{"argument":"/a","absent":true}])", R"({"b":1})"));
}

TEST_CASE("argument tests: a pointer that leads nowhere holds for absent and not_equals only") {
  for (const auto* test : {R"("equals":1)", R"("less":1)", R"("greater":1)", R"("matches":"")", R"("present":true)"})
    CHECK_FALSE(fits(std::string(R"([{"argument":"/gone",)") + test + "}]", "{}"));
  CHECK(fits(R"([{"argument":"/gone","absent":true}])", "{}"));
  CHECK(fits(R"([{"argument":"/gone","not_equals":1}])", "{}"));
}

TEST_CASE("argument tests: all of a list must hold, and an empty list holds always") {
  auto both = R"([{"argument":"/a","equals":1},{"argument":"/b","equals":2}])";
  CHECK(fits(both, R"({"a":1,"b":2})"));
  CHECK_FALSE(fits(both, R"({"a":1,"b":3})"));
  CHECK(fits("[]", R"({"a":1})"));
}

TEST_CASE("argument tests: a test that cannot be made does not hold") {
  CHECK_FALSE(tools::fits({{"/a", core::argument_test::comparison::matches, "(("}}, arguments(R"({"a":"(("})")));
  CHECK_FALSE(tools::fits({{"/a", core::argument_test::comparison::not_equals, "no json"}}, arguments(R"({"a":1})")));
}

TEST_CASE("argument tests: what is not one is refused with its place") {
  CHECK(refusal("7").find("must be a list") != std::string::npos);
  CHECK(refusal("[7]").starts_with("/0: "));
  CHECK(refusal(R"([{"argument":"/a","equals":1},{"argument":"a","equals":1}])").starts_with("/1: `argument`"));
  CHECK(refusal(R"([{"argument":"/a"}])").find("say how to compare") != std::string::npos);
  CHECK(refusal(R"([{"argument":"/a","equals":1,"less":2}])").find("one comparison") != std::string::npos);
  CHECK(refusal(R"([{"argument":"/a","equal":1}])").find("unknown member `equal`") != std::string::npos);
  CHECK(refusal(R"([{"argument":"/a","matches":"(("}])").find("regular expression is broken") != std::string::npos);
  CHECK(refusal(R"([{"argument":"/a","less":"2"}])").find("must be a number") != std::string::npos);
  CHECK(refusal(R"([{"argument":"/a","present":false}])").find("must be true") != std::string::npos);
  CHECK(refusal("[" + std::string(200'000, '[')).find("nested") != std::string::npos);
}

TEST_CASE("argument tests: their text reads back as what they are") {
  auto text = R"([{"argument":"/a","equals":{"x":1}},{"argument":"","matches":"^a"},{"argument":"/b","present":true}])";
  auto read = tools::argument_tests_from(text);
  REQUIRE(read.has_value());
  auto again = tools::argument_tests_from(tools::to_text(*read));
  REQUIRE(again.has_value());
  CHECK(*again == *read);
  CHECK(tools::to_text({}) == "[]");
}

TEST_CASE("argument tests: exactly these arguments fit, in any order, and no others") {
  auto exact = tools::exactly(arguments(R"({"path":"a","n":0.9936528991095633})"));
  CHECK(tools::fits(exact, arguments(R"({"n":0.9936528991095633,"path":"a"})")));
  CHECK_FALSE(tools::fits(exact, arguments(R"({"n":0.9936528991095633,"path":"b"})")));
  CHECK_FALSE(tools::fits(exact, arguments(R"({"n":0.9936528991095633,"path":"a","more":1})")));
}

TEST_CASE("argument tests: the hash depends on the arguments, not on how they are written") {
  auto hash = [](std::string_view text) { return tools::arguments_hash(arguments(text)); };
  CHECK(hash(R"({"a":1,"b":{"c":[1,2],"d":null}})") == hash(R"({ "b": {"d":null, "c":[ 1, 2 ]}, "a": 1.0 })"));
  CHECK(hash(R"({"a":1})") != hash(R"({"a":2})"));
  CHECK(hash(R"({"a":"1"})") != hash(R"({"a":1})"));
  CHECK(hash(R"({"a":["b","c"]})") != hash(R"({"a":["bc"]})"));
  CHECK(hash(R"({"a":[[],1]})") != hash(R"({"a":[[1]]})"));
  CHECK(hash(R"({"a":"b\",\"c"})") != hash(R"({"a":"b","c":""})"));
  // Written and read again, fractions of many digits may end in another one.
  auto once = arguments(R"({"n":0.9936528991095633})");
  CHECK(tools::arguments_hash(arguments(json::serialize(once))) == tools::arguments_hash(once));
  // `printf '{"a":1,}' | sha256sum`
  CHECK(hash(R"({"a":1})") == "aa99a5ce3eb0dd8355f0bfb15376ea1d862ad75d0d278af1f8c280ca8c02c640");
}
