#include "tools/builtin.hpp"
#include "tools/schema.hpp"
#include "tools/text.hpp"
#include "tools/text_encoding.hpp"

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

std::unique_ptr<tools::tool> named_tool(std::string name, std::string parameters) {
  return std::make_unique<tools::tool>(
      tools::tool_spec{.name = std::move(name), .description = {}, .parameters = std::move(parameters)});
}

/// Its tools are `name.a` and `name.b` once it is told that they are there.
class late_source final : public tools::tool_source {
 public:
  explicit late_source(std::string name) : name_(std::move(name)) {}
  [[nodiscard]] const std::string& name() const noexcept override { return name_; }
  [[nodiscard]] std::vector<tools::tool_ptr> tools() const override { return tools_; }
  void when_ready(std::function<void()> f) override { is_ready_ ? f() : waiting_.push_back(std::move(f)); }
  [[nodiscard]] std::string status() const override { return is_ready_ ? "ready" : "starting"; }

  void appear() {
    for (const char* tool : {".a", ".b"}) tools_.push_back(named_tool(name_ + tool, R"({"type":"object"})"));
    is_ready_ = true;
    for (auto& f : waiting_) f();
  }

 private:
  std::string name_;
  std::vector<tools::tool_ptr> tools_;
  std::vector<std::function<void()>> waiting_;
  bool is_ready_ = false;
};

std::vector<std::string> names_of(const std::vector<tools::tool_ptr>& list) {
  std::vector<std::string> out;
  for (const auto& t : list) out.push_back(t->spec().name);
  return out;
}

constexpr auto any_object = R"({"type":"object"})";

/// The text of the error, or what was accepted.
std::string verdict(const char* parameters, std::string_view arguments) {
  tools::toolbox box;
  auto added = box.add(named_tool("probe", parameters));
  if (!added) return "schema: " + added.error().text;
  auto checked = box.find("probe")->check(arguments);
  return checked ? "ok " + json::serialize(*checked) : checked.error().text;
}

bool mentions(const std::string& text, std::string_view part) {
  if (text.find(part) != std::string::npos) return true;
  WARN(text);
  return false;
}

std::string nested(std::size_t depth) { return R"({"a":)" + std::string(depth, '[') + std::string(depth, ']') + "}"; }

}  // namespace

TEST_CASE("toolbox: the built-in tools are there, in name order", "[tools]") {
  auto box = tools::builtin_tools();
  REQUIRE(box.has_value());
  CHECK(names_of(box->all()) == std::vector<std::string>{"calculator", "clock", "delete_file", "edit_file", "grep_file",
                                                         "list_files", "read_file", "write_file"});
  CHECK(box->find("clock") != nullptr);
  CHECK(box->find("bash") == nullptr);
}

TEST_CASE("toolbox: only deleting asks a person, it and edits happen once", "[tools]") {
  auto box = tools::builtin_tools();
  REQUIRE(box.has_value());
  for (const auto& t : box->all()) {
    bool deletes = t->spec().name == "delete_file", edits = t->spec().name == "edit_file";
    CHECK((t->spec().approval == core::approval_policy::always) == deletes);
    CHECK((t->spec().risk == "high") == deletes);
    CHECK((t->spec().effect == core::effect::once) == (deletes || edits));
  }
  CHECK(box->find("write_file")->spec().effect == core::effect::idempotent);
}

TEST_CASE("toolbox: a second tool of one name is refused", "[tools]") {
  tools::toolbox box;
  REQUIRE(box.add(named_tool("same", any_object)).has_value());
  auto again = box.add(named_tool("same", any_object));
  REQUIRE(again.has_error());
  CHECK(again.error().code == errc::configuration_error);
  CHECK(mentions(again.error().text, "`same`"));
  CHECK(box.add(std::make_shared<late_source>("same")).has_error());
  REQUIRE(box.add(std::make_shared<late_source>("server")).has_value());
  CHECK(box.add(named_tool("server", any_object)).has_error());
}

TEST_CASE("toolbox: the tools of a source come with it, all by its name and each by its own", "[tools]") {
  tools::toolbox box;
  REQUIRE(box.add(named_tool("server2", any_object)).has_value());
  auto source = std::make_shared<late_source>("server");
  REQUIRE(box.add(source).has_value());
  CHECK(box.find("server.a") == nullptr);
  CHECK(names_of(box.select({"server", "server2"})) == std::vector<std::string>{"server2"});
  source->appear();
  CHECK(box.find("server.a") != nullptr);
  CHECK(box.find("server") == nullptr);
  CHECK(box.find("server.") == nullptr);
  CHECK(names_of(box.all()) == std::vector<std::string>{"server.a", "server.b", "server2"});
  CHECK(names_of(box.select({"server2", "server.b", "server", "none"})) ==
        std::vector<std::string>{"server2", "server.b", "server.a"});
}

