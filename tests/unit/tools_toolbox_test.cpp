#include "tools/builtin.hpp"
#include "tools/schema.hpp"
#include "tools/text.hpp"

#include <boost/json/serialize.hpp>

#include <catch2/catch.hpp>

using namespace troupe;
using core::errc;
namespace json = boost::json;

namespace {

class fixed_environment final : public core::environment {
 public:
  explicit fixed_environment(std::int64_t ms) : ms_(ms) {}
  core::millis now() const noexcept override { return core::millis{ms_}; }
  core::uuid new_uuid() override { return {1, 1}; }
  core::uuid random_uuid() override { return {1, 1}; }

 private:
  std::int64_t ms_;
};

class named_tool final : public tools::tool {
 public:
  named_tool(std::string name, std::string parameters) {
    spec_.name = std::move(name);
    spec_.parameters = std::move(parameters);
  }
  const tools::tool_spec& spec() const noexcept override { return spec_; }
  tools::tool_result run(const tools::tool_context&, const json::object&) const override { return {true, ""}; }

 private:
  tools::tool_spec spec_;
};

constexpr auto any_object = R"({"type":"object"})";

/// The text of the error, or what was accepted.
std::string verdict(const char* parameters, std::string_view arguments) {
  tools::toolbox box;
  auto added = box.add(std::make_unique<named_tool>("probe", parameters));
  if (!added) return "schema: " + added.error().text;
  auto checked = box.check(*box.find("probe"), arguments);
  return checked ? "ok " + json::serialize(*checked) : checked.error().text;
}

bool has(const std::string& text, std::string_view part) {
  if (text.find(part) != std::string::npos) return true;
  WARN(text);
  return false;
}

std::string nested(std::size_t depth) { return R"({"a":)" + std::string(depth, '[') + std::string(depth, ']') + "}"; }

}  // namespace

TEST_CASE("toolbox: the built-in tools are there, in name order", "[tools]") {
  auto box = tools::builtin_tools();
  REQUIRE(box.has_value());
  std::vector<std::string> names;
  for (const auto* t : box->all()) names.push_back(t->spec().name);
  CHECK(names ==
        std::vector<std::string>{"calculator", "clock", "delete_file", "grep_file", "list_files", "read_file", "write_file"});
  CHECK(box->find("clock") != nullptr);
  CHECK(box->find("bash") == nullptr);
}

TEST_CASE("toolbox: only deleting asks a person, and it happens once", "[tools]") {
  auto box = tools::builtin_tools();
  REQUIRE(box.has_value());
  for (const auto* t : box->all()) {
    bool deletes = t->spec().name == "delete_file";
    CHECK((t->spec().approval == core::approval_policy::always) == deletes);
    CHECK((t->spec().risk == "high") == deletes);
    CHECK((t->spec().effect == core::effect::once) == deletes);
  }
  CHECK(box->find("write_file")->spec().effect == core::effect::idempotent);
}

TEST_CASE("toolbox: a second tool of one name is refused", "[tools]") {
  tools::toolbox box;
  REQUIRE(box.add(std::make_unique<named_tool>("same", any_object)).has_value());
  auto again = box.add(std::make_unique<named_tool>("same", any_object));
  REQUIRE(again.has_error());
  CHECK(again.error().code == errc::configuration_error);
  CHECK(has(again.error().text, "`same`"));
}

TEST_CASE("toolbox: what is not a schema of an object is refused", "[tools]") {
  for (const char* text : {"", "{", "[]", "true", R"({"type":"string"})", R"({"type":"object","properties":5})",
                           R"({"type":"object","properties":{"a":{"type":"strng"}}})",
                           R"({"type":"object","properties":{"a":{"$ref":"http://127.0.0.1/x.json"}}})",
                           R"({"type":"object","$ref":"#"})", R"({"type":"object","allOf":[{"anyOf":[{"$ref":"#"}]}]})",
                           R"({"type":"object","properties":{"a":{"$ref":"#/properties/b"},"b":{"$ref":"#/properties/a"}}})",
                           R"({"type":"object","required":"a"})"}) {
    tools::toolbox box;
    auto added = box.add(std::make_unique<named_tool>("bad", text));
    INFO(text);
    REQUIRE(added.has_error());
    CHECK(added.error().code == errc::configuration_error);
    CHECK(has(added.error().text, "`bad`"));
    CHECK(box.find("bad") == nullptr);
  }
}

TEST_CASE("toolbox: an empty input counts as an empty object", "[tools]") {
  CHECK(verdict(any_object, "") == "ok {}");
  CHECK(verdict(any_object, " \n") == "ok {}");
  CHECK(verdict(any_object, R"({"a":1})") == R"(ok {"a":1})");
}

