#include "tools/base64.hpp"
#include "tools/mcp/content.hpp"
#include "tools/mcp/listing.hpp"
#include "tools/mcp/message.hpp"
#include "tools/text.hpp"

#include <boost/json.hpp>

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::tools;
using namespace troupe::tools::mcp;
using Catch::Contains;
namespace json = boost::json;

namespace {

tool_result of(const std::string& result, const char* output_schema = nullptr) {
  auto value = json::parse(result).as_object();
  if (output_schema == nullptr) return result_of(value, nullptr);
  auto compiled = schema::compile(output_schema);
  REQUIRE(compiled.has_value());
  return result_of(value, &*compiled);
}
tool_result of_part(const std::string& part) { return of(R"({"content":[)" + part + "]}"); }

listing list_of(const std::string& item, bool wants_headers = true) {
  listing out;
  out.add(json::parse(item), wants_headers);
  return out;
}
const std::string plain_schema = R"("inputSchema":{"type":"object"})";

}  // namespace

TEST_CASE("mcp message: what is one is taken, what is none is an error") {
  auto one = [](const std::string& text) {
    auto m = parse_messages(text);
    REQUIRE(m.has_value());
    REQUIRE(m->size() == 1);
    return m->front();
  };
  CHECK(one(R"({"jsonrpc":"2.0","id":4,"result":{"a":1}} )").id == 4);
  CHECK(one(R"({"jsonrpc":"2.0","id":"4","result":{}})").id == 0);
  CHECK(one(R"({"jsonrpc":"2.0","id":"x","method":"m"})").is == message::kind::request);
  CHECK(one(R"({"jsonrpc":"2.0","method":"m","params":[1]})").params.empty());
  auto e = one(R"({"jsonrpc":"2.0","error":{"code":-1,"message":"a\u0000b","data":7}})");
  CHECK(e.is == message::kind::error);
  CHECK(e.text == "a?b");
  CHECK(e.data == 7);
  CHECK(one(R"({"jsonrpc":"2.0","id":1,"error":{"message":")" + std::string(100'000, 'x') + "\"}}").text.size() == 2'000);
  CHECK(parse_messages(R"([{"jsonrpc":"2.0","method":"a"},{"jsonrpc":"2.0","method":"b"}])")->size() == 2);
  for (const char* bad :
       {"", " ", "{", "[]", "7", "null", "{}", "[{}]", R"({"jsonrpc":"1.0","method":"m"})", R"({"jsonrpc":"2.0","method":7})",
        R"({"jsonrpc":"2.0","id":{},"method":"m"})", R"({"jsonrpc":"2.0","id":1})", R"({"jsonrpc":"2.0","id":1,"result":[]})",
        R"({"jsonrpc":"2.0","id":1,"error":"no"})", "{\"jsonrpc\":\"2.0\",\"method\":\"\xff\"}",
        R"({"jsonrpc":"2.0","method":"m"} x)"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_messages(bad).has_value());
  }
  CHECK_FALSE(parse_messages(std::string(100'000, '[')).has_value());
  CHECK(parse_messages(std::string(max_message_bytes + 1, ' ')).error().code == core::errc::payload_too_large);
}

TEST_CASE("mcp message: ours are one line each") {
  CHECK(request_text(3, "m", {{"a", "x\ny"}}) == R"({"id":3,"method":"m","params":{"a":"x\ny"},"jsonrpc":"2.0"})");
  CHECK(notification_text("n", {}) == R"({"method":"n","jsonrpc":"2.0"})");
  CHECK(error_text("x", -32601, "no") == R"({"id":"x","error":{"code":-32601,"message":"no"},"jsonrpc":"2.0"})");
}

TEST_CASE("mcp base64: there and back, and nothing that is none") {
  for (std::string bytes :
       {std::string(), std::string("a"), std::string("ab"), std::string("abc"), std::string("\0\xff\x10", 3)})
    CHECK(tools::from_loose_base64(tools::to_base64(bytes)) == bytes);
  CHECK(tools::to_base64("any carnal pleas") == "YW55IGNhcm5hbCBwbGVhcw==");
  CHECK(tools::from_loose_base64("YWI") == "ab");
  CHECK(tools::from_loose_base64("YW\nI=") == "ab");
  for (const char* bad : {"Y", "YW=I", "YWI==", "Y*==", "====", "YWJj="}) {
    CAPTURE(bad);
    CHECK_FALSE(tools::from_loose_base64(bad).has_value());
  }
}

TEST_CASE("mcp result: text parts follow each other, an error is a failure") {
  auto r = of(R"({"content":[{"type":"text","text":"a\u0000"},{"type":"text","text":"b"}]})");
  CHECK(r.ok);
  CHECK(r.output == "a?\nb");
  r = of(R"({"content":[{"type":"text","text":"why"}],"isError":true})");
  CHECK_FALSE(r.ok);
  CHECK(r.output == "why");
  CHECK(of("{}").output == "(no output)");
  CHECK(of(R"({"isError":true,"content":7})").output == "The tool failed and did not say why.");
  CHECK_THAT(of_part(R"({"type":"hologram"},7)").output, Contains("`hologram`") && Contains("left out"));
}

TEST_CASE("mcp result: structured content is the text where there is none, and must fit its schema") {
  constexpr auto number = R"({"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]})";
  CHECK(of(R"({"structuredContent":{"n":1}})").output == R"({"n":1})");
  CHECK(of(R"({"content":[{"type":"text","text":"one"}],"structuredContent":{"n":1}})", number).output == "one");
  auto r = of(R"({"content":[],"structuredContent":{"n":"x"}})", number);
  CHECK_FALSE(r.ok);
  CHECK_THAT(r.output, Contains("/n"));
  CHECK_FALSE(of(R"({"content":[{"type":"text","text":"one"}]})", number).ok);
  CHECK(of(R"({"isError":true,"content":[{"type":"text","text":"why"}]})", number).output == "why");
}

TEST_CASE("mcp result: pictures, sounds and resources become files with a line in the text") {
  auto r = of_part(
      R"({"type":"image","data":"iVBORw==","mimeType":"image/png; x=y"},{"type":"audio","data":"AAAA","mimeType":"audio/mpeg"})");
  REQUIRE(r.files.size() == 2);
  CHECK(r.files[0].name == "image-1.png");
  CHECK(r.files[0].content_type == "image/png");
  CHECK(r.files[0].bytes == "\x89PNG");
  CHECK(r.files[1].name == "audio-2.mp3");
  CHECK(r.output == "(picture: file image-1.png, image/png, 4 bytes)\n(audio: file audio-2.mp3, audio/mpeg, 3 bytes)");
  r = of_part(R"({"type":"resource","resource":{"uri":"file:///a/b/notes.md?x","mimeType":"text/markdown","text":"# Notes"}})");
  REQUIRE(r.files.size() == 1);
  CHECK(r.files[0].name == "notes.md");
  CHECK(r.files[0].bytes == "# Notes");
  CHECK(r.output == "(resource file:///a/b/notes.md?x: file notes.md, text/markdown, 7 bytes)\n# Notes");
  r = of_part(R"({"type":"resource_link","uri":"file:///x","name":"X","description":"the x"})");
  CHECK(r.output == "(link to file:///x, X, the x)");
  CHECK(r.files.empty());
  for (const char* uri : {"file:///a/../../..", "x:/", "a/.hidden", "x:///a%2fb", ""}) {
    CAPTURE(uri);
    auto named = of_part(R"({"type":"resource","resource":{"uri":")" + std::string(uri) + R"(","blob":"AAAA"}})");
    CHECK(named.files.at(0).name == "resource-1.bin");
    CHECK(named.files.at(0).content_type == "application/octet-stream");
  }
}

TEST_CASE("mcp result: what is wrong or too much is left out and said") {
  CHECK_THAT(of_part(R"({"type":"image","data":"not base64!","mimeType":"image/png"})").output, Contains("not base64"));
  auto type = of_part(R"({"type":"image","data":"AAAA","mimeType":"image/x\r\nSet-Cookie: a"})").files.at(0).content_type;
  CHECK(type == "application/octet-stream");
  std::string many;
  for (int i = 0; i < 20; ++i)
    many += std::string(i == 0 ? "" : ",") + R"({"type":"image","data":"AAAA","mimeType":"image/png"})";
  auto r = of_part(many);
  CHECK(r.files.size() == max_files);
  CHECK_THAT(r.output, Contains("may have 16 files"));
  auto big = R"({"type":"image","mimeType":"image/png","data":")" + std::string(6 << 20, 'A') + "\"}";
  r = of_part(big + "," + big);
  CHECK(r.files.size() == 1);
  CHECK_THAT(r.output, Contains("8388608 bytes together"));
  r = of_part(R"({"type":"text","text":")" + std::string(3 << 20, 'a') + R"("},{"type":"text","text":")" +
              std::string(3 << 20, 'b') + "\"}");
  CHECK(r.output.size() <= max_output_bytes);
  CHECK(r.output.ends_with("(cut: a tool gives at most 4 MiB)"));
  CHECK(is_plain_text(r.output));
  many.clear();
  for (int i = 0; i < 1'001; ++i) many += std::string(i == 0 ? "" : ",") + R"({"type":"text","text":""})";
  CHECK_THAT(of_part(many).output, Contains("more than 1000 parts"));
}

TEST_CASE("mcp listing: defaults come from annotations, the configuration wins") {
  struct row {
    const char* annotations;
    core::effect effect;
    core::approval_policy approval;
    const char* risk;
  };
  using core::approval_policy;
  using core::effect;
  auto r =
      GENERATE(row{"{}", effect::once, approval_policy::always, "medium"},
               row{R"({"readOnlyHint":true})", effect::read_only, approval_policy::never, "low"},
               row{R"({"readOnlyHint":true,"destructiveHint":true})", effect::read_only, approval_policy::never, "low"},
               row{R"({"readOnlyHint":"yes"})", effect::once, approval_policy::always, "medium"},
               row{R"({"destructiveHint":true})", effect::once, approval_policy::always, "high"},
               row{R"({"destructiveHint":false})", effect::once, approval_policy::never, "low"},
               row{R"({"idempotentHint":true,"destructiveHint":false})", effect::idempotent, approval_policy::never, "low"},
               row{R"({"idempotentHint":true})", effect::idempotent, approval_policy::always, "medium"});
  CAPTURE(r.annotations);
  auto listed = list_of(R"({"name":"do",)" + plain_schema + R"(,"annotations":)" + r.annotations + "}");
  REQUIRE(listed.tools.size() == 1);
  core::tool_config config;
  config.name = "files";
  auto spec = spec_of(listed.tools[0], config);
  CHECK(spec.name == "files.do");
  CHECK(spec.effect == r.effect);
  CHECK(spec.approval == r.approval);
  CHECK(spec.risk == r.risk);
  config.effect = effect::read_only;
  CHECK(spec_of(listed.tools[0], config).approval == approval_policy::never);
  config.approval = approval_policy::by_effect;
  config.risk = "high";
  CHECK(spec_of(listed.tools[0], config).approval == approval_policy::by_effect);
  CHECK(spec_of(listed.tools[0], config).risk == "high");
}

TEST_CASE("mcp listing: what cannot be a tool here is left out with a reason") {
  struct row {
    std::string item;
    const char* reason;
  };
  auto r = GENERATE(row{"7", "no JSON object"}, row{R"({"name":"",)" + plain_schema + "}", "printable ASCII"},
                    row{R"({"name":"a b",)" + plain_schema + "}", "printable ASCII"},
                    row{R"({"name":")" + std::string(200, 'x') + "\"," + plain_schema + "}", "1 to 128"},
                    row{R"({"name":"do"})", "no inputSchema"},
                    row{R"({"name":"do","execution":{"taskSupport":"required"},)" + plain_schema + "}", "MCP task"},
                    row{R"({"name":"do","inputSchema":{"a":")" + std::string(300'000, 'x') + "\"}}", "262144 bytes"});
  auto listed = list_of(r.item);
  CHECK(listed.tools.empty());
  REQUIRE(listed.left_out.size() == 1);
  CHECK_THAT(listed.left_out[0], Contains(r.reason));
}

