#include "providers/openai.hpp"
#include "providers/tool_names.hpp"
#include "providers/upstream_error.hpp"

#include <catch2/catch.hpp>

#include <boost/json.hpp>

using namespace troupe;
using namespace troupe::providers;

namespace {

std::shared_ptr<const std::vector<core::history_message>> history_of(std::vector<core::history_message> messages) {
  return std::make_shared<const std::vector<core::history_message>>(std::move(messages));
}

boost::json::value openai_body(const model_request& request) { return boost::json::parse(openai_request(request)); }

}  // namespace

TEST_CASE("openai request: a conversation with a tool call becomes the messages of the API") {
  model_request request;
  request.model = "m1";
  request.instructions = "Be brief.";
  request.max_output_tokens = 77;
  request.temperature = 0.5;
  request.history = history_of({{core::role::user, "weather?", {}, {}, true},
                                {core::role::assistant, "", {{{"c1"}, "files.read", "{\"city\":\"Oslo\"}"}}, {}, true},
                                {core::role::tool, "rain", {}, {"c1"}, true},
                                {core::role::assistant, "Rain.", {}, {}, true}});
  request.tools = std::make_shared<const std::vector<tool_description>>(
      std::vector<tool_description>{{"files.read", "Reads.", R"({"type":"object","properties":{"city":{"type":"string"}}})"}});
  CHECK(openai_body(request) == boost::json::parse(R"({
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

TEST_CASE("openai request: stop sequences, effort and the schema of the answer are sent") {
  model_request request;
  request.stop = {"END", "\xFF"};
  request.reasoning_effort = "low";
  request.response_schema = R"({"type":"object","properties":{}})";
  auto body = openai_body(request);
  CHECK(body.at("stop") == boost::json::parse(R"(["END","\ufffd"])"));
  CHECK(body.at("reasoning_effort") == "low");
  CHECK(body.at("response_format") == boost::json::parse(R"({"type":"json_schema","json_schema":
    {"name":"answer","strict":true,"schema":{"type":"object","properties":{}}}})"));
}

TEST_CASE("tool names: every name has one that APIs take, and finds its way back") {
  CHECK(wire_name("files.read") == "files__read");
  CHECK(wire_name("a b/\xC3\xA9") == "a_b___");
  CHECK(wire_name("") == "unnamed");
  auto first = wire_name(std::string(100, 'x') + "1");
  CHECK(first.size() == 64);
  CHECK(first != wire_name(std::string(100, 'x') + "2"));
  CHECK(first == wire_name(std::string(100, 'x') + "1"));
  std::vector<tool_description> tools{{"files.read", "", ""}, {std::string(100, 'x') + "1", "", ""}};
  CHECK(own_tool_name(&tools, "files__read") == "files.read");
  CHECK(own_tool_name(&tools, first) == tools[1].name);
  CHECK(own_tool_name(&tools, "other") == "other");
  CHECK(own_tool_name(nullptr, "other") == "other");
}

TEST_CASE("openai request: what is not there is left out") {
  model_request request;
  request.model = "m";
  auto body = openai_body(request).as_object();
  CHECK_FALSE(body.contains("tools"));
  for (const char* key : {"temperature", "stop", "reasoning_effort", "response_format"}) CHECK_FALSE(body.contains(key));
  CHECK(body.at("messages").as_array().empty());
  CHECK(boost::json::parse(openai_request(request, "max_completion_tokens")).as_object().contains("max_completion_tokens"));
}

TEST_CASE("openai request: arguments that are no JSON object are sent as an empty one") {
  for (std::string arguments : {"{\"a\":", "", "[1]", "text"}) {
    CAPTURE(arguments);
    model_request request;
    request.history = history_of({{core::role::assistant, "Hm.", {{{"c"}, "t", arguments}}, {}, true}});
    auto body = openai_body(request);
    CHECK(body.at_pointer("/messages/0/tool_calls/0/function/arguments") == "{}");
    CHECK(body.at_pointer("/messages/0/content") == "Hm.");
  }
}

TEST_CASE("openai request: bytes that are not UTF-8 do not spoil the request") {
  model_request request;
  request.history = history_of({{core::role::tool, "binary \xFF\xFE", {}, {"c"}, true}});
  auto body = openai_request(request);
  CHECK(scan_utf8(body).valid == body.size());
}

TEST_CASE("upstream errors: each shape of an error gives its text") {
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
      {529, R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"r"})", "Overloaded",
       true},
      {404, R"({"type":"error","error":{"type":"not_found_error","message":"model: x"}})", "model: x", false},
      {408, "", "", true},
      {409, "", "", true},
      {302, "", "", false},
  };
  for (const auto& r : rows) {
    CAPTURE(r.status, r.body);
    auto error = upstream_error_of_response(r.status, r.body);
    CHECK(error.text == r.text);
    CHECK(error.retryable == r.retryable);
  }
  CHECK(upstream_error_of_response(400, R"({"error":{"message":")" + std::string(9000, 'x') + "\"}}").text.size() < 600);
}

