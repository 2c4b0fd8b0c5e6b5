#include "transport/dialects/dialect.hpp"
#include "transport/rest/openapi.hpp"
#include "transport/rest/openapi_parameters.hpp"
#include "transport/rest/openapi_schemas.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>
#include <catch2/catch.hpp>

#include <set>
#include <string>
#include <utility>
#include <vector>

namespace json = boost::json;
using namespace troupe::transport;

namespace {

const json::object& document() {
  static const json::object made = json::parse(openapi().text).as_object();
  return made;
}

void collect_references(const json::value& v, std::set<std::string>& out) {
  if (v.is_array())
    for (const auto& item : v.get_array()) collect_references(item, out);
  if (!v.is_object()) return;
  for (const auto& [key, value] : v.get_object()) {
    if (key == "$ref") out.insert(json::value_to<std::string>(value));
    collect_references(value, out);
  }
}

std::string lower(std::string_view method) {
  std::string out;
  for (char c : method) out += static_cast<char>(c - 'A' + 'a');
  return out;
}

const json::object& operation_at(std::string_view path, std::string_view method) {
  return document().at("paths").at(path).at(method).as_object();
}

json::object expanded(std::string_view text, std::string_view all = "{}") {
  return expanded_schema(json::parse(text), json::parse(all).as_object()).as_object();
}

void nothing(const rest_call_ptr&) {}

using troupe::core::event;

std::vector<json::object> frames_of(const std::vector<event>& events) {
  auto encoder = make_encoder(encoder_kind::nexus_log, {{7, 7}});
  frame_writer out(framing::lines);
  for (const auto& e : events) encoder->encode(e, out);
  std::vector<json::object> frames;
  if (out.empty()) return frames;
  const auto bytes = out.take();
  std::string_view lines = *bytes;
  while (!lines.empty()) {
    auto end = std::min(lines.find('\n'), lines.size() - 1);
    frames.push_back(json::parse(lines.substr(0, end)).as_object());
    lines.remove_prefix(end + 1);
  }
  return frames;
}

/// The members of a frame are those of its schema; end-to-end tests look at what they hold.
void check_members(const json::object& frame) {
  INFO(json::serialize(frame));
  const auto& schemas = document().at("components").at("schemas").as_object();
  const auto* reference =
      schemas.at("Event").at("discriminator").at("mapping").as_object().if_contains(frame.at("type").as_string());
  REQUIRE(reference);
  const auto& schema = schemas.at(reference->as_string().subview(std::string_view("#/components/schemas/").size())).as_object();
  for (const auto& [name, value] : frame) CHECK(schema.at("properties").as_object().contains(name));
  for (const auto& name : schema.at("required").as_array()) CHECK(frame.contains(name.as_string()));
}

template <std::size_t... I>
std::vector<event> one_of_each(std::index_sequence<I...>) {
  using payload = troupe::core::event_payload;
  std::vector<event> out;
  (out.push_back({I + 1, I + 1, troupe::core::millis{1}, std::variant_alternative_t<I, payload>{}}), ...);
  return out;
}

json::object document_of(const operation& is, std::string_view pattern = "/x") {
  const route only[] = {{"GET", pattern, nothing, is}};
  return make_openapi(only, "1");
}

}  // namespace

TEST_CASE("openapi: every route is an operation, and nothing else is") {
  std::size_t operations = 0;
  for (const auto& [path, methods] : document().at("paths").as_object()) operations += methods.as_object().size();
  CHECK(operations == all_routes().size());
  for (const auto& r : all_routes()) {
    INFO(r.method << " " << r.pattern);
    const auto& is = operation_at(r.pattern, lower(r.method));
    CHECK(is.at("operationId").as_string() == r.is.id);
    CHECK_FALSE(is.at("responses").as_object().empty());
  }
}

TEST_CASE("openapi: every reference leads somewhere, and every component is used") {
  std::set<std::string> used;
  collect_references(document(), used);
  std::set<std::string> there;
  for (const auto& [kind, all] : document().at("components").as_object())
    if (kind != "securitySchemes")
      for (const auto& [name, component] : all.as_object())
        there.insert("#/components/" + std::string(kind) + "/" + std::string(name));
  CHECK(used == there);
}