TEST_CASE("mcp listing: sizes and counts are bounded") {
  listing l;
  auto item =
      json::parse(R"({"name":"do",)" + plain_schema + R"(,"description":")" + std::string(50'000, 'x') + "\"}").as_object();
  for (int i = 0; i < 3'000; ++i) {
    item["name"] = "do" + std::to_string(i);
    l.add(item, false);
  }
  CHECK(l.tools.size() < 2'100);
  CHECK(l.tools.size() > 2'000);
  CHECK(l.left_out_count == 3'000 - l.tools.size());
  CHECK(l.left_out.size() <= 5);
  CHECK(l.tools[0].description.size() == 16 << 10);
}

TEST_CASE("mcp headers: arguments travel in headers too where the schema says so") {
  auto listed = list_of(R"({"name":"do","inputSchema":{"type":"object","properties":{
      "region":{"type":"string","x-mcp-header":"Region"},
      "deep":{"type":"object","properties":{"n":{"type":"integer","x-mcp-header":"N"},"b":{"type":"boolean","x-mcp-header":"B"}}},
      "x-mcp-header":{"type":"string"}}}})");
  REQUIRE(listed.tools.size() == 1);
  auto lines = [&](const char* arguments) { return header_lines(listed.tools[0], json::parse(arguments).as_object()); };
  using strings = std::vector<std::string>;
  CHECK(lines(R"({"region":"eu","deep":{"n":-7,"b":true}})") ==
        strings{"Mcp-Param-Region: eu", "Mcp-Param-N: -7", "Mcp-Param-B: true"});
  CHECK(lines(R"({"region":null,"deep":3})").empty());
  CHECK(lines(R"({"region":"a\r\nX: y"})") == strings{"Mcp-Param-Region: =?base64?YQ0KWDogeQ==?="});
  CHECK(header_value("Hello, \u4e16\u754c") == "=?base64?SGVsbG8sIOS4lueVjA==?=");
  CHECK(header_value(" padded ") == "=?base64?IHBhZGRlZCA=?=");
  CHECK(header_value("=?base64?literal?=") == "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=");
  CHECK(header_value("us-west1") == "us-west1");
}

TEST_CASE("mcp headers: a tool with a wrong x-mcp-header is left out, but only where there are headers") {
  auto header = GENERATE(R"("type":"string","x-mcp-header":"")", R"("type":"string","x-mcp-header":"a b")",
                         R"("type":"string","x-mcp-header":"a\r\nb")", R"("type":"number","x-mcp-header":"A")",
                         R"("type":"string","x-mcp-header":7)", R"("type":"string","x-mcp-header":"twice")");
  auto item =
      R"({"name":"do","inputSchema":{"type":"object","properties":{"p":{"type":"string","x-mcp-header":"TWICE"},"q":{)" +
      std::string(header) + "}}}}";
  CHECK(list_of(item, true).tools.empty());
  CHECK(list_of(item, false).tools.size() == 1);
}
