#include "providers/anthropic.hpp"
#include "providers/utf8.hpp"

#include <catch2/catch.hpp>

#include <boost/json.hpp>

#include <set>

using namespace troupe;
using namespace troupe::providers;
namespace json = boost::json;

namespace {

bool is_name(const json::value& value) {
  auto* text = value.if_string();
  return text != nullptr && !text->empty() && text->size() <= 64 && std::all_of(text->begin(), text->end(), [](char c) {
           return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
         });
}
bool is_blank(const json::value& value) {
  return std::string_view(value.as_string()).find_first_not_of(" \t\r\n") == std::string_view::npos;
}

/// What the API would refuse in a body, by its documented rules; nothing where it is good.
std::string defect_of_body(const json::object& body) {
  if (!body.contains("max_tokens")) return "no max_tokens";
  if (auto* system = body.if_contains("system"); system != nullptr && is_blank(*system)) return "a blank system";
  std::set<std::string> ids, open;
  std::string_view role;
  for (const auto& message : body.at("messages").as_array()) {
    if (message.at("role") == json::value(role)) return "two turns of one role";
    role = message.at("role").as_string();
    if (role != "user" && role != "assistant") return "a role that is none";
    const auto& content = message.at("content").as_array();
    if (content.empty()) return "an empty turn";
    bool results_over = false;
    for (const auto& block : content) {
      auto type = std::string_view(block.at("type").as_string());
      results_over = results_over || type != "tool_result";
      if (type == "text" && is_blank(block.at("text"))) return "blank text";
      if (type == "tool_use") {
        if (role != "assistant") return "a call by the user";
        if (!is_name(block.at("id")) || !is_name(block.at("name"))) return "a bad id or name";
        if (!block.at("input").is_object()) return "input that is no object";
        std::string id(block.at("id").as_string());
        if (!ids.insert(id).second) return "an id that is there twice: " + id;
        open.insert(id);
      } else if (type == "tool_result") {
        if (role != "user" || results_over) return "a result that is not first in the user's turn";
        if (open.erase(std::string(block.at("tool_use_id").as_string())) == 0) return "a result of no call";
      } else if (type != "text" && role != "user") {
        return "an attachment of the assistant";
      }
    }
    if (role == "user" && !open.empty()) return "a call without a result in the next turn";
    if (message == body.at("messages").as_array().front() && role != "user") return "the first turn is not the user's";
  }
  if (role != "user") return "the last turn is not the user's";
  return {};
}

std::shared_ptr<const std::vector<core::history_message>> history(std::vector<core::history_message> messages) {
  CHECK(core::defect_of(messages).empty());
  return std::make_shared<const std::vector<core::history_message>>(std::move(messages));
}

json::object body_of(const model_request& request) {
  auto text = anthropic_request(request);
  CHECK(scan_utf8(text).valid == text.size());
  auto body = json::parse(text).as_object();
  CHECK(defect_of_body(body) == "");
  return body;
}

core::history_message user(std::string text) { return {core::role::user, std::move(text), {}, {}, true}; }
core::history_message assistant(std::string text, std::vector<core::tool_call> calls = {}) {
  return {core::role::assistant, std::move(text), std::move(calls), {}, true};
}
core::history_message result(std::string call, std::string text, bool ok = true) {
  return {core::role::tool, std::move(text), {}, {std::move(call)}, ok};
}

model_request asking(std::vector<core::history_message> messages = {user("hi")}) {
  model_request request;
  request.model = "m1";
  request.history = history(std::move(messages));
  return request;
}

}  // namespace

TEST_CASE("anthropic request: a conversation with a tool call becomes turns of content blocks") {
  auto request = asking({user("weather?"), assistant("Let me see.", {{{"c1"}, "files.read", R"({"city":"Oslo"})"}}),
                         result("c1", "rain"), assistant("Rain."), user("thanks")});
  request.instructions = "Be brief.";
  request.max_output_tokens = 77;
  request.temperature = 0.5;
  request.stop = {"END"};
  request.tools = std::make_shared<const std::vector<tool_description>>(std::vector<tool_description>{
      {"files.read", "Reads.", R"({"type":"object","properties":{"city":{"type":"string"}}})"}, {"bare", "", ""}});
  CHECK(body_of(request) == json::parse(R"({
    "model": "m1", "max_tokens": 77, "stream": true, "system": "Be brief.", "temperature": 0.5, "stop_sequences": ["END"],
    "messages": [
      {"role": "user", "content": [{"type": "text", "text": "weather?"}]},
      {"role": "assistant", "content": [
        {"type": "text", "text": "Let me see."},
        {"type": "tool_use", "id": "c1", "name": "files__read", "input": {"city": "Oslo"}}]},
      {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "rain"}]},
      {"role": "assistant", "content": [{"type": "text", "text": "Rain."}]},
      {"role": "user", "content": [{"type": "text", "text": "thanks"}]}],
    "tools": [
      {"name": "files__read", "description": "Reads.", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}},
      {"name": "bare", "input_schema": {"type": "object", "properties": {}}}]})"));
}

TEST_CASE("anthropic request: what is not there is left out") {
  auto body = body_of(asking());
  CHECK(body.size() == 4);
  for (const char* key : {"model", "max_tokens", "stream", "messages"}) CHECK(body.contains(key));
}

