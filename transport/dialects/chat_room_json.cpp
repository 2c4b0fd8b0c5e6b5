#include "transport/dialects/chat_room_json.hpp"

#include "transport/dialects/dialect.hpp"
#include "transport/json_text.hpp"
#include "transport/rest/attachments.hpp"
#include "transport/rest/idempotency.hpp"
#include "transport/rest/rest_json.hpp"

namespace troupe::transport {

namespace json = boost::json;

namespace {

/// A key of the session's metadata, or `otherwise`.
json::value metadata_value(const json::value& metadata, std::string_view key, json::value otherwise) {
  const auto* object = metadata.if_object();
  const auto* found = object ? object->if_contains(key) : nullptr;
  return found ? *found : otherwise;
}

json::object record_metadata(const core::message_record& m) {
  auto out = room_metadata(m.attachments, m.client_message_id);
  if (m.cut) out["cut"] = true;
  if (m.reactions.empty()) return out;
  json::array reactions;
  for (const auto& r : m.reactions) {
    auto who = shown_user(r.by, r.by_name);
    reactions.push_back(json::object{{"emoji", r.emoji}, {"userId", who.id}, {"username", who.name}});
  }
  out["reactions"] = std::move(reactions);
  return out;
}

}  // namespace

json::array room_users_json(const std::vector<room_user>& users) {
  json::array out;
  for (const auto& u : users) out.push_back(json::object{{"userId", u.id}, {"username", u.name}});
  return out;
}

json::object room_message_json(core::session_id session, core::message_id id, core::role role, std::string_view content,
                               core::millis at, const room_user* by, json::object metadata, json::array calls) {
  return {{"id", id.str()},
          {"role", core::to_string(role)},
          {"content", content},
          {"metadata", std::move(metadata)},
          {"mcpToolCalls", calls.empty() ? json::value(nullptr) : json::value(std::move(calls))},
          {"createdAt", iso_time(at)},
          {"conversationId", session.str()},
          {"userId", by ? json::value(by->id) : json::value(nullptr)},
          {"username", by ? std::string_view(by->name) : std::string_view("AI")}};
}

json::object room_metadata(const std::vector<core::attachment>& attachments, std::string_view client_message_id) {
  json::object out;
  if (!client_message_id.empty() && !is_idempotent_id(client_message_id)) out["clientMessageId"] = client_message_id;
  if (!attachments.empty()) out["attachments"] = attachments_json(attachments);
  return out;
}

json::object room_call_json(const core::tool_call& call, const bool* ok, std::string_view output, std::int64_t ms) {
  return {{"toolCallId", call.id.str()},
          {"tool", call.tool},
          {"input", json_or_string(call.arguments)},
          {"success", ok ? json::value(*ok) : json::value(nullptr)},
          {"output", ok ? output_value(output) : json::value(nullptr)},
          {"durationMs", ms}};
}

json::array room_history_json(const std::vector<core::message_record>& messages,
                              const std::vector<core::tool_call_record>& results) {
  auto with_results = messages_json(messages, results);  // of the same order and length
  json::array out;
  json::array carried;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const auto& m = messages[i];
    if (m.role == core::role::user) carried.clear();
    for (auto& call : with_results[i].as_object().at("toolCalls").as_array()) carried.push_back(std::move(call));
    if (m.role == core::role::tool || (m.role == core::role::assistant && !is_shown(m.content, !m.calls.empty()))) continue;
    auto who = shown_user(m.author, m.author_name);
    out.push_back(room_message_json(m.session, m.id, m.role, m.content, m.created_at,
                                    m.role == core::role::user ? &who : nullptr, record_metadata(m),
                                    std::exchange(carried, {})));
  }
  return out;
}

json::object room_conversation_json(const core::session_record& s, const std::vector<room_user>& active, json::array messages) {
  auto metadata = s.metadata.empty() ? json::value(json::object()) : json_or_string(s.metadata);
  return {{"id", s.id.str()},
          {"title", s.title.empty() ? untitled_conversation : std::string_view(s.title)},
          {"model", s.agent.str()},
          {"systemPrompt", metadata_value(metadata, "systemPrompt", nullptr)},
          {"mcpServers", metadata_value(metadata, "mcpServers", json::array())},
          {"activeUsers", room_users_json(active)},
          {"createdBy", shown_user(s.owner, {}).id},
          {"createdAt", iso_time(s.created_at)},
          {"updatedAt", iso_time(s.updated_at)},
          {"messages", std::move(messages)}};
}

json::object room_model_json(const core::agent_config& a, bool is_default) {
  return {{"id", a.id.str()},
          {"name", a.name.empty() ? a.id.str() : a.name},
          {"provider", a.provider.str()},
          {"model", a.model},
          {"description", a.description},
          {"isDefault", is_default}};
}

}  // namespace troupe::transport
