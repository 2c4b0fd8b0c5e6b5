// HTTP tools that the configuration declares, against a server that tells what it was asked.
#include "tests/support/http_tool_bench.hpp"

#include <boost/json.hpp>

using namespace troupe;
using namespace troupe::testing;

namespace {

/// Takes one request per call and answers with `answer`.
struct endpoint {
  std::mutex mutex;
  std::string asked;
  std::string answer = http_response("200 OK", "Content-Type: application/json\r\n", R"({"ok":true})");
  raw_http_server server{[this](raw_connection& c) {
    auto request = c.read_request();
    std::lock_guard lock(mutex);
    asked = request;
    c.send(answer);
  }};
  std::string request() {
    std::lock_guard lock(mutex);
    return asked;
  }
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + port_of(server); }
};

core::tool_config declared(const std::string& url, std::string method = "") {
  core::tool_config c;
  c.name = "lookup";
  c.kind = "http";
  c.url = url;
  c.method = std::move(method);
  c.parameters =
      R"({"type":"object","properties":{"id":{"type":["string","integer"]},"q":{"type":"string"},"tags":{"type":"array"},"note":{}}})";
  return c;
}

std::string body_of(const std::string& request) { return request.substr(request.find("\r\n\r\n") + 4); }

}  // namespace

TEST_CASE("declared http tool: arguments go where the template has them, the rest to the query or a JSON body") {
  endpoint to;
  http_tool_world world(to.server);
  world.config = declared(to.url() + "/users/{id}?q={q}");
  auto result = world.call(R"({"id":"a/b c","note":"x&y","tags":[1,"two"]})");
  CHECK(result.ok);
  CHECK(result.output == R"({"ok":true})");
  CHECK_THAT(to.request(), Catch::StartsWith("GET /users/a%2Fb%20c?note=x%26y&tags=1&tags=two HTTP/1.1\r\n"));
  CHECK_THAT(to.request(),
             !Catch::Contains("Content-Type") && !Catch::Contains("Idempotency-Key") && !Catch::Contains("traceparent"));

  world.config = declared(to.url() + "/users/{id}", "DELETE");
  world.call(R"({"id":7,"q":"now"})");
  CHECK_THAT(to.request(), Catch::StartsWith("DELETE /users/7?q=now HTTP/1.1\r\n"));
  CHECK(body_of(to.request()).empty());

  world.config = declared(to.url() + "/users/{id}", "POST");
  world.call(R"({"id":7,"q":"now","note":{"a":[null]}})");
  CHECK_THAT(to.request(),
             Catch::StartsWith("POST /users/7 HTTP/1.1\r\n") && Catch::Contains("Content-Type: application/json\r\n"));
  CHECK(boost::json::parse(body_of(to.request())) == boost::json::parse(R"({"q":"now","note":{"a":[null]}})"));

  world.config = declared(to.url() + "/users", "PUT");
  world.config.body = R"({"user":{"id":"${id}","tags":"${tags}","kind":"person"}})";
  world.call(R"({"id":7,"q":"now"})");
  CHECK_THAT(to.request(), Catch::StartsWith("PUT /users?q=now HTTP/1.1\r\n"));
  CHECK(boost::json::parse(body_of(to.request())) == boost::json::parse(R"({"user":{"id":7,"kind":"person"}})"));

  world.config.body = R"(["${q}","${q}"])";
  CHECK_THAT(world.call(R"({"q":")" + std::string(600'000, 'x') + "\"}").output, Catch::Contains("larger than 1048576"));
  CHECK_THAT((world.config = declared(to.url() + "/u/{id}"), world.call(R"({"id":".."})").output), Catch::Contains("not sent"));
}

TEST_CASE("declared http tool: the server learns the trace, and a key where a call may come twice") {
  endpoint to;
  http_tool_world world(to.server);
  world.context.environment = core::system_environment();
  world.context.trace = {{0x0123456789ABCDEF, 0x0F1E2D3C4B5A6978}};
  world.context.idempotency_key = "call-17";
  world.config = declared(to.url() + "/", "PUT");
  world.call("{}");
  CHECK_THAT(to.request(), Catch::Contains("Idempotency-Key: call-17\r\n"));
  CHECK_THAT(to.request(), Catch::Matches("[^]*traceparent: 00-0123456789abcdef0f1e2d3c4b5a6978-[0-9a-f]{16}-01\r\n[^]*"));
  world.config = declared(to.url() + "/", "POST");
  world.call("{}");
  CHECK_THAT(to.request(), !Catch::Contains("Idempotency-Key"));
  world.config.effect = core::effect::idempotent;
  world.call("{}");
  CHECK_THAT(to.request(), Catch::Contains("Idempotency-Key: call-17\r\n"));
}

TEST_CASE("declared http tool: configured headers are sent and never told, neither to the model nor to another origin") {
  endpoint elsewhere;
  endpoint to;
  http_tool_world world(to.server);
  world.open_ports.insert(port_of(elsewhere.server));
  world.config = declared(to.url() + "/{id}?key=k3y", "POST");
  world.config.headers = {{"Authorization", "Bearer s3cret"}, {"X-Empty", ""}, {"Content-Type", "application/vnd.api+json"}};
  CHECK(world.call(R"({"id":"a"})").ok);
  CHECK_THAT(to.request(), Catch::Contains("Authorization: Bearer s3cret\r\n") && Catch::Contains("X-Empty:\r\n") &&
                               Catch::Contains("Content-Type: application/vnd.api+json\r\n"));
  CHECK_THAT(to.request(), !Catch::Contains("Content-Type: application/json"));

  to.answer = http_response("307 Temporary Redirect", "Location: " + elsewhere.url() + "/moved\r\n", "");
  CHECK(world.call(R"({"id":"a","q":"kept"})").ok);
  CHECK_THAT(elsewhere.request(),
             Catch::StartsWith("POST /moved HTTP/1.1\r\n") && !Catch::Contains("s3cret") && Catch::Contains("kept"));

  for (const auto& answer :
       {std::string("HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\nno"), http_response("403 Forbidden", "", "go away"),
        http_response("302 Found", "Location: ftp://x/\r\n", ""), std::string("rubbish\r\n\r\n"), std::string()}) {
    to.answer = answer;
    auto failed = world.call(R"({"id":"a"})");
    INFO(failed.output);
    CHECK_FALSE(failed.ok);
    CHECK_THAT(failed.output, !Catch::Contains("s3cret") && !Catch::Contains("k3y"));
  }
}

TEST_CASE("declared http tool: it reaches public addresses only, unless it is allowed more") {
  endpoint to;
  http_tool_world world;
  world.config = declared(to.url() + "/");
  CHECK_THAT(world.call("{}").output, Catch::Contains("`allow_private`"));
  CHECK(to.request().empty());
  world.config.allow_private = true;
  CHECK(world.call("{}").ok);
}