TEST_CASE("toolbox: who needs a source's tools is told when they are there, once", "[tools]") {
  tools::toolbox box;
  auto one = std::make_shared<late_source>("one"), two = std::make_shared<late_source>("two");
  REQUIRE(box.add(one).has_value());
  REQUIRE(box.add(two).has_value());
  int none = 0, both = 0, first = 0;
  box.when_ready({"clock", "onetwo"}, [&] { ++none; });
  box.when_ready({"one.a", "two"}, [&] { ++both; });
  box.when_ready({"one", "one.a"}, [&] { ++first; });
  CHECK(none == 1);
  one->appear();
  CHECK(first == 1);
  CHECK(both == 0);
  two->appear();
  CHECK(both == 1);
  CHECK(first == 1);
}

TEST_CASE("toolbox: a tool that the agent loop carries out says so where it is run all the same", "[tools]") {
  auto tool = tools::make_read_output();
  CHECK(tool->spec().mode == tools::tool_mode::actors);
  CHECK(tool->spec().effect == core::effect::read_only);
  REQUIRE(tool->prepare().has_value());
  CHECK(tool->check(R"({"call_id":"c1","offset":0,"limit":10})").has_value());
  CHECK(tool->check(R"({"offset":0})").has_error());
  CHECK_FALSE(tool->run({}, {}).ok);
}

