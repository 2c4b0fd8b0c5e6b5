#include "app/cli/question.hpp"

#include <boost/json/parse.hpp>

#include <catch2/catch.hpp>

using namespace troupe::app;
namespace json = boost::json;
using what = question::reply::what;

namespace {

question of(std::string_view card) { return question(json::parse({card.data(), card.size()}).as_object()); }

constexpr std::string_view call = R"({"approvalId": "a-1", "kind": "tool", "tool": "delete_file", "riskLevel": "high",
  "action": {"path": "x\u001b[2J\ny", "n": 7}, "argumentsHash": "abc", "expiresAt": "2026-11-22T19:31:40.853Z", "requiredApprovals": 2})";
constexpr std::string_view form =
    R"({"approvalId": "a-2", "kind": "input", "tool": "book", "message": "Where to?", "action": {},
  "schema": {"type": "object", "required": ["city"], "properties": {
    "city": {"type": "string", "enum": ["Cádiz", "Vigo"], "description": "of arrival"},
    "nights": {"type": "integer"}, "breakfast": {"type": "boolean"}}}})";

json::object decided(question& q, std::string_view line) {
  auto reply = q.take(line);
  CHECK(reply.is == what::decided);
  return reply.body;
}
void complains(question& q, std::string_view line) {
  auto reply = q.take(line);
  CHECK(reply.is == what::more);
  CHECK(!reply.complaint.empty());
}

}  // namespace

TEST_CASE("question: a call shows its arguments, line by line and harmless", "[app]") {
  auto text = of(call).text(terminal{});
  CHECK(text.find("delete_file needs your approval, risk high, 2 people must approve, until 2026-11-22 19:31:40 UTC\n") !=
        std::string::npos);
  CHECK(text.find("    path: x^[[2J\n    y\n    n: 7\n") != std::string::npos);
  std::string lines = "l";
  for (int i = 0; i < 100; ++i) lines += "\nl";
  question longer({{"approvalId", "a"}, {"tool", "t"}, {"action", {{"text", lines}}}});
  CHECK(longer.text(terminal{}).find("and more: look at it") != std::string::npos);
}

TEST_CASE("question: a call is approved, denied, edited, remembered or left open", "[app]") {
  auto q = of(call);
  complains(q, "");
  complains(q, "ok");
  CHECK(decided(q, "y") == json::object{{"approved", true}, {"argumentsHash", "abc"}});
  CHECK(decided(q, "  no  because of it ") ==
        json::object{{"approved", false}, {"note", "because of it"}, {"argumentsHash", "abc"}});
  auto remembered = decided(q, "a");
  CHECK(remembered.at("remember") == json::parse(R"({"scope": "session", "when": []})"));
  CHECK(q.take("l").is == what::later);
  auto edit = q.take("e to another file");
  CHECK(edit.draft.find("{\"path\"") == 0);
  complains(q, "[1]");
  CHECK(q.take("[2]").draft == "[2]");
  CHECK(q.prompt().find("JSON") != std::string::npos);
  auto edited = decided(q, R"({"path": "z"})");
  CHECK(edited.at("editedInput") == json::parse(R"({"path": "z"})"));
  CHECK(edited.at("note") == "to another file");
  q.start_over();
  CHECK(q.take("e").is == what::more);
  CHECK(q.take("").complaint.empty());
  CHECK(q.prompt().find("approve?") == 0);
}

TEST_CASE("question: of a call whose outcome is not known", "[app]") {
  auto q = of(R"({"approvalId": "a", "kind": "outcome_unknown", "tool": "deploy", "action": {"to": "prod"}})");
  CHECK(q.text(terminal{}).find("whether deploy took effect is not known") != std::string::npos);
  complains(q, "y");
  CHECK(decided(q, "r") == json::object{{"choice", "retry"}});
  CHECK(decided(q, "done I looked") == json::object{{"choice", "done"}, {"note", "I looked"}});
  CHECK(decided(q, "f") == json::object{{"choice", "failed"}});
}

TEST_CASE("question: a form is asked field by field", "[app]") {
  auto q = of(form);
  CHECK(q.text(terminal{}).find("book asks you\n    Where to?\n") != std::string::npos);
  complains(q, "Vigo");
  CHECK(q.take("y").is == what::more);
  CHECK(q.prompt() == "  city (string of [\"Cádiz\",\"Vigo\"]) of arrival? ");
  complains(q, "");
  complains(q, "Roma");
  CHECK(q.take("Vigo").is == what::more);
  CHECK(q.prompt() == "  nights (integer, may be empty)? ");
  complains(q, "many");
  CHECK(q.take("3").is == what::more);
  complains(q, "perhaps");
  CHECK(decided(q, "yes") ==
        json::parse(R"({"approved": true, "answer": {"city": "Vigo", "nights": 3, "breakfast": true}})").as_object());
  q.start_over();
  CHECK(decided(q, "n") == json::object{{"approved", false}});
}

TEST_CASE("question: a form that is more than plain fields is answered as JSON, one without fields by yes", "[app]") {
  auto q = of(R"({"approvalId": "a", "kind": "input", "tool": "t", "schema": {"properties": {"list": {"type": "array"}}}})");
  CHECK(q.take("y").complaint.find("schema") != std::string::npos);
  complains(q, "no JSON");
  CHECK(decided(q, R"({"list": [1]})").at("answer") == json::parse(R"({"list": [1]})"));
  auto empty = of(R"({"approvalId": "a", "kind": "input", "tool": "t", "schema": {"type": "object"}})");
  CHECK(decided(empty, "y") == json::parse(R"({"approved": true, "answer": {}})").as_object());
}

TEST_CASE("question: what is cut is told, and shown when it is asked for", "[app]") {
  terminal to;
  to.is_input = to.is_output = true;
  std::string path = std::string(3000, 'x') + "the end";
  question q({{"approvalId", "a"}, {"tool", "t"}, {"action", {{"path", path}}}});
  CHECK(q.text(to).find("the end") == std::string::npos);
  CHECK(q.text(to).find("and more: v shows all of it") != std::string::npos);
  CHECK(q.prompt().find("[v]iew all") != std::string::npos);
  auto reply = q.take("v");
  CHECK(reply.is == what::more);
  CHECK(reply.shown == "    path: " + path + "\n");
  auto small = of(call);
  CHECK(small.prompt().find("view") == std::string::npos);
  CHECK(small.take("v").shown.empty());
}
