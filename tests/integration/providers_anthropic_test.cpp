#include "providers/anthropic.hpp"
#include "tests/support/end_guarantee.hpp"

#include <boost/json.hpp>

using namespace troupe;
using namespace troupe::providers;
using namespace troupe::testing;

namespace {

std::string event(std::string_view type, std::string_view fields = "") {
  auto name = std::string(type);
  return "event: " + name + "\ndata: {\"type\":\"" + name + '"' + (fields.empty() ? "" : ",") + std::string(fields) + "}\n\n";
}
std::string delta(std::string_view fields) {
  return event("content_block_delta", R"("index":0,"delta":{)" + std::string(fields) + "}");
}
std::string text(std::string_view t) { return delta(R"("type":"text_delta","text":")" + std::string(t) + '"'); }
std::string tool(std::string_view id, std::string_view name) {
  return event("content_block_start", R"("index":0,"content_block":{"type":"tool_use","input":{},"id":")" + std::string(id) +
                                          R"(","name":")" + std::string(name) + "\"}");
}
const std::string start = event("message_start", R"("message":{"id":"m","usage":{"input_tokens":3,"output_tokens":1}})");
const std::string reason = event("message_delta", R"("delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2})");
const std::string stop = event("message_stop");

spoken_api messages() {
  spoken_api api;
  api.make = make_anthropic;
  api.text = text;
  api.error = [](std::string_view t) {
    return event("error", R"("error":{"type":"overloaded_error","message":")" + std::string(t) + "\"}");
  };
  api.reason = event("message_delta", R"("delta":{"stop_reason":"end_turn"})");
  api.end_without_usage = api.reason + stop;
  api.end = start + reason + stop;
  api.unknown = event("ping") + event("session.novelty", R"("delta":{"type":"text_delta","text":"no"})");
  api.garbage = "event: content_block_delta\ndata: {oops\n\n";
  api.line_begin = R"(data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":")";
  api.open_call = tool("a", "t") + delta(R"("type":"input_json_delta","partial_json":"{\"pa")");
  auto closed = event("content_block_stop", R"("index":0)");
  api.twin_calls = tool("a", "t") + tool("b", "u") + closed + closed;
  return api;
}

}  // namespace

TEST_CASE("anthropic client: an answer completes on its end marker only, whatever breaks") {
  end_guarantee(messages()).check();
}

TEST_CASE("anthropic client: the request goes to /v1/messages with key and version, and the connection serves the next") {
  std::atomic<int> connections{0};
  std::mutex mutex;
  std::vector<std::string> requests;
  raw_http_server server([&](raw_connection& c) {
    ++connections;
    while (true) {
      auto r = c.read_request();
      if (r.empty()) return;
      {
        std::lock_guard lock(mutex);
        requests.push_back(r);
      }
      c.send(stream_head() + chunk(start + text("Hel") + text("lo") + reason + stop) + last_chunk);
    }
  });
  // `/v1` at the end, as other clients want it, is understood.
  client_world w(make_anthropic, server.base_url() + "/");
  auto client = w.make();
  REQUIRE(client.has_value());
  for (int i = 0; i < 3; ++i) {
    heard_stream h;
    auto stream = (*client)->start(model_question(), h.sink());
    CHECK(h.wait_end().error.code == core::errc::ok);
    w.settle();
    CHECK(h.text == "Hello");
    CHECK(h.outputs == 1);
  }
  CHECK(connections == 1);
  std::lock_guard lock(mutex);
  REQUIRE(requests.size() == 3);
  CHECK_THAT(requests[0], Catch::StartsWith("POST /v1/messages HTTP/1.1\r\n"));
  CHECK_THAT(requests[0], Catch::Contains("x-api-key: " + test_key + "\r\n") && !Catch::Contains("Authorization"));
  CHECK_THAT(requests[0], Catch::Contains("anthropic-version: 2023-06-01\r\n"));
  auto body = boost::json::parse(requests[0].substr(requests[0].find("\r\n\r\n") + 4));
  CHECK(body.at_pointer("/messages/0/content/0/text") == "hi");
}

TEST_CASE("anthropic client: what is wrong with the configuration is named") {
  client_world w(make_anthropic, "http://127.0.0.1:1");
  auto error_of = [&] {
    auto made = w.make();
    REQUIRE(made.has_error());
    CHECK(made.error().code == core::errc::configuration_error);
    return made.error().text;
  };
  w.config.api_key_env = "OTHER_KEY";
  CHECK_THAT(error_of(), Catch::Contains("provider \"local\"") && Catch::Contains("OTHER_KEY"));
  w.config.api_key_env = "";
  CHECK(w.make().has_value());
  w.config.ca_file = "/nowhere/ca.pem";
  CHECK_THAT(error_of(), Catch::Contains("ca_file /nowhere/ca.pem cannot be read"));
  w.config.ca_file = "";
  w.config.base_url = "api.anthropic.com";
  CHECK_THAT(error_of(), Catch::Contains("base_url") && Catch::Contains("https://api.anthropic.com"));
}
