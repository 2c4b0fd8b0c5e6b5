#include "transport/rest/openapi_parameters.hpp"

#include "transport/rest/openapi_schemas.hpp"

#include <boost/json/parse.hpp>

#include <stdexcept>
#include <string>

namespace troupe::transport {

namespace json = boost::json;

namespace {

// `as`: its name on the wire, where several parameters have the same; `in` is the query where it says nothing.
constexpr std::string_view parameters = R"json({
"limit": {"says": "How many at most; 20 where nothing is said, in the lists of conversation, chat-events and chat-room 50 or 100.", "schema": {"type": "integer", "minimum": 1, "maximum": 100}, "example": 5},
"offset": {"says": "How many to leave out.", "schema": {"type": "integer", "minimum": 0, "maximum": 1099511627776}, "example": 0},
"q": {"says": "Words to look for in titles and messages.", "schema": "string", "example": "time"},
"projectId": {"says": "Only of this project.", "schema": "string", "example": "demo"},
"parentId": {"says": "Only the sessions of sub-agents that this one made; the other filters do not count then.", "schema": "string"},
"includeChildren": {"says": "With the sessions of sub-agents.", "schema": "boolean", "example": true},
"sessionStatus": {"as": "status", "says": "Only those of this status.", "schema": "active|paused|closed", "example": "active"},
"period": {"says": "Today, the last 7 or the last 30 days, UTC; month where nothing is said.", "schema": "day|week|month", "example": "week"},
"wait": {"says": "Wait for the answer, as a chat does.", "schema": "boolean", "example": true},
"after": {"says": "The seq of the newest event that is known already.", "schema": {"type": "integer", "minimum": 0}, "example": 3},
"lastEventId": {"as": "Last-Event-ID", "in": "header", "says": "`after` as event streams send it when they reconnect; it wins over the query.", "schema": {"type": "integer", "minimum": 0}, "example": 3},
"name": {"says": "Name of the file, where the body is its bytes.", "schema": "string", "example": "note.txt"},
"outputOffset": {"as": "offset", "says": "In bytes.", "schema": {"type": "integer", "minimum": 0, "maximum": 1099511627776}, "example": 0},
"outputLimit": {"as": "limit", "says": "In bytes; 16384 where nothing is said. Characters are whole.", "schema": {"type": "integer", "minimum": 4, "maximum": 262144}, "example": 64},
"approvalStatus": {"as": "status", "says": "Only those of this status.", "schema": "pending|approved|denied|expired", "example": "pending"},
"sessionId": {"says": "Only of this session.", "schema": "string"},
"agentId": {"says": "Only of this agent.", "schema": "string", "example": "guide"},
"tool": {"says": "Only of this tool.", "schema": "string", "example": "delete_file"},
"kind": {"says": "Only of this kind.", "schema": "tool|outcome_unknown|input", "example": "tool"},
"riskLevel": {"says": "Only of this risk.", "schema": "low|medium|high", "example": "high"},
"decidedBy": {"says": "Only those that this user decided.", "schema": "string", "example": "ana"},
"since": {"says": "Only those made since then: a time, or milliseconds since 1970.", "schema": "string", "example": "2026-01-31T09:30:00Z"},
"deletedAgents": {"as": "deleted", "says": "Only those that were deleted, for admins; their versions tell what they were.", "schema": "boolean", "example": true},
"deletedWith": {"as": "with", "says": "Other agents to delete with it, separated by commas: those that name it in `delegates` or `handoffs`.", "schema": "string", "example": "editor,critic"},
"all": {"says": "Also those that hold no more.", "schema": "boolean", "example": true},
"agent": {"says": "The agent that answers; the default agent where nothing is said.", "schema": "string", "example": "guide"},
"idempotencyKey": {"as": "Idempotency-Key", "in": "header", "says": "A second request of the same user on the same path with the same key starts nothing and gets the first result.", "schema": "string", "example": "d9a3f2"}
})json";

// By the segment before and the name. Only what the demo has by itself has an example.
constexpr std::string_view path_parameters_text = R"json({
"projects/{p}": {"says": "Id of a project.", "example": "demo"},
"agents/{a}": {"says": "Id of an agent.", "example": "guide"},
"versions/{n}": {"says": "Number of a version, from 1."},
"sessions/{id}": {"says": "A session: its UUID, its first 24 hex digits, or the client's own name for it."},
"messages/{messageId}": {"says": "UUID of a message."},
"queue/{messageId}": {"says": "UUID of a message that waits."},
"files/{fileId}": {"says": "UUID of a file of the session."},
"tool-calls/{callId}": {"says": "Id of a tool call, as messages and events tell it."},
"approvals/{id}": {"says": "UUID of an approval."},
"remembered/{id}": {"says": "UUID of a remembered approval."},
"runs/{id}": {"says": "Id of a run of scenarios."},
"traces/{id}": {"says": "Id of a trace: 32 hex digits."},
"chat/{id}": {"says": "Id of a conversation: the client's own."},
"conversations/{id}": {"says": "Id of a conversation: in conversation the client's own, in chat-room a UUID."},
"tools/{name}": {"says": "Name of a tool.", "example": "clock"},
"assets/{file}": {"says": "Name of a file, as the page at / asks for it."},
"user/{userId}": {"says": "Id of a user.", "example": "ana"},
"codigo/{codigo}": {"says": "Code that a user logs in with.", "example": "ana"},
"chats/{id}": {"says": "A chat: 24 hex digits, or another name of its session."}
})json";

json::object parameter(const json::object& written, std::string_view name, std::string_view in) {
  json::object out{{"name", name}, {"in", in}, {"description", written.at("says")}};
  if (in == "path") out["required"] = true;
  const auto* schema = written.if_contains("schema");
  out["schema"] = expanded_schema(schema ? *schema : json::value("string"), {});
  if (const auto* example = written.if_contains("example")) out["example"] = *example;
  return out;
}

std::string_view text_or(const json::object& o, std::string_view key, std::string_view otherwise) {
  const auto* v = o.if_contains(key);
  return v ? std::string_view(v->as_string()) : otherwise;
}

}  // namespace

json::object openapi_parameters() {
  json::object out;
  const auto written = json::parse(parameters);
  for (const auto& [name, value] : written.as_object()) {
    const auto& o = value.as_object();
    out[name] = parameter(o, text_or(o, "as", name), text_or(o, "in", "query"));
  }
  return out;
}

json::array openapi_path_parameters(std::string_view pattern) {
  static const json::object known = json::parse(path_parameters_text).as_object();
  json::array out;
  std::string before;
  while (!pattern.empty()) {
    auto end = std::min(pattern.find('/'), pattern.size());
    auto segment = pattern.substr(0, end);
    if (segment.starts_with('{')) {
      const auto* written = known.if_contains(before + "/" + std::string(segment));
      if (!written)
        throw std::invalid_argument("openapi: nothing is known of the path parameter " + before + "/" + std::string(segment));
      out.push_back(parameter(written->as_object(), segment.substr(1, segment.size() - 2), "path"));
    } else {
      before = segment;
    }
    pattern.remove_prefix(std::min(end + 1, pattern.size()));
  }
  return out;
}

}  // namespace troupe::transport
