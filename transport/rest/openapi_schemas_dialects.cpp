// What the other protocols' clients send and read: agent-stream, conversation, chat-events, chat-room, and their log-ins.
#include "transport/rest/openapi_schemas.hpp"

namespace troupe::transport {

std::string_view openapi_dialect_schemas() noexcept {
  static constexpr std::string_view schemas = R"json({
"StreamAgent": {"record": {"id": "string as `project/agent` outside of the default project", "name": "string", "system_prompt": "string empty for all but admins", "model": "string"}},
"StreamChatRequest": {"input": {"agent_id": {"type": ["string", "integer"]}, "message": {"type": "string", "minLength": 1}}},
"StreamChatReply": {"record": {"response": "string", "status?": "=pending", "approvalId?": "uuid"}},
"StreamHealth": {"record": {"api_status": "=ok", "database_status": {"record": {"ok": "boolean", "message": "string"}}}},

"ConversationHealth": {"record": {"status": "=healthy", "service": "=troupe", "uptime_seconds": "number"}},
"ConversationRequest": {"input": {"message": {"type": "string", "minLength": 1},
  "conversation_id?": {"type": ["string", "null"], "maxLength": 200, "description": "The client's own; absent: one is made."}, "stream?": "any taken and ignored"}},
"ConversationToolCall": {"record": {
  "tool": "string", "arguments": "any", "tool_call_id": "string", "success": "boolean? null until it has ended", "result": "any", "error": "string?"}},
"ConversationReply": {"record": {
  "conversation_id": "string", "message": "string", "tool_calls": "ConversationToolCall[]", "iterations": "integer",
  "approval_required?": {"record": {"tool": "string", "arguments": "any", "tool_call_id": "string"}}}},
"ConversationMessage": {"record": {
  "id": "integer", "role": "system|user|assistant|tool", "content": "string", "tool_calls": "string? a list as JSON text",
  "created_at": {"type": "string", "pattern": "^\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d$"}}},
"ConversationHistory": {"record": {"conversation_id": "string", "messages": "ConversationMessage[]", "total": "integer"}},
"Conversation": {"record": {
  "id": "string", "title": "string", "created_at": {"type": "string", "pattern": "^\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d$"},
  "updated_at": {"type": "string", "pattern": "^\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d$"}, "message_count": "integer"}},
"Conversations": {"record": {"conversations": "Conversation[]", "total": "integer"}},
"ConversationDeleted": {"record": {"status": "=success", "message": "string", "conversation_id": "string"}},
"ConversationTool": {"record": {"name": "string", "description": "string", "category": "string", "parameters": "object JSON Schema of its arguments"}},
"ConversationTools": {"record": {"tools": "ConversationTool[]", "total": "integer"}},
"ConversationConfig": {"record": {
  "llm_provider": "string", "model": "string", "autonomy_level": "supervised|autonomous", "temperature": "number", "max_tokens": "integer", "tools_count": "integer"}},
"ConversationConfigChange": {"description": "Whatever it holds, it is refused.", "type": "object"},
"OllamaModels": {"record": {"models": {"type": "array", "maxItems": 0, "items": "any"}}},

"Exchange": {"record": {"content": "string the question", "answer": "string", "timestamp": "time"}},
"EventsChat": {"record": {"id": "chatid", "userId": "string", "messages": "Exchange[]", "createdAt": "time", "updatedAt": "time"}},
"NewEventsChat": {"record": {"userId": {"type": "string", "minLength": 1, "maxLength": 200}}},
"NewEventsMessage": {"record": {
  "content": {"type": "string", "minLength": 1}, "n?": {"enum": [1, null]}, "temperature?": {"type": ["number", "null"], "minimum": 0, "maximum": 2},
  "maxTokens?": {"type": ["integer", "null"], "minimum": 1, "maximum": 1000000}}},
"PendingApproval": {"description": "A person has to decide first.", "record": {"status": "=pending", "approvalId": "uuid", "conversationId?": "uuid"}},
"EventsChatDeleted": {"record": {"id": "chatid", "message": "string"}},

"CodeLogin": {"record": {"codigo": {"type": ["string", "integer"]}}},
"CodeUser": {"record": {"id": "string", "nombre": "string", "rol": "string", "codigo": "string"}},
"CodeLoggedIn": {"record": {"accessToken": "string", "user": "CodeUser"}},
"Login": {"input": {"username": {"type": "string", "minLength": 1, "maxLength": 200}, "password": {"type": "string", "minLength": 1}}},
"RoomUser": {"record": {"id": "string", "username": "string", "roles": "string[]"}},
"LoggedIn": {"record": {"access_token": "string", "user": "RoomUser"}},

"RoomModel": {"record": {"id": "string of the agent", "name": "string", "provider": "string", "model": "string", "description": "string", "isDefault": "boolean"}},
"RoomMessage": {"record": {
  "id": "uuid", "role": "system|user|assistant", "content": "string", "metadata": "object clientMessageId, attachments, reactions, cut: where there are any",
  "mcpToolCalls": "MessageToolCall[]?", "createdAt": "time", "conversationId": "uuid", "userId": "string?", "username": "string"}},
"RoomConversation": {"record": {
  "id": "uuid", "title": "string", "model": "string the agent's id", "systemPrompt": "string?", "mcpServers": "any[]",
  "activeUsers": {"type": "array", "items": {"record": {"userId": "string", "username": "string"}}}, "createdBy": "string", "createdAt": "time", "updatedAt": "time",
  "messages": "RoomMessage[] the newest 100, oldest first; none in lists"}},
"NewRoomConversation": {"input": {
  "title?": "string?", "model?": "string? id or model of an agent; another name is the default agent", "systemPrompt?": "string? kept, not used: the agent's own holds", "mcpServers?": "any[] kept, not used"}},
"RoomConversationChange": {"input": {"title?": "string?", "model?": "string? only the one it has", "systemPrompt?": "string?", "mcpServers?": "any[]"}},
"NewRoomMessage": {"input": {
  "content": {"type": "string", "minLength": 1}, "role?": {"enum": ["user", "", null]}, "conversationId?": "string? absent: a conversation is made", "model?": "string?",
  "clientMessageId?": "string?", "attachments?": {"type": ["array", "null"], "maxItems": 100, "items": "uuid"}}},
"RoomTurn": {"record": {"conversationId": "uuid", "userMessage": "RoomMessage?", "assistantMessage": "RoomMessage?"}},
"RoomConversationDeleted": {"record": {"id": "uuid", "message": "string"}}
})json";
  return schemas;
}

}  // namespace troupe::transport
