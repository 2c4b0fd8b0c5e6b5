#include "tools/http/body_template.hpp"
#include "tools/http/http_tools.hpp"
#include "tools/http/url_template.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::tools;
namespace json = boost::json;

namespace {

json::object object(std::string_view text) { return json::parse(text).as_object(); }

std::string filled(std::string_view text, std::string_view arguments, std::string_view more = "{}") {
  auto t = url_template::parse(text);
  if (!t) return t.error().text;
  auto url = t->fill(object(arguments), object(more));
  return url ? url->text : url.error().text;
}

std::string body(std::string_view text, std::string_view arguments) {
  auto t = body_template::parse(text);
  return t ? t->fill(object(arguments)) : t.error().text;
}

core::tool_config declared() {
  core::tool_config c;
  c.name = "lookup";
  c.kind = "http";
  c.url = "https://example.org/users/{id}";
  c.parameters = R"({"type":"object","properties":{"id":{"type":"string"},"note":{"type":"string"}},"required":["id"]})";
  return c;
}

}  // namespace

TEST_CASE("http url template: arguments are encoded into path and query") {
  CHECK(filled("https://example.org/u/{id}/p?n={n}&x=1", R"({"id":"a/b ?#%\u00fc","n":3})") ==
        "https://example.org/u/a%2Fb%20%3F%23%25%C3%BC/p?n=3&x=1");
  CHECK(filled("https://example.org/{a}-{b}", R"({"a":true,"b":-1.5})").starts_with("https://example.org/true--1.5"));
  CHECK(filled("https://example.org", "{}", R"({"q":"a&b=c","l":[1,"x"],"n":null})") ==
        "https://example.org/?q=a%26b%3Dc&l=1&l=x");
  CHECK(filled("https://example.org/?a=1", "{}", R"({"k&":"v"})") == "https://example.org/?a=1&k%26=v");
  CHECK(filled("https://example.org/a?{k}={v}&b", R"({"k":"n","v":"w"})") == "https://example.org/a?n=w&b");
}

TEST_CASE("http url template: an absent argument takes its pair of the query along, and is missed in the path") {
  CHECK(filled("https://example.org/a?n={n}&m={m}", R"({"m":"x","n":null})") == "https://example.org/a?m=x");
  CHECK(filled("https://example.org/a?n={n}", "{}") == "https://example.org/a");
  CHECK_THAT(filled("https://example.org/{id}", "{}"), Catch::Contains("`id` is needed"));
  CHECK_THAT(filled("https://example.org/{id}", R"({"id":""})"), Catch::Contains("`id` is needed"));
  CHECK_THAT(filled("https://example.org/{id}", R"({"id":["x"]})"), Catch::Contains("`id` goes into the URL"));
  CHECK_THAT(filled("https://example.org/", "{}", R"({"o":{"x":1}})"), Catch::Contains("`o` goes into the URL"));
}

TEST_CASE("http url template: no argument climbs out of its place") {
  CHECK_THAT(filled("https://example.org/u/{id}", R"({"id":".."})"), Catch::Contains("`..`"));
  CHECK_THAT(filled("https://example.org/u/{a}{b}/x", R"({"a":".","b":"."})"), Catch::Contains("`..`"));
  CHECK_THAT(filled("https://example.org/u/.{a}/x", R"({"a":"."})"), Catch::Contains("`..`"));
  CHECK(filled("https://example.org/u/{id}", R"({"id":"../admin"})") == "https://example.org/u/..%2Fadmin");
  CHECK(filled("https://example.org/u/{id}", R"({"id":"%2e%2e"})") == "https://example.org/u/%252e%252e");
  CHECK(filled("https://example.org/u/{id}", R"({"id":"\r\nHost: x\u0000"})") == "https://example.org/u/%0D%0AHost%3A%20x%00");
  CHECK(filled("https://example.org/u/{id}", R"({"id":"x@evil.org"})") == "https://example.org/u/x%40evil.org");
}

TEST_CASE("http url template: a bad one names the place") {
  CHECK_THAT(filled("https://example.org/{id", "{}"), Catch::Contains("url, character 21: this `{` has no `}`"));
  CHECK_THAT(filled("https://example.org/a}b", "{}"), Catch::Contains("url, character 22: a `}` without"));
  CHECK_THAT(filled("https://example.org/a?x={+y}", "{}"), Catch::Contains("url, character 25: `{+y}` is no placeholder"));
  CHECK_THAT(filled("https://example.org/{}", "{}"), Catch::Contains("`{}` is no placeholder"));
  CHECK_THAT(filled("https://{host}/a", "{}"), Catch::Contains("not in the host"));
  CHECK_THAT(filled("https://example.org/a#{b}", "{}"), Catch::Contains("`#`"));
  CHECK_THAT(filled("https://example.org/../a", "{}"), Catch::Contains("`..`"));
  CHECK_THAT(filled("https://u:p@example.org/", "{}"), Catch::Contains("user name"));
  for (const char* text : {"", "example.org", "ftp://example.org/", "{a}://x"})
    CHECK_THAT(filled(text, "{}"), Catch::Contains("must begin with http:// or https://"));
}

TEST_CASE("http body template: placeholders stand for whole values of any type") {
  CHECK(body(R"({"a":"${x}","b":["${y}",{"c":"${z}"}],"d":"plain"})", R"({"x":1,"y":{"k":[true]},"z":null})") ==
        R"({"a":1,"b":[{"k":[true]},{"c":null}],"d":"plain"})");
  CHECK(body(R"({"a":"${x}","b":["${x}",2]})", "{}") == R"({"b":[2]})");
  CHECK(body(R"("${x}")", R"({"x":"${y}"})") == R"("${y}")");
  CHECK(body(R"("${x}")", "{}") == "null");
  CHECK_THAT(body(R"({"a":{"b/c":["x","to ${x}"]}})", "{}"),
             Catch::Contains("body, at `/a/b~1c/1`: `to ${x}` is no placeholder"));
  CHECK_THAT(body(R"({"a":"${}"})", "{}"), Catch::Contains("no placeholder"));
  CHECK_THAT(body(R"({"a":)", "{}"), Catch::Contains("body: "));
  CHECK_THAT(body(std::string(100, '[') + std::string(100, ']'), "{}"), Catch::Contains("body: "));
}

TEST_CASE("http tools: effect, approval and risk follow from the methods unless they are given") {
  boost::asio::io_context io;
  providers::curl_loop loop(io);
  core::tool_config c;
  c.name = "web";
  auto spec = [&] {
    auto t = make_http_request(c, loop);
    REQUIRE(t.has_value());
    CHECK((*t)->prepare().has_value());
    return (*t)->spec();
  };
  auto all = spec();
  CHECK(all.name == "web");
  CHECK(all.effect == core::effect::once);
  CHECK(all.approval == core::approval_policy::by_effect);
  CHECK(all.risk == "medium");
  CHECK(all.mode == tool_mode::streaming);
  c.methods = {"HEAD", "GET"};
  CHECK(spec().effect == core::effect::read_only);
  CHECK(spec().risk == "low");
  CHECK_THAT(spec().parameters,
             Catch::Contains(R"("enum":["GET","HEAD"])") && Catch::Contains(R"("additionalProperties":{"type":"string"})"));
  c.methods = {"PUT", "GET"};
  CHECK(spec().effect == core::effect::idempotent);
  c.effect = core::effect::once;
  c.approval = core::approval_policy::always;
  c.risk = "high";
  c.time_limit = std::chrono::milliseconds{1234};
  CHECK(spec().effect == core::effect::once);
  CHECK(spec().approval == core::approval_policy::always);
  CHECK(spec().risk == "high");
  CHECK(spec().time_limit == std::chrono::milliseconds{1234});
}

TEST_CASE("http tools: arguments that fit no request are told to the model") {
  boost::asio::io_context io;
  providers::curl_loop loop(io);
  auto t = make_http_request({}, loop);
  REQUIRE(t.has_value());
  REQUIRE((*t)->prepare().has_value());
  auto fits = [&](std::string_view arguments) { return (*t)->check(arguments).has_value(); };
  CHECK(fits(R"({"url":"http://a"})"));
  CHECK(fits(R"({"url":"http://a","method":"PATCH","headers":{"a":"b"},"body":[1]})"));
  CHECK_FALSE(fits("{}"));
  CHECK_FALSE(fits(R"({"url":"http://a","method":"TRACE"})"));
  CHECK_FALSE(fits(R"({"url":"http://a","headers":{"a":1}})"));
  CHECK_FALSE(fits(R"({"url":"http://a","bdy":1})"));
}

TEST_CASE("http tools: a configuration that cannot work names tool, key and remedy") {
  boost::asio::io_context io;
  providers::curl_loop loop(io);
  auto fault = [&](const core::tool_config& c) {
    auto t = c.kind == "http" ? make_http_tool(c, loop) : make_http_request(c, loop);
    if (t) return std::string();
    CHECK(t.error().code == core::errc::configuration_error);
    return t.error().text;
  };
  CHECK(fault(declared()).empty());
  auto with = [&](auto change) {
    auto c = declared();
    change(c);
    return fault(c);
  };
  CHECK_THAT(with([](auto& c) { c.url = "https://example.org/{id"; }), Catch::StartsWith("tool `lookup`: url, character 21"));
  CHECK_THAT(with([](auto& c) { c.url = "https://example.org/{ID}"; }),
             Catch::Contains("url: {ID} is no property of parameters"));
  CHECK_THAT(with([](auto& c) { c.parameters.clear(); }), Catch::Contains("url: {id} is no property"));
  CHECK_THAT(with([](auto& c) { c.parameters = "{"; }), Catch::Contains("tool `lookup`: parameters: "));
  CHECK_THAT(with([](auto& c) { c.method = "get"; }), Catch::Contains("method: `get` is none of"));
  CHECK_THAT(with([](auto& c) { c.body = R"("${id}")"; }), Catch::Contains("a GET request has none"));
  CHECK_THAT(with([](auto& c) { c.method = "POST", c.body = R"({"a":"${nope}"})"; }),
             Catch::Contains("body: ${nope} is no property"));
  CHECK_THAT(with([](auto& c) { c.method = "POST", c.body = R"({"a":"x ${id}"})"; }), Catch::Contains("body, at `/a`"));
  CHECK_THAT(with([](auto& c) { c.headers = {{"Host", "x"}}; }), Catch::Contains("headers: the header `Host`"));
  auto secret = with([](auto& c) { c.headers = {{"Authorization", "Bearer s3cret\n"}}; });
  CHECK_THAT(secret, Catch::Contains("`Authorization`") && !Catch::Contains("s3cret"));
  CHECK_THAT(with([](auto& c) { c.ca_file = "/no/such/file.pem"; }),
             Catch::Contains("ca_file /no/such/file.pem cannot be read"));
  CHECK_THAT(with([](auto& c) { c.output_bytes = 5 << 20; }), Catch::Contains("output_bytes must be 1 to 4194304"));
  CHECK_THAT(with([](auto& c) { c.time_limit = std::chrono::milliseconds{0}; }), Catch::Contains("time limit"));

  core::tool_config request;
  request.hosts = {"https://example.org"};
  CHECK_THAT(fault(request), Catch::StartsWith("tool `http_request`: hosts: `https://example.org` is no host"));
  request.hosts.clear();
  request.methods = {"GET", "TRACE"};
  CHECK_THAT(fault(request), Catch::Contains("methods: `TRACE` is none of"));
}
