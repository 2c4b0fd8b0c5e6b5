// Approvals, and what is remembered of them.
#include "transport/rest/openapi_schemas.hpp"

namespace troupe::transport {

std::string_view openapi_approval_schemas() noexcept {
  static constexpr std::string_view schemas = R"json({
"Approval": {"record": {
  "id": "uuid", "projectId": "string", "agentId": "string", "sessionId": "uuid", "runId": "uuid", "toolCallId": "string",
  "toolId": "string the tool's name", "action": "any arguments of the call", "toolInput": "any action again",
  "argumentsHash": "string? sent with a decision, it is refused where the arguments are others",
  "kind": "tool|outcome_unknown|input may the tool be run; was it carried out before the server died; what the tool asks",
  "choices": "retry|done|failed[]? of outcome_unknown", "message": "string? what the tool asks, or why the question is put",
  "schema": "any JSON Schema that an answer must fit; null where none is asked for",
  "status": "pending|approved|denied|expired", "riskLevel": "string low, medium or high", "requiredApprovals": "integer how many people must approve",
  "endorsedBy": "string[] who did", "notBy": "string? who may not decide it: the one who asked for it",
  "originSessionId": "uuid? of the sub-agent that asks", "originApprovalId": "uuid? the sub-agent's own question",
  "createdAt": "time", "expiresAt": "time? null: never",
  "decidedBy": "string?", "decidedAt": "time?", "resolvedBy": "string? decidedBy again", "resolvedAt": "time? decidedAt again",
  "note": "string?", "editedInput": "any arguments that were run in place of `action`; null where none were",
  "choice": "retry|done|failed?", "answer": "any to the tool's question; null where there is none"}},
"DecisionNote": {"input": {"note?": {"type": ["string", "null"], "maxLength": 4096}}},
"Decision": {"description": "One of `approved`, `choice` and `answer`, as the kind of the approval asks.",
  "anyOf": [{"required": ["approved"]}, {"required": ["choice"]}, {"required": ["answer"]}], "input": {
  "approved?": "boolean?", "choice?": "retry|done|failed? of an unknown outcome", "answer?": {"type": ["object", "null"], "description": "Fits the schema of the question."},
  "note?": {"type": ["string", "null"], "maxLength": 4096}, "editedInput?": {"type": ["object", "null"], "description": "Is run in place of the call's arguments."},
  "argumentsHash?": {"type": ["string", "null"], "maxLength": 128}, "remember?": {"oneOf": ["boolean? true: these arguments, in this session", "Memory"]}}},
"BulkDecision": {"anyOf": [{"required": ["approved"]}, {"required": ["choice"]}], "input": {
  "ids": {"type": "array", "minItems": 1, "maxItems": 100, "items": "string"}, "approved?": "boolean?", "choice?": "retry|done|failed?",
  "note?": {"type": ["string", "null"], "maxLength": 4096}, "remember?": {"oneOf": ["boolean?", "Memory"]}}},
"BulkResult": {"oneOf": [
  {"record": {"id": "string", "status": "pending|approved|denied|expired", "approval": "Approval"}},
  {"record": {"id": "string", "error": {"record": {"code": "ErrorCode", "message": "string", "details?": "object"}}}}]},
"Memory": {"description": "Calls that fit need no question any more.", "record": {
  "scope?": "session|agent|project? more than the session needs the scope admin", "when?": {"type": ["array", "null"], "maxItems": 20, "items": "ArgumentTest", "description": "All of them must hold; absent: exactly these arguments; empty: any."},
  "expiresInMs?": {"type": ["integer", "null"], "minimum": 1, "maximum": 315360000000, "description": "Absent: for ever."}}},
"ArgumentTest": {"description": "`argument` and one comparison.", "minProperties": 2, "maxProperties": 2, "record": {
  "argument": "string a JSON pointer into the arguments, such as /path; empty: all of them", "equals?": "any", "not_equals?": "any",
  "less?": "number", "greater?": "number", "matches?": "string a regular expression", "present?": {"const": true}, "absent?": {"const": true}}},
"RememberedApproval": {"record": {
  "id": "uuid", "status": "active|revoked|expired", "scope": "session|agent|project", "projectId": "string", "agentId": "string", "sessionId": "uuid",
  "toolId": "string", "when": "ArgumentTest[]", "approvalId": "uuid? where it comes from", "grantedBy": "string",
  "createdAt": "time", "expiresAt": "time? null: never", "revokedAt": "time?", "revokedBy": "string?"}}
})json";
  return schemas;
}

}  // namespace troupe::transport