TEST_CASE("openapi: tags are described, ids are words, and a body has an example that is JSON") {
  std::set<std::string> tags;
  for (const auto& tag : document().at("tags").as_array()) tags.insert(json::value_to<std::string>(tag.at("name")));
  for (const auto& r : all_routes()) {
    INFO(r.method << " " << r.pattern);
    CHECK(tags.count(std::string(r.is.tag)) == 1);
    CHECK(r.is.id.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == std::string_view::npos);
    CHECK(r.is.summary.back() != '.');
    if (!r.is.body.empty()) CHECK(json::parse(r.is.examples[0]).is_object());
  }
}

TEST_CASE("openapi: who may call follows from the route") {
  CHECK(operation_at("/healthz", "get").at("security").as_array().empty());
  CHECK(operation_at("/api/v1/openapi.json", "get").at("security").as_array().empty());
  auto scope = [](std::string_view path, std::string_view method) {
    return json::serialize(operation_at(path, method).at("security").as_array().front());
  };
  CHECK(scope("/api/v1/sessions", "get") == R"({"bearer":["read"]})");
  CHECK(scope("/api/v1/chat", "post") == R"({"bearer":["chat"]})");
  CHECK(scope("/api/v1/approvals/{id}/approve", "post") == R"({"bearer":["approve"]})");
  CHECK(scope("/api/v1/projects/{p}/usage", "get") == R"({"bearer":["admin"]})");
  CHECK(scope("/auth/me", "get") == R"({"bearer":[]})");
  CHECK(scope("/metrics", "get") == "{}");
}

TEST_CASE("openapi: errors follow from the route, in the shape of its dialect") {
  auto response = [](std::string_view path, std::string_view method, std::string_view status) {
    const auto* found = operation_at(path, method).at("responses").as_object().if_contains(status);
    return found && found->as_object().contains("$ref") ? json::value_to<std::string>(found->at("$ref")) : std::string("-");
  };
  CHECK(response("/api/v1/sessions/{id}", "get", "404") == "#/components/responses/Nexus404");
  CHECK(response("/api/v1/sessions", "get", "404") == "-");
  CHECK(response("/api/v1/sessions", "get", "400") == "#/components/responses/Nexus400");
  CHECK(response("/api/v1/stats", "get", "400") == "-");
  CHECK(response("/api/v1/stats", "get", "401") == "#/components/responses/Nexus401");
  CHECK(response("/health", "get", "401") == "-");
  CHECK(response("/api/chat", "post", "422") == "#/components/responses/Detail422");
  CHECK(response("/api/chat", "post", "400") == "-");
  CHECK(response("/chat/messages", "post", "400") == "#/components/responses/Status400");
  CHECK(response("/chat/messages", "post", "default") == "#/components/responses/StatusError");
  CHECK(document().at("components").at("responses").at("Nexus429").as_object().contains("headers"));
}

TEST_CASE("openapi: a body that may be empty is not required") {
  auto is_required = [](std::string_view path, std::string_view method) {
    return operation_at(path, method).at("requestBody").at("required").as_bool();
  };
  CHECK_FALSE(is_required("/api/v1/sessions/{id}/cancel", "post"));
  CHECK_FALSE(is_required("/api/v1/projects/{p}/sessions", "post"));
  CHECK(is_required("/api/v1/sessions/{id}", "patch"));
  CHECK(is_required("/api/v1/chat", "post"));
}

TEST_CASE("openapi: every event that has a frame has a schema with its members") {
  namespace core = troupe::core;
  auto events = one_of_each(std::make_index_sequence<std::variant_size_v<core::event_payload>>());
  const auto frames = frames_of(events);
  CHECK(frames.size() > 20);
  for (const auto& frame : frames) check_members(frame);
}

