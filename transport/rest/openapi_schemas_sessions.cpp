// Sessions, messages, chats, files, tool calls: what requests and answers of the native protocol hold.
#include "transport/rest/openapi_schemas.hpp"

namespace troupe::transport {

std::string_view openapi_session_schemas() noexcept {
  static constexpr std::string_view schemas = R"json({
"Usage": {"description": "Tokens and what they cost. Every number has two names, because clients of two families read it.", "record": {
  "promptTokens": "integer", "completionTokens": "integer", "totalTokens": "integer", "cost": "number US dollars",
  "inputTokens": "integer promptTokens again", "outputTokens": "integer completionTokens again", "costUsd": "number cost again"}},

"Session": {"record": {
  "id": "uuid", "projectId": "string", "agentId": "string",
  "dialect": "string the protocol it was made with", "alias": "string the client's own name for it; may be empty",
  "title": "string", "status": "active|paused|closed|deleted",
  "owner": "string empty where credentials are not required", "participants": "string[] users who may take part besides the owner",
  "parentSessionId": "uuid? of the session whose agent made this one for a sub-agent", "parentToolCallId": "string?",
  "depth": "integer how many sessions are above it", "metadata": "object the client's own",
  "messageCount": "integer", "lastSeq": "integer of its newest event", "usage": "Usage", "createdAt": "time", "updatedAt": "time"}},
"ForkedSession": {"extends": "Session", "record": {
  "forkedFrom": {"record": {"sessionId": "uuid", "atSeq": "integer"}},
  "runId?": "uuid of the run that answers the new content", "messageId?": "uuid of the new content"}},
"NewSession": {"input": {"agentId?": "string? the project's default agent where it is absent", "metadata?": {"type": ["object", "null"]}}},
"SessionChange": {"minProperties": 1, "input": {"title?": {"type": "string", "minLength": 1}, "metadata?": "object replaces what was there"}},
"SessionStatusChange": {"input": {"status": "active|paused|closed"}},
"Participants": {"record": {"owner": "string", "users": "string[] all who may take part besides the owner"}},
"ParticipantsChange": {"input": {"users": "string[] all of them: who is not named may take part no longer"}},
"Fork": {"input": {"atSeq?": {"type": ["integer", "null"], "minimum": 0, "description": "The copy ends with the last whole exchange up to this event; absent: all of them."},
  "content?": "string? is sent in the copy"}},
"SessionExport": {"record": {
  "format": "=troupe-session", "version": {"const": 1}, "exportedAt": "time", "session": "Session", "messages": "Message[]",
  "queue": "QueuedMessage[]", "approvals": "Approval[]", "traces": "Trace[]", "files": "File[] without their bytes", "events": "Event[]"}},

"Attachment": {"record": {"fileId": "uuid", "name": "string", "contentType": "string", "size": "integer bytes"}},
"File": {"extends": "Attachment", "record": {"uploadedBy": "string", "createdAt": "time"}},
"UploadedFile": {"description": "The first file of the upload.", "extends": "Attachment", "record": {"files?": "Attachment[] all of them, where there were several"}},

"Message": {"record": {
  "id": "uuid? null for what a tool said", "sessionId": "uuid", "runId": "uuid?", "role": "system|user|assistant|tool", "content": "string",
  "author": "string id of the user; empty where credentials are not required", "authorName": "string", "attachments": "Attachment[]",
  "reactions": {"type": "array", "items": {"record": {"emoji": "string", "userId": "string", "username": "string"}}},
  "toolCalls": "MessageToolCall[] what this message asked for, with results", "cut": "boolean it ended before it was complete",
  "seq": "integer of its newest event", "createdAt": "time", "clientMessageId?": "string the id that the client gave it",
  "feedback?": "Feedback[] of an answer, where there is any"}},
"MessageToolCall": {"record": {
  "toolCallId": "string", "tool": "string", "input": "any", "success": "boolean? null until it has ended", "output": "any",
  "durationMs": "integer", "outputBytes?": "integer all of an output that is shown in part",
  "childSessionId?": "uuid of the sub-agent's session", "cost?": "number of the sub-agent, in US dollars"}},
"QueuedMessage": {"record": {
  "id": "uuid", "messageId": "uuid id again", "runId": "uuid of the run that will answer it", "content": "string", "author": "string",
  "authorName": "string", "attachments": "Attachment[]", "position": "integer from 1", "queuedAt": "time", "clientMessageId?": "string"}},
"QueueChange": {"minProperties": 1, "input": {"content?": "string?", "position?": {"type": ["integer", "null"], "minimum": 1, "maximum": 1000000}}},
"Dequeued": {"record": {"messageId": "uuid", "status": "=dequeued"}},
"NewMessage": {"input": {
  "content": {"type": "string", "minLength": 1}, "onBusy?": "queue|reject|interrupt? what to do while a run goes on; absent: as the agent is configured",
  "clientMessageId?": "string? a second message with the same id starts nothing", "attachments?": {"type": ["array", "null"], "maxItems": 100, "items": "uuid"}}},
"MessageAccepted": {"record": {"runId": "uuid", "messageId": "uuid", "position?": "integer in the queue, from 1; absent: its run has begun"}},
"ReactionChange": {"input": {"emoji": {"type": "string", "minLength": 1}, "added?": "boolean? false takes it back; absent: true"}},
"Reaction": {"record": {"messageId": "uuid", "emoji": "string", "added": "boolean", "userId": "string", "username": "string"}},
"FeedbackChange": {"input": {"rating": "up|down", "note?": {"type": ["string", "null"], "maxLength": 2000}}},
"Feedback": {"record": {"messageId": "uuid", "rating": "up|down", "note": "string", "by": "string id of the user; empty where credentials are not required", "at": "time"}},
"CancelRequest": {"input": {"runId?": "string? absent: the run that goes on"}},
"Cancelling": {"record": {"sessionId": "uuid", "status": "=cancelling"}},

"ChatRequest": {"input": {
  "message": {"type": "string", "minLength": 1}, "sessionId?": "string? absent: a session is made",
  "metadata?": {"type": ["object", "null"], "description": "Of the session that is made."},
  "attachments?": {"type": ["array", "null"], "maxItems": 100, "items": "uuid", "description": "Files of the session."}}},
"ProjectChatRequest": {"extends": "ChatRequest", "input": {"projectId": "string", "agentId?": "string? the project's default agent where it is absent"}},
"ChatReply": {"description": "With `status` and `approvalId` a person has to decide first; the run goes on when that is done.", "record": {
  "sessionId": "uuid", "response": "string everything that the assistant said in this run", "messageId": "uuid", "runId": "uuid", "traceId": "trace",
  "usage": "Usage", "toolCalls": "ChatToolCall[]", "status?": "=pending", "approvalId?": "uuid"}},
"ChatToolCall": {"record": {
  "toolCallId": "string", "tool": "string", "input": "any", "success": "boolean? null until it has ended", "output": "any",
  "durationMs": "integer", "childSessionId?": "uuid of the sub-agent's session"}},

"ToolCall": {"record": {
  "toolCallId": "string", "runId": "uuid?", "tool": "string", "input": "any", "effect": "read_only|idempotent|once",
  "success": "boolean? null until it has ended", "output": "any", "outputBytes": "integer", "isCut": "boolean the output is longer than what is shown",
  "durationMs": "integer", "childSessionId": "uuid? of the sub-agent's session", "cost": "number of the sub-agent, in US dollars",
  "startedAt": "time?", "endedAt": "time?"}},
"ToolOutput": {"record": {
  "toolCallId": "string", "text": "string", "offset": "integer in bytes", "total": "integer bytes of all of it", "nextOffset": "integer? null at the end"}}
})json";
  return schemas;
}

}  // namespace troupe::transport
