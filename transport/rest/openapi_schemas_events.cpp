// Events of a session as frames of the native protocol: what event streams and lists of events hold.
#include "transport/rest/openapi_schemas.hpp"

namespace troupe::transport {

std::string_view openapi_event_schemas() noexcept {
  // Without `seq` are those that are not stored, and those that repeat what was stored before.
  static constexpr std::string_view schemas = R"json({
"session.created": {"record": {"sessionId": "uuid", "agentId": "string", "seq": "integer"}},
"session.updated": {"record": {"status": "active|paused|closed|deleted", "title?": "string", "participants?": "string[]", "seq": "integer"}},
"session.cleared": {"record": {"seq": "integer"}},
"session.cost_alert": {"record": {
  "currentSpend": "number US dollars", "budget": "number US dollars", "percent": "number of the budget", "scope": "session|agent|project|user", "seq": "integer"}},
"run.started": {"record": {"runId": "uuid", "messageId": "uuid of the answer", "traceId": "trace", "seq": "integer"}},
"session.closed": {"description": "In lists of events only; clients are told by session.updated.", "record": {"seq": "integer"}},
"run.cancelled": {"record": {"runId": "uuid", "textKept": "boolean", "usage?": "Usage", "seq": "integer"}},
"run.stop_requested": {"description": "In lists of events only.", "record": {"runId": "uuid", "by": "string", "seq": "integer"}},
"message.created": {"record": {
  "messageId": "uuid", "role": "system|user|assistant|tool", "content": "string", "author": "string", "authorName?": "string", "clientMessageId?": "string",
  "attachments?": "Attachment[]", "seq": "integer"}},
"message.queued": {"record": {"position": "integer from 1", "messageId": "uuid", "runId": "uuid", "seq": "integer"}},
"message.dequeued": {"description": "It was taken out of the queue, and is not answered.", "record": {"messageId": "uuid", "runId": "uuid", "seq": "integer"}},
"message.edited": {"record": {"messageId": "uuid", "content": "string", "seq": "integer"}},
"queue.reordered": {"record": {"messageIds": "uuid[]", "seq": "integer"}},
"message.content_delta": {"record": {"text": "string", "role": "=assistant", "seq": "integer"}},
"message.superseded": {"description": "Text of this message from `fromSeq` on is void: its step runs again, after a crash of the server.",
  "record": {"messageId": "uuid", "fromSeq": "integer", "seq": "integer"}},
"message.tool_start": {"record": {
  "toolCallId": "string", "tool": "string", "input": "any", "childSessionId?": "uuid of the sub-agent's session", "allowedBy?": "uuid of the remembered approval", "seq": "integer"}},
"message.tool_progress": {"record": {"toolCallId": "string", "text": "string", "seq": "integer"}},
"message.tool_complete": {"record": {
  "toolCallId": "string", "tool": "string", "success": "boolean", "output": "any", "durationMs": "integer", "outputBytes?": "integer all of an output that is shown in part",
  "cost?": "number of the sub-agent, in US dollars", "seq": "integer"}},
"tool.outcome_unknown": {"description": "In lists of events only.", "record": {"runId": "uuid", "toolCallId": "string", "tool": "string", "seq": "integer"}},
"message.approval_required": {"record": {
  "approvalId": "uuid", "tool": "string", "action": "any", "toolCallId": "string", "expiresAt": "time", "kind": "tool|outcome_unknown|input", "riskLevel": "string",
  "choices?": "retry|done|failed[]", "message?": "string", "schema?": "any", "argumentsHash?": "string", "requiredApprovals?": "integer",
  "originSessionId?": "uuid", "endorsedBy?": "string[]", "seq?": "integer"}},
"approval.endorsed": {"record": {"approvalId": "uuid", "endorsedBy": "string[]", "requiredApprovals?": "integer", "note?": "string", "seq": "integer"}},
"approval.decided": {"record": {
  "approvalId": "uuid", "decision": "approved|denied|expired", "resolvedBy": "string", "note?": "string", "choice?": "retry|done|failed",
  "editedInput?": "any the arguments that ran", "seq": "integer"}},
"grant.given": {"description": "In lists of events only.", "record": {
  "grantId": "uuid", "scope": "session|agent|project", "tool": "string", "when": "ArgumentTest[]", "expiresAt": "time?", "approvalId": "uuid", "by": "string", "seq": "integer"}},
"grant.revoked": {"description": "In lists of events only.", "record": {"grantId": "uuid", "by": "string", "seq": "integer"}},
"agent.changed": {"description": "In lists of events only.", "record": {"runId": "uuid", "agentId": "string", "note": "string", "seq": "integer"}},
"message.complete": {"record": {"messageId": "uuid", "traceId": "trace", "usage": "Usage", "seq": "integer"}},
"message.reaction": {"record": {"messageId": "uuid", "emoji": "string", "added": "boolean", "userId": "string", "username": "string", "seq": "integer"}},
"message.feedback": {"description": "In the place of what the same person said of the answer before; `rating` is null where it was taken back.",
  "record": {"messageId": "uuid", "rating": "up|down?", "note?": "string", "by": "string", "seq": "integer"}},
"error": {"description": "The run failed; or, without `seq`, the message was refused.", "record": {
  "code": "ErrorCode", "message": "string", "runId?": "uuid", "usage?": "Usage", "seq?": "integer"}},
"typing": {"record": {"userId": "string", "username": "string", "isTyping": "boolean", "seq?": "integer"}},
"presence": {"record": {"users": {"type": "array", "items": {"record": {"userId": "string", "username": "string"}}}, "seq?": "integer"}}
})json";
  return schemas;
}

}  // namespace troupe::transport