TEST_CASE("toolbox: what is not a schema of an object is refused", "[tools]") {
  for (const char* text : {"", "{", "[]", "true", R"({"type":"string"})", R"({"type":"object","properties":5})",
                           R"({"type":"object","properties":{"a":{"type":"strng"}}})",
                           R"({"type":"object","properties":{"a":{"$ref":"http://127.0.0.1/x.json"}}})",
                           R"({"type":"object","$ref":"#"})", R"({"type":"object","allOf":[{"anyOf":[{"$ref":"#"}]}]})",
                           R"({"type":"object","properties":{"a":{"$ref":"#/properties/b"},"b":{"$ref":"#/properties/a"}}})",
                           R"({"type":"object","required":"a"})"}) {
    tools::toolbox box;
    auto added = box.add(named_tool("bad", text));
    INFO(text);
    REQUIRE(added.has_error());
    CHECK(added.error().code == errc::configuration_error);
    CHECK(mentions(added.error().text, "`bad`"));
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
  CHECK(mentions(verdict(parameters, "{}"),
                 "at the top: missing required property 'path'; expected object with path, mode?, n?, list?"));
  CHECK(mentions(verdict(parameters, R"({"path":5})"), "at `/path`: does not fit; expected string, got an integer"));
  CHECK(mentions(verdict(parameters, R"({"path":"x","mode":"c"})"), R"(at `/mode`: does not fit; expected one of ["a","b"])"));
  CHECK(mentions(verdict(parameters, R"({"path":"x","n":10})"), "expected integer, minimum 1, maximum 9"));
  CHECK(mentions(verdict(parameters, R"({"path":"x","pth":1})"), "unknown property 'pth'"));
  CHECK(mentions(verdict(parameters, R"({"path":"x","list":[{},{"x/y":1}]})"),
                 "at `/list/1/x~1y`: does not fit; expected boolean"));
  CHECK(mentions(verdict(parameters, "[]"), "expected object"));
  CHECK(mentions(verdict(parameters, "\"x\""), "got a string"));
}

TEST_CASE("toolbox: an input that is not JSON names the place", "[tools]") {
  CHECK(mentions(verdict(any_object, R"({"a":)"), "the input of `probe` is not valid JSON: incomplete JSON at byte 5"));
  CHECK(mentions(verdict(any_object, R"({"a":1} x)"), "at byte 8"));
  CHECK(mentions(verdict(any_object, "{'a':1}"), "at byte 1"));
  CHECK(mentions(verdict(any_object, "{\"a\":\"\xff\"}"), "not valid JSON"));
}

TEST_CASE("toolbox: nesting and size of an input are bounded", "[tools]") {
  CHECK(verdict(any_object, nested(60)).substr(0, 2) == "ok");
  CHECK(mentions(verdict(any_object, nested(70)), "nested deeper than 64 levels"));
  CHECK(mentions(verdict(any_object, nested(400'000)), "nested deeper"));
  std::string large = R"({"a":")" + std::string(tools::max_json_bytes, 'x') + "\"}";
  CHECK(mentions(verdict(any_object, large), "at most 1048576"));
}

TEST_CASE("toolbox: many findings are cut and long values are not repeated", "[tools]") {
  std::string arguments = R"({"a":[)";
  for (int i = 0; i < 1000; ++i) arguments += "\"" + std::string(100, 'x') + "\",";
  arguments += "1]}";
  auto text = verdict(R"({"type":"object","properties":{"a":{"type":"array","items":{"type":"integer"}}}})", arguments);
  CHECK(mentions(text, "And more"));
  CHECK(text.size() < 1000);
}

TEST_CASE("schema: patterns are not run on the model's text", "[tools]") {
  // On std::regex this pattern takes longer than the universe has, or all of the stack.
  constexpr auto parameters = R"({"type":"object","properties":{"a":{"type":"string","pattern":"^(x+x+)+y$"},
    "pattern":{"type":"string"}},"patternProperties":{"^(z+z+)+y$":{"type":"integer"}},"additionalProperties":false,"required":["pattern"]})";
  auto arguments = R"({"pattern":"p","a":")" + std::string(200'000, 'x') + R"(","zzzz":1})";
  CHECK(verdict(parameters, arguments).substr(0, 2) == "ok");
  CHECK(mentions(verdict(parameters, R"({"pattern":5})"), "at `/pattern`"));
}

TEST_CASE("schema: references inside the schema are followed", "[tools]") {
  constexpr auto parameters = R"({"type":"object","properties":{"next":{"$ref":"#/definitions/n"}},
    "definitions":{"n":{"type":"object","properties":{"v":{"type":"integer"},"next":{"$ref":"#/definitions/n"}}}}})";
  CHECK(verdict(parameters, R"({"next":{"v":1,"next":{"v":2}}})").substr(0, 2) == "ok");
  CHECK(mentions(verdict(parameters, R"({"next":{"v":1,"next":{"v":"2"}}})"), "/next/next/v"));
  CHECK(mentions(verdict(R"({"type":"object","properties":{"a":{"$ref":"#"}}})", R"({"a":{"a":1}})"), "/a/a"));
}

TEST_CASE("clock: gives UTC from the environment as ISO 8601", "[tools]") {
  auto clock = tools::make_clock();
  CHECK(clock->spec().mode == tools::tool_mode::instant);
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

TEST_CASE("text: what is decoded is encoded to the same bytes", "[tools]") {
  using tools::text_encoding;
  struct row {
    std::string bytes;
    std::string_view text;
    text_encoding encoding;
  };
  for (const auto& [bytes, text, encoding] :
       std::vector<row>{{"a\r\nñ", "a\r\nñ", text_encoding::utf8},
                        {"", "", text_encoding::utf8},
                        {"\xEF\xBB\xBFñ", "ñ", text_encoding::utf8_with_mark},
                        {std::string("\xFF\xFE"
                                     "a\0\x3D\xD8\0\xDE",
                                     8),
                         "a😀", text_encoding::utf16_little},
                        {std::string("\xFE\xFF\0a\xD8\x3D\xDE\0", 8), "a😀", text_encoding::utf16_big},
                        {"caf\xE9 \x80\x93x\x9F", "café €“xŸ", text_encoding::windows_1252}}) {
    INFO(text);
    auto decoded = tools::decode_text(bytes);
    REQUIRE(decoded.has_value());
    CHECK(decoded->text == text);
    CHECK(decoded->encoding == encoding);
    CHECK(tools::encode_text(decoded->text, encoding).value() == bytes);
  }
  CHECK(mentions(tools::encode_text("a😀", text_encoding::windows_1252).error().text, "windows-1252 has no `😀`"));
}

TEST_CASE("text: bytes that are no text are not decoded, and named by what they begin with", "[tools]") {
  using namespace std::string_view_literals;
  for (auto bytes :
       {"a\0b"sv, "\x1B\xE9"sv, "\x81"sv, "\xFF\xFE\0\0a\0\0\0"sv /* UTF-32 */, "\xFF\xFE\0\xDC"sv, "\xFF\xFE\x3D\xD8"sv,
        "\xFF\xFE"
        "abc"sv,
        "\x89PNG\r\n\x1A\n\0\0"sv})
    CHECK_FALSE(tools::decode_text(bytes).has_value());
  CHECK(tools::kind_of_binary("\x89PNG\r\n\x1A\n\0\0"sv) == "a PNG image");
  CHECK(tools::kind_of_binary("RIFF\1\2\3\4WEBPVP8"sv) == "a WebP image");
  CHECK(tools::kind_of_binary("\1\2\3"sv) == "binary data");
  CHECK(tools::kind_of_binary({}) == "binary data");
}