namespace {

struct attached {
  std::map<core::file_id, std::shared_ptr<const core::file_record>> files;
  core::history_message message{core::role::user, "look", {}, {}, true};

  void add(std::string name, std::string type, std::optional<std::string> data, std::int64_t size = -1) {
    core::attachment file{{{1, files.size() + message.attachments.size()}}, std::move(name), std::move(type), size};
    if (data && size < 0) file.size = static_cast<std::int64_t>(data->size());
    message.attachments.push_back(file);
    core::file_record record;
    record.file = file;
    if (data) record.data = std::make_shared<const std::string>(std::move(*data));
    if (data) files.emplace(file.file, std::make_shared<const core::file_record>(std::move(record)));
  }
  boost::json::value content(bool takes_images, bool takes_files) {
    model_request request;
    request.takes_images = takes_images;
    request.takes_files = takes_files;
    request.history = history_of({message});
    request.files = std::make_shared<const model_files>(files);
    return openai_body(request).at("messages").at(0).at("content");
  }
};

}  // namespace

TEST_CASE("openai request: attached images and files become parts where the model takes them") {
  attached a;
  a.add("p.png", "Image/PNG; q=1", "png!");
  a.add("d.pdf", "application/pdf", "pdf");
  a.add("t.txt", "text/plain; charset=utf-8", "words");
  a.add("s.mp3", "audio/mpeg", "noise");
  CHECK(a.content(true, true) == boost::json::parse(R"([
    {"type": "text", "text": "look"},
    {"type": "image_url", "image_url": {"url": "data:image/png;base64,cG5nIQ=="}},
    {"type": "file", "file": {"filename": "d.pdf", "file_data": "data:application/pdf;base64,cGRm"}},
    {"type": "text", "text": "[Attached file: t.txt]\nwords"},
    {"type": "text", "text": "[Attached file, not shown: s.mp3, audio/mpeg, 5 bytes]"}])"));
  auto plain = a.content(false, false);
  REQUIRE(plain.is_string());
  CHECK(plain.get_string() ==
        "look\n\n[Attached file, not shown: p.png, Image/PNG; q=1, 4 bytes]\n\n"
        "[Attached file, not shown: d.pdf, application/pdf, 3 bytes]\n\n[Attached file: t.txt]\nwords\n\n"
        "[Attached file, not shown: s.mp3, audio/mpeg, 5 bytes]");
}

TEST_CASE("openai request: a long text is a file or only named, a missing file is named") {
  attached a;
  a.message.content.clear();
  a.add("gone.png", "image/png", std::nullopt, 7);
  CHECK(a.content(true, true) == "[Attached file, not shown: gone.png, image/png, 7 bytes]");
  attached b;
  b.add("long.json", "application/json", std::string((64 << 10) + 1, ' '));
  CHECK(b.content(true, false).is_string());
  CHECK(b.content(false, true).at(1).at("type") == "file");
  attached c;
  c.add("short.json", "application/json", std::string("\xff{}"));
  CHECK(c.content(false, false) == "look\n\n[Attached file: short.json]\n\xEF\xBF\xBD{}");
}
