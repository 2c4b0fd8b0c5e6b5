// What is configured, what it costs, how the server does, and errors.
#include "transport/rest/openapi_schemas.hpp"

namespace troupe::transport {

std::string_view openapi_server_schemas() noexcept {
  static constexpr std::string_view schemas = R"json({
"Project": {"record": {"id": "string", "name": "string", "defaultAgentId": "string", "agentCount": "integer"}},
"Agent": {"description": "Without its instructions.", "record": {
  "id": "string", "projectId": "string", "name": "string", "description": "string",
  "starters": "string[] messages to begin with, for clients to offer", "provider": "string", "model": "string",
  "tools": "string[] names of tools and of their sources", "approval": {"type": "object", "additionalProperties": "by_effect|always|never|by_rule|default", "description": "By tool or source; `*` is any."},
  "onBusy": "queue|reject|interrupt|steer|merge",
  "limits": {"record": {"maxSteps": "integer", "maxOutputTokens": "integer", "maxQueue": "integer", "budgetUsd": "number?", "approvalTimeoutMs": "integer", "toolTimeoutMs": "integer"}},
  "isDefault": "boolean", "source": "configuration|stored", "version": "integer? none where it is the configuration file's",
  "updatedAt": "time?", "updatedBy": "string?", "problem?": "string why a stored one cannot be used",
  "deleted?": "boolean only where deleted ones are listed: then nothing but its ids, `version`, `updatedAt` and `updatedBy` is known here, its versions tell more"}},
"AgentDefinition": {"record": {
  "id": "string", "source": "configuration|stored", "version": "integer?", "definition": "object as in the configuration file"}},
"NewAgent": {"input": {"id": "string 1 to 64 letters, digits, `-`, `_` or `.`", "definition": "object as in the configuration file", "note?": "string"}},
"AgentChange": {"input": {"definition": "object as in the configuration file", "note?": "string", "version?": "integer? the one that was edited"}},
"AgentToCheck": {"input": {"id?": "string", "definition": "object as in the configuration file"}},
"AgentCheck": {"record": {"valid": "boolean", "problems": {"type": "array", "items": {"record": {"path": "string a JSON pointer into the definition", "message": "string"}}}}},
"AgentVersion": {"record": {"version": "integer", "createdAt": "time", "createdBy": "string", "note": "string", "deleted": "boolean"}},
"AgentVersionDetail": {"extends": "AgentVersion", "record": {"definition": "object? none where this version deleted it"}},
"Tool": {"record": {
  "name": "string", "description": "string", "parameters": "object JSON Schema of its arguments", "effect": "read_only|idempotent|once",
  "approval": "always|never", "riskLevel": "string", "source": "string", "status": "string"}},

"Trace": {"record": {
  "id": "trace", "traceId": "trace id again", "projectId": "string", "agentId": "string", "sessionId": "uuid", "runId": "uuid", "status": "string",
  "startedAt": "time?", "endedAt": "time?", "durationMs": "integer?", "totalTokens": "integer", "totalCost": "number US dollars", "usage": "Usage"}},
"TraceDetail": {"extends": "Trace", "record": {"spans": "TraceSpan[] the run first"}},
"TraceSpan": {"record": {
  "kind": "run|queue_wait|model_call|tool_call|approval_wait", "name": "string", "status": "string",
  "startedAt": "time?", "endedAt": "time?", "durationMs": "integer?", "usage": "Usage"}},
"UsageDay": {"record": {
  "date": "date in UTC", "totalCost": "number US dollars", "totalCostUsd": "number totalCost again", "totalTokens": "integer", "totalRequests": "integer"}},
"UsageReport": {"description": "A row for each day with requests.", "record": {
  "items": "UsageDay[]", "data": "UsageDay[] items again", "total": "integer", "limit": "integer", "offset": "integer",
  "period": "day|week|month", "totalCost": "number US dollars", "totalCostUsd": "number totalCost again", "totalTokens": "integer", "totalRequests": "integer"}},
"UsageShare": {"description": "`key` is the agent, session or user, and has its own name besides; of a model it is provider/model.", "record": {
  "key": "string", "provider?": "string", "model?": "string", "agentId?": "string", "sessionId?": "string", "userId?": "string", "totalCost": "number US dollars", "totalCostUsd": "number totalCost again",
  "totalTokens": "integer", "totalRequests": "integer"}},
"UsageShares": {"description": "Dearest first.", "record": {
  "items": "UsageShare[]", "data": "UsageShare[] items again", "total": "integer", "limit": "integer", "offset": "integer", "period": "day|week|month"}},
"Stats": {"record": {
  "totalProjects": "integer", "totalAgents": "integer", "activeSessions": "integer", "costToday": "number US dollars, UTC", "costMonth": "number US dollars, UTC",
  "pendingApprovals": "integer"}},

"Budget": {"record": {"dailyUsd": "number? null: none", "monthlyUsd": "number? null: none", "alerts": "integer[] percentages"}},
"Limits": {"record": {
  "transport": {"record": {
    "maxFrameBytes": "integer", "maxBodyBytes": "integer", "maxHeaderBytes": "integer", "headerTimeoutMs": "integer", "idleTimeoutMs": "integer",
    "maxConnections": "integer", "connectionsPerAddress": "integer", "messagesPerSecond": "integer", "outboundHighWaterBytes": "integer",
    "outboundLimitBytes": "integer", "slowClientTimeoutMs": "integer", "sessionIdleTimeoutMs": "integer", "permessageDeflate": "boolean"}},
  "sessions": {"record": {
    "maxFileBytes": "integer", "maxFiles": "integer", "maxSessionBytes": "integer", "maxParticipants": "integer", "agentStreamTurns": "integer", "maxRooms": "integer"}},
  "projects": {"type": "array", "items": {"record": {"id": "string", "budget": "Budget", "agents": {"type": "array", "items": {"record": {
    "id": "string", "limits": {"record": {
      "maxSteps": "integer", "maxOutputTokens": "integer", "maxQueue": "integer", "budgetUsd": "number? of a session", "approvalTimeoutMs": "integer",
      "toolTimeoutMs": "integer", "maxOutputChars": "integer", "maxDepth": "integer"}},
    "budget": "Budget"}}}}}},
  "auth": {"record": {"required": "boolean"}}}},
"Alert": {"description": "A threshold of a budget was crossed.", "record": {
  "at": "time", "scope": "session|agent|project|user", "id": "string of the one whose budget it is", "percent": "integer", "spent": "number US dollars",
  "limit": "number US dollars", "sessionId": "uuid where the spending was"}},

"Health": {"record": {"status": "=ok", "version": "string"}},
"Readiness": {"record": {"status": "=ready", "degraded?": {"type": "array", "description": "What does not work now, though the server does; told to operators.",
  "items": {"record": {"kind": "string", "name": "string", "state": "string"}}}}},
"Summary": {"record": {"name": "string", "version": "string", "status": "string", "endpoints": {"type": "object", "additionalProperties": "string"}}},

"Error": {"record": {
  "error": {"record": {"code": "ErrorCode", "message": "string", "details?": {"anyOf": ["object", "any[]"], "description": "`issues` of a VALIDATION_ERROR; the decision that won of an APPROVAL_NOT_PENDING; of an INVALID_AGENT a list of `path` and `message`."}}},
  "message": "string the same"}},
"DetailError": {"description": "Of agent-stream and conversation.", "record": {"detail": "string"}},
"StatusError": {"description": "Of chat-events and chat-room.", "record": {"statusCode": "integer", "message": "string", "error": "string the status in words"}}
})json";
  return schemas;
}

}  // namespace troupe::transport