TEST_CASE("openapi: events have a schema with what they hold only sometimes") {
  namespace core = troupe::core;
  const core::run_id run{{1, 1}};
  const core::approval_id approval{{2, 2}};
  core::approval_requested question{run, approval, {"c"}, "pay", "{}", core::approval_kind::input, "high", core::millis{9}};
  question.arguments_hash = "h";
  question.prompt = "How much?";
  question.schema = "{}";
  question.deciders = 2;
  question.origin = {{3, 3}};
  auto unknown = question;
  unknown.kind = core::approval_kind::outcome_unknown;
  core::approval_endorsed endorsed{run, approval, {"c"}, "ana", "fine", {}};
  core::approval_decided decided;
  decided.approval = approval;
  decided.note = "done";
  decided.choice = core::outcome_choice::done;
  std::vector<event> events;
  auto add = [&](core::event_payload payload) {
    const auto seq = events.size() + 1;
    events.push_back({seq, seq, core::millis{1}, std::move(payload)});
  };
  add(core::message_superseded{{{4, 4}}, 1});
  add(core::tool_outcome_unknown{run, {"c"}, "pay"});
  add(question);
  add(endorsed);
  add(unknown);
  add(decided);
  add(core::agent_changed{run, {"other"}, "go on"});
  const auto frames = frames_of(events);
  REQUIRE(frames.size() == events.size());
  for (const auto& frame : frames) check_members(frame);
  CHECK(frames[2].contains("originSessionId"));
  CHECK(frames[3].contains("requiredApprovals"));
  CHECK(frames[4].contains("choices"));
}

TEST_CASE("openapi: the document is small, and its tag changes with it") {
  CHECK(openapi().text.size() < 300'000);
  CHECK(openapi().etag.size() == 34);
  CHECK(&openapi() == &openapi());
  CHECK(document().at("openapi").as_string() == "3.1.0");
}

TEST_CASE("openapi: a route that names what does not exist is refused") {
  const operation is("x", "Server", "x");
  CHECK_THROWS_WITH(document_of(is.gives(200, "Nonsense")), Catch::Contains("Nonsense"));
  CHECK_THROWS_WITH(document_of(is.gives(200, "Nonsense*")), Catch::Contains("Nonsense"));
  CHECK_THROWS_WITH(document_of(is.gives(200, "nonsense")), Catch::Contains("nonsense"));
  CHECK_THROWS_WITH(document_of(is.asks("limit nonsense")), Catch::Contains("nonsense"));
  CHECK_THROWS_WITH(document_of(is.fails("499")), Catch::Contains("499"));
  CHECK_THROWS_WITH(document_of(is.gives(200, "Session"), "/x/{nonsense}"), Catch::Contains("x/{nonsense}"));
  CHECK_NOTHROW(document_of(is.gives(200, "Session*").asks("limit"), "/sessions/{id}"));
}

TEST_CASE("openapi shorthand: types, with what may be null and what is a list") {
  CHECK(expanded(R"("string")") == json::parse(R"({"type": "string"})"));
  CHECK(expanded(R"("any")") == json::object());
  CHECK(expanded(R"("any? whatever")") == json::parse(R"({"description": "whatever"})"));
  CHECK(expanded(R"("time?")") == json::parse(R"({"type": ["string", "null"], "format": "date-time"})"));
  CHECK(expanded(R"("=ok")") == json::parse(R"({"const": "ok"})"));
  CHECK(expanded(R"("a|b?")") == json::parse(R"({"type": ["string", "null"], "enum": ["a", "b", null]})"));
  CHECK(expanded(R"("uuid[]")") == json::parse(R"({"type": "array", "items": {"type": "string", "format": "uuid"}})"));
  CHECK(expanded(R"("A[]?")") == json::parse(R"({"type": ["array", "null"], "items": {"$ref": "#/components/schemas/A"}})"));
  CHECK(expanded(R"("A? why")") ==
        json::parse(R"({"anyOf": [{"$ref": "#/components/schemas/A"}, {"type": "null"}], "description": "why"})"));
  CHECK_THROWS_WITH(expanded(R"("strings")"), Catch::Contains("strings"));
}

TEST_CASE("openapi shorthand: records are closed, inputs are open, and both may extend another") {
  CHECK(expanded(R"({"record": {"a": "string", "b?": "integer"}})") == json::parse(R"({
    "type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}, "required": ["a"], "additionalProperties": false})"));
  CHECK(expanded(R"({"input": {"b?": "integer"}})") ==
        json::parse(R"({"type": "object", "properties": {"b": {"type": "integer"}}})"));
  auto extended = expanded(R"({"extends": "Base", "record": {"b": "integer"}})", R"({"Base": {"record": {"a": "string"}}})");
  CHECK(extended.at("required") == json::parse(R"(["a", "b"])"));
  CHECK(expanded(R"({"type": "array", "maxItems": 3, "items": "uuid"})") ==
        json::parse(R"({"type": "array", "maxItems": 3, "items": {"type": "string", "format": "uuid"}})"));
}
