#include "providers/openai.hpp"

#include <catch2/catch.hpp>

#include <boost/json.hpp>

using namespace troupe;
using namespace troupe::providers;

namespace {

std::shared_ptr<const std::vector<core::history_message>> history(std::vector<core::history_message> messages) {
  return std::make_shared<const std::vector<core::history_message>>(std::move(messages));
}

boost::json::value body_of(const model_request& request) { return boost::json::parse(openai_request(request)); }

}  // namespace

TEST_CASE("openai request: a conversation with a tool call becomes the messages of the API") {
  model_request request;
  request.model = "m1";
  request.instructions = "Be brief.";
  request.max_output_tokens = 77;
  request.temperature = 0.5;
  request.history = history({{core::role::user, "weather?", {}, {}, true},
                             {core::role::assistant, "", {{{"c1"}, "files.read", "{\"city\":\"Oslo\"}"}}, {}, true},
                             {core::role::tool, "rain", {}, {"c1"}, true},
                             {core::role::assistant, "Rain.", {}, {}, true}});
  request.tools = std::make_shared<const std::vector<tool_description>>(
      std::vector<tool_description>{{"files.read", "Reads.", R"({"type":"object","properties":{"city":{"type":"string"}}})"}});
  CHECK(body_of(request) == boost::json::parse(R"({
    "model": "m1",
    "messages": [
      {"role": "system", "content": "Be brief."},
      {"role": "user", "content": "weather?"},
      {"role": "assistant", "content": null, "tool_calls": [
        {"id": "c1", "type": "function", "function": {"name": "files__read", "arguments": "{\"city\":\"Oslo\"}"}}]},
      {"role": "tool", "content": "rain", "tool_call_id": "c1"},
      {"role": "assistant", "content": "Rain."}],
    "stream": true, "stream_options": {"include_usage": true}, "max_tokens": 77, "temperature": 0.5,
    "tools": [{"type": "function", "function": {"name": "files__read", "description": "Reads.",
      "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}]})"));
}

TEST_CASE("openai request: what is not there is left out") {
  model_request request;
  request.model = "m";
  auto body = body_of(request).as_object();
  CHECK_FALSE(body.contains("tools"));
  CHECK_FALSE(body.contains("temperature"));
  CHECK(body.at("messages").as_array().empty());
  CHECK(boost::json::parse(openai_request(request, "max_completion_tokens")).as_object().contains("max_completion_tokens"));
}

TEST_CASE("openai request: arguments that are no JSON object are sent as an empty one") {
  for (std::string arguments : {"{\"a\":", "", "[1]", "text"}) {
    CAPTURE(arguments);
    model_request request;
    request.history = history({{core::role::assistant, "Hm.", {{{"c"}, "t", arguments}}, {}, true}});
    auto body = body_of(request);
    CHECK(body.at_pointer("/messages/0/tool_calls/0/function/arguments") == "{}");
    CHECK(body.at_pointer("/messages/0/content") == "Hm.");
  }
}

TEST_CASE("openai request: bytes that are not UTF-8 do not spoil the request") {
  model_request request;
  request.history = history({{core::role::tool, "binary \xFF\xFE", {}, {"c"}, true}});
  auto body = openai_request(request);
  CHECK(scan_utf8(body).valid == body.size());
}

TEST_CASE("openai errors: each shape of an error gives its text") {
  struct row {
    long status;
    std::string body;
    std::string text;
    bool retryable;
  };
  const std::vector<row> rows{
      {429, R"({"error":{"message":"slow down","type":"requests"}})", "slow down", true},
      {429, R"({"error":{"message":"pay","code":"insufficient_quota"}})", "pay", false},
      {401, R"({"error":{"message":"bad key"}})", "bad key", false},
      {500, R"({"error":"broken"})", "broken", true},
      {503, "<html>", "", true},
      {400, R"([{"error":{"message":"listed"}}])", "listed", false},
      {404, R"({"detail":"no such route"})", "no such route", false},
      {400, R"({"object":"error","message":"flat"})", "flat", false},
      {408, "", "", true},
      {409, "", "", true},
      {302, "", "", false},
  };
  for (const auto& r : rows) {
    CAPTURE(r.status, r.body);
    auto error = openai_error_of_response(r.status, r.body);
    CHECK(error.text == r.text);
    CHECK(error.retryable == r.retryable);
  }
  CHECK(openai_error_of_response(400, R"({"error":{"message":")" + std::string(9000, 'x') + "\"}}").text.size() < 600);
}