TEST_CASE("anthropic request: every valid history becomes a valid one there") {
  const std::vector<std::vector<core::history_message>> histories{
      {user("")},
      {user(" \n")},
      {user("a"), user("b"), user("c")},
      {user("a"), assistant("  "), user("b")},
      {user("a"), assistant("cut"), assistant("again"), user("b")},
      {user("a"), assistant("the last word")},
      {user("a"), assistant("", {{{"x"}, "t", "{\"a\":"}}), result("x", "")},
      {user("a"), assistant("", {{{"x"}, "t", ""}, {{"y"}, "t", "[1]"}}), result("y", "2", false), result("x", "1"),
       user("steer")},
      {user("a"), assistant("", {{{"call:1.2"}, "no such tool!", "{}"}}), result("call:1.2", "gone", false)},
      {user("a"), assistant("", {{{"same"}, "t", "{}"}}), result("same", "1"), assistant("", {{{"same"}, "t", "{}"}}),
       result("same", "2")},
      {user("a"), assistant("", {{{std::string(200, 'x')}, std::string(300, 'y'), "{}"}}), result(std::string(200, 'x'), "1")},
      {user("\xFF"), assistant("\xFE", {{{"\xFD"}, "\xFC", "\xFB"}}), result("\xFD", "\xFA")},
  };
  for (std::size_t i = 0; i < histories.size(); ++i) {
    CAPTURE(i);
    body_of(asking(histories[i]));
  }
}

TEST_CASE("anthropic request: results name their calls, failed ones are marked, and text follows them") {
  auto body = body_of(asking({user("a"), assistant("", {{{"x.1"}, "t", "{}"}, {{"y"}, "t", "{}"}}), result("y", "no", false),
                              result("x.1", " "), user("and now?")}));
  CHECK(json::value(body).at_pointer("/messages/2/content") == json::parse(R"([
    {"type": "tool_result", "tool_use_id": "y", "content": "no", "is_error": true},
    {"type": "tool_result", "tool_use_id": "x__1"},
    {"type": "text", "text": "and now?"}])"));
}

TEST_CASE("anthropic request: effort is a word for models that adapt, a number for those with a budget") {
  auto request = asking();
  request.temperature = 0.3;
  request.max_output_tokens = 8'000;
  auto of = [&](std::string effort) {
    request.reasoning_effort = std::move(effort);
    return body_of(request);
  };
  auto word = of("high");
  CHECK(word.at("thinking") == json::parse(R"({"type":"adaptive","display":"summarized"})"));
  CHECK(word.at("output_config") == json::parse(R"({"effort":"high"})"));
  CHECK_FALSE(word.contains("temperature"));
  CHECK(of("2000").at("thinking") == json::parse(R"({"type":"enabled","budget_tokens":2000})"));
  CHECK_FALSE(of("2000").contains("output_config"));
  CHECK_FALSE(of("2000").contains("temperature"));
  CHECK(of("5").at("thinking").at("budget_tokens") == 1'024);
  CHECK(of("99000").at("thinking").at("budget_tokens") == 7'999);
  CHECK(of("none").at("thinking") == json::parse(R"({"type":"disabled"})"));
  CHECK(of("none").contains("temperature"));
  request.max_output_tokens = 1'024;  // no room to think
  CHECK_FALSE(of("2000").contains("thinking"));
  CHECK(of("2000").contains("temperature"));
  // The signed thoughts before a call are not in the history, and a budget without them is refused.
  request = asking({user("a"), assistant("", {{{"x"}, "t", "{}"}}), result("x", "1")});
  request.max_output_tokens = 8'000;
  CHECK_FALSE(of("2000").contains("thinking"));
  CHECK(of("low").contains("thinking"));
}

TEST_CASE("anthropic request: a schema of the answer is its format, beside the effort") {
  auto request = asking();
  request.response_schema = R"({"type":"object"})";
  request.reasoning_effort = "low";
  CHECK(body_of(request).at("output_config") ==
        json::parse(R"({"effort":"low","format":{"type":"json_schema","schema":{"type":"object"}}})"));
}

TEST_CASE("anthropic request: attached images and documents become blocks where the API takes them") {
  auto files = std::make_shared<model_files>();
  auto message = user("look");
  auto add = [&](std::string name, std::string type, std::string data) {
    core::attachment file{
        {{1, message.attachments.size()}}, std::move(name), std::move(type), static_cast<std::int64_t>(data.size())};
    message.attachments.push_back(file);
    core::file_record record;
    record.file = file;
    record.data = std::make_shared<const std::string>(std::move(data));
    files->emplace(file.file, std::make_shared<const core::file_record>(std::move(record)));
  };
  std::string longer((64 << 10) + 1, 'w');
  add("p.png", "Image/PNG; q=1", "png!");
  add("d.pdf", "application/pdf", "pdf");
  add("t.txt", "text/plain", "words");
  add("long.md", "text/markdown", longer);
  add("z.zip", "application/zip", "PK");
  add("none.gif", "image/gif", "");
  auto request = asking({message});
  request.files = files;
  request.takes_images = request.takes_files = true;
  auto content = json::value(body_of(request)).at_pointer("/messages/0/content").as_array();
  REQUIRE(content.size() == 7);
  CHECK(content[1] == json::parse(R"({"type":"image","source":{"type":"base64","media_type":"image/png","data":"cG5nIQ=="}})"));
  CHECK(content[2] == json::parse(R"({"type":"document","title":"d.pdf",
    "source":{"type":"base64","media_type":"application/pdf","data":"cGRm"}})"));
  CHECK(content[3].at("text") == "[Attached file: t.txt]\nwords");
  CHECK(content[4].at_pointer("/source/media_type") == "text/plain");
  CHECK(content[4].at_pointer("/source/data") == json::value(longer));
  CHECK(content[5].at("text") == "[Attached file, not shown: z.zip, application/zip, 2 bytes]");
  CHECK(content[6].at("text") == "[Attached file, not shown: none.gif, image/gif, 0 bytes]");
  request.takes_images = request.takes_files = false;
  json::value plain = body_of(request);
  for (const auto& block : plain.at_pointer("/messages/0/content").as_array()) CHECK(block.at("type") == "text");
}