TEST_CASE("toolbox: an input that does not fit is told what, where and what was expected", "[tools]") {
  constexpr auto parameters = R"({"type":"object","required":["path"],"additionalProperties":false,"properties":{
    "path":{"type":"string"},"mode":{"enum":["a","b"]},"n":{"type":"integer","minimum":1,"maximum":9},
    "list":{"type":"array","items":{"type":"object","properties":{"x/y":{"type":"boolean"}}}}}})";
  CHECK(has(verdict(parameters, "{}"),
            "at the top: missing required property 'path'; expected object with path, mode?, n?, list?"));
  CHECK(has(verdict(parameters, R"({"path":5})"), "at `/path`: does not fit; expected string, got an integer"));
  CHECK(has(verdict(parameters, R"({"path":"x","mode":"c"})"), R"(at `/mode`: does not fit; expected one of ["a","b"])"));
  CHECK(has(verdict(parameters, R"({"path":"x","n":10})"), "expected integer, minimum 1, maximum 9"));
  CHECK(has(verdict(parameters, R"({"path":"x","pth":1})"), "unknown property 'pth'"));
  CHECK(has(verdict(parameters, R"({"path":"x","list":[{},{"x/y":1}]})"), "at `/list/1/x~1y`: does not fit; expected boolean"));
  CHECK(has(verdict(parameters, "[]"), "expected object"));
  CHECK(has(verdict(parameters, "\"x\""), "got a string"));
}

TEST_CASE("toolbox: an input that is not JSON names the place", "[tools]") {
  CHECK(has(verdict(any_object, R"({"a":)"), "the input of `probe` is not valid JSON: incomplete JSON at byte 5"));
  CHECK(has(verdict(any_object, R"({"a":1} x)"), "at byte 8"));
  CHECK(has(verdict(any_object, "{'a':1}"), "at byte 1"));
  CHECK(has(verdict(any_object, "{\"a\":\"\xff\"}"), "not valid JSON"));
}

TEST_CASE("toolbox: nesting and size of an input are bounded", "[tools]") {
  CHECK(verdict(any_object, nested(60)).substr(0, 2) == "ok");
  CHECK(has(verdict(any_object, nested(70)), "nested deeper than 64 levels"));
  CHECK(has(verdict(any_object, nested(400'000)), "nested deeper"));
  std::string large = R"({"a":")" + std::string(tools::max_json_bytes, 'x') + "\"}";
  CHECK(has(verdict(any_object, large), "at most 1048576"));
}

TEST_CASE("toolbox: many findings are cut and long values are not repeated", "[tools]") {
  std::string arguments = R"({"a":[)";
  for (int i = 0; i < 1000; ++i) arguments += "\"" + std::string(100, 'x') + "\",";
  arguments += "1]}";
  auto text = verdict(R"({"type":"object","properties":{"a":{"type":"array","items":{"type":"integer"}}}})", arguments);
  CHECK(has(text, "And more"));
  CHECK(text.size() < 1000);
}

TEST_CASE("schema: patterns are not run on the model's text", "[tools]") {
  // On std::regex this pattern takes longer than the universe has, or all of the stack.
  constexpr auto parameters = R"({"type":"object","properties":{"a":{"type":"string","pattern":"^(x+x+)+y$"},
    "pattern":{"type":"string"}},"patternProperties":{"^(z+z+)+y$":{"type":"integer"}},"additionalProperties":false,"required":["pattern"]})";
  auto arguments = R"({"pattern":"p","a":")" + std::string(200'000, 'x') + R"(","zzzz":1})";
  CHECK(verdict(parameters, arguments).substr(0, 2) == "ok");
  CHECK(has(verdict(parameters, R"({"pattern":5})"), "at `/pattern`"));
}

TEST_CASE("schema: references inside the schema are followed", "[tools]") {
  constexpr auto parameters = R"({"type":"object","properties":{"next":{"$ref":"#/definitions/n"}},
    "definitions":{"n":{"type":"object","properties":{"v":{"type":"integer"},"next":{"$ref":"#/definitions/n"}}}}})";
  CHECK(verdict(parameters, R"({"next":{"v":1,"next":{"v":2}}})").substr(0, 2) == "ok");
  CHECK(has(verdict(parameters, R"({"next":{"v":1,"next":{"v":"2"}}})"), "/next/next/v"));
  CHECK(has(verdict(R"({"type":"object","properties":{"a":{"$ref":"#"}}})", R"({"a":{"a":1}})"), "/a/a"));
}

TEST_CASE("clock: gives UTC from the environment as ISO 8601", "[tools]") {
  auto clock = tools::make_clock();
  CHECK(clock->spec().is_instant);
  CHECK(clock->spec().effect == core::effect::read_only);
  tools::tool_context context;
  context.environment = std::make_shared<fixed_environment>(1'767'323'045'006);
  CHECK(clock->run(context, {}).output == "2026-01-02T03:04:05.006Z");
  context.environment = std::make_shared<fixed_environment>(-1);
  CHECK(clock->run(context, {}).output == "1969-12-31T23:59:59.999Z");
}

TEST_CASE("text: only well-formed UTF-8 without NUL is plain text", "[tools]") {
  CHECK(tools::is_plain_text("a\n\tñ€😀"));
  for (std::string_view bad :
       {std::string_view("a\0b", 3), std::string_view("\xff"), std::string_view("\xc0\x80"), std::string_view("\xed\xa0\x80"),
        std::string_view("\xf4\x90\x80\x80"), std::string_view("\xe2\x82"), std::string_view("\x80")})
    CHECK_FALSE(tools::is_plain_text(bad));
  CHECK(tools::cut_text("añb", 2) == "a");
  CHECK(tools::cut_text("añb", 3) == "añ");
  CHECK(tools::quoted("a\nb\xff") == "`a?b?`");
}
