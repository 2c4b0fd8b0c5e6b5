#include "app/scenario/match.hpp"

#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>

using namespace troupe;
namespace json = boost::json;

namespace {

/// Where and how they differ; empty when they match.
std::string difference(std::string_view expected, std::string_view actual, app::bindings& bound) {
  auto wrong = app::match(json::parse(expected), json::parse(actual), bound);
  return wrong ? wrong->path + ": " + wrong->text : "";
}
std::string difference(std::string_view expected, std::string_view actual) {
  app::bindings bound;
  return difference(expected, actual, bound);
}
std::string defect(std::string_view expected) {
  auto wrong = app::defect_in(json::parse(expected));
  return wrong ? wrong->path + ": " + wrong->text : "";
}

}  // namespace

TEST_CASE("match: objects match by subset, at every depth") {
  CHECK(difference(R"({"a": 1})", R"({"a": 1, "b": 2})").empty());
  CHECK(difference(R"({"a": {"x": 1}})", R"({"a": {"x": 1, "y": 2}})").empty());
  CHECK(difference(R"({"a": {"x": 1}})", R"({"a": {"x": 2}})") == "a.x: expected 1, came 2");
  CHECK(difference(R"({"a": 1})", R"({"b": 1})") == "a: expected 1, there is no such field");
  CHECK(difference(R"({"a": {"x": 1}})", R"({"a": 3})") == R"(a: expected {"x":1}, came 3)");
}

TEST_CASE("match: arrays match exactly, their objects by subset") {
  CHECK(difference(R"([{"a": 1}, 2])", R"([{"a": 1, "b": 1}, 2])").empty());
  CHECK(difference("[1]", "[1, 2]") == ": expected 1 items, came 2: [1,2]");
  CHECK(difference(R"({"c": [{"t": "x"}]})", R"({"c": [{"t": "y"}]})") == R"(c[0].t: expected "x", came "y")");
}

TEST_CASE("match: null stands for a field that is not there") {
  CHECK(difference(R"({"a": null})", R"({"b": 1})").empty());
  CHECK(difference(R"({"a": null})", R"({"a": null})").empty());
  CHECK(difference(R"({"a": null})", R"({"a": 1})") == "a: expected none, came 1");
}

TEST_CASE("match: a variable binds once and must be equal afterwards") {
  app::bindings bound;
  CHECK(difference(R"({"run": "$run"})", R"({"run": "r-1"})", bound).empty());
  CHECK(bound.at("run") == json::value("r-1"));
  CHECK(difference(R"({"run": "$run"})", R"({"run": "r-1"})", bound).empty());
  CHECK(difference(R"({"run": "$run"})", R"({"run": "r-2"})", bound) == R"(run: $run is "r-1", came "r-2")");
  CHECK(difference(R"(["$x", "$x"])", "[1, 2]") == "[1]: $x is 1, came 2");
}

TEST_CASE("match: a failed match binds nothing") {
  app::bindings bound;
  CHECK_FALSE(difference(R"({"a": "$a", "b": 1})", R"({"a": 1, "b": 2})", bound).empty());
  CHECK(bound.empty());
}

TEST_CASE("match: two dollars stand for one, and a dollar with other signs is text") {
  CHECK(difference(R"("$$run")", R"("$run")").empty());
  CHECK(difference(R"("$ 5")", R"("$ 5")").empty());
  CHECK(difference(R"("$$run")", R"("r-1")") == R"(: expected "$$run", came "r-1")");
}

TEST_CASE("match: patterns are searched for in texts and in the JSON of other values") {
  CHECK(difference(R"({"a": {"$regex": "^b.d$"}})", R"({"a": "bad"})").empty());
  CHECK(difference(R"({"a": {"$regex": "\"x\":1"}})", R"({"a": {"x": 1}})").empty());
  CHECK_FALSE(difference(R"({"a": {"$regex": "^b.d$"}})", R"({"a": "bread"})").empty());
  CHECK_FALSE(difference(R"({"a": {"$regex": "x"}})", R"({"b": "x"})").empty());
}

TEST_CASE("match: anything fits $any, but it must be there") {
  CHECK(difference(R"({"a": {"$any": true}})", R"({"a": [1]})").empty());
  CHECK_FALSE(difference(R"({"a": {"$any": true}})", "{}").empty());
}

TEST_CASE("match: numbers are compared by value, texts never with numbers") {
  CHECK(difference("1", "1").empty());
  CHECK_FALSE(difference("1", "\"1\"").empty());
  CHECK_FALSE(difference("true", "1").empty());
}

TEST_CASE("match: an expectation with an unknown word or a broken pattern is told") {
  CHECK(defect(R"({"a": {"$regexp": "x"}})") == "a.$regexp: unknown word; allowed here: $any, $regex");
  CHECK(defect(R"({"a": {"$regex": "("}})").starts_with("a.$regex: is not a pattern"));
  CHECK(defect(R"({"a": {"$regex": 1}})") == "a.$regex: expected a pattern in a string");
  CHECK(defect(R"({"a": {"$any": false}})") == "a.$any: expected true");
  CHECK(defect(R"({"a": [{"b": "$x"}]})").empty());
}
