#include "app/record/expectations.hpp"

#include "app/record/exchange_log.hpp"
#include "core/event_json.hpp"
#include "providers/utf8.hpp"

#include <algorithm>
#include <array>

namespace troupe::app {

namespace json = boost::json;

namespace {

/// The fields of a kind that are compared. Ids become variables; what differs from run to run is not among them.
struct compared_kind {
  std::string_view kind;
  std::array<std::string_view, 8> fields;
};
constexpr std::array<compared_kind, 28> compared{
    {{"message_added", {"message", "content", "author", "client_message_id", "attachments"}},
     {"message_edited", {"message", "content"}},
     {"queue_reordered", {"messages"}},
     {"file_added", {"file", "by"}},
     {"run_queued", {"run", "message", "position"}},
     {"run_started", {"run", "message", "reply"}},
     {"step_started", {"run", "step", "message"}},
     {"text_delta", {"message", "text"}},
     {"reasoning_delta", {"message", "text"}},
     {"message_completed", {"step", "message", "content", "calls", "finish", "cut"}},
     {"tool_started", {"run", "call", "tool", "input", "effect"}},
     {"tool_completed", {"call", "tool", "ok", "output"}},
     {"tool_outcome_unknown", {"call", "tool"}},
     {"approval_requested", {"approval", "call", "tool", "action", "approval_kind", "risk"}},
     {"approval_decided", {"approval", "call", "decision", "by", "note", "edited_input"}},
     {"approval_endorsed", {"approval", "call", "by", "note", "edited_input"}},
     {"grant_given", {"grant", "scope", "tool", "by"}},
     {"grant_revoked", {"grant", "by"}},
     {"usage_recorded", {"step", "tokens", "cost", "estimated"}},
     {"cost_alert", {"scope", "spend", "budget", "percent"}},
     {"run_completed", {"run", "message", "tokens", "cost", "steps"}},
     {"run_failed", {"run", "code", "text", "steps"}},
     {"run_cancelled", {"run", "by", "text_kept"}},
     {"run_dequeued", {"run", "message"}},
     {"session_updated", {"status"}},
     {"session_closed", {}},
     {"history_cleared", {"by"}},
     {"message_superseded", {}}}};

/// An object that a scenario would take for a word of its own cannot be compared.
bool has_directive(const json::value& v) {
  if (const auto* object = v.if_object()) {
    if (object->size() == 1 && object->begin()->key().starts_with('$')) return true;
    return std::any_of(object->begin(), object->end(), [](const auto& m) { return has_directive(m.value()); });
  }
  const auto* list = v.if_array();
  return list && std::any_of(list->begin(), list->end(), [](const auto& item) { return has_directive(item); });
}

}  // namespace

bool expectation_names::knows(const std::string& id) const { return names_.contains(id); }

std::string expectation_names::variable(const std::string& id, const char* what) {
  auto it = names_.find(id);
  if (it == names_.end()) it = names_.emplace(id, "$" + std::string(what) + "_" + std::to_string(++counts_[what])).first;
  return it->second;
}

std::optional<json::object> expectation_names::expectation(const core::event& e, bool with_cost) {
  auto kind = core::kind_of(e.payload);
  auto known = std::find_if(compared.begin(), compared.end(), [&](const auto& k) { return k.kind == kind; });
  if (known == compared.end()) return std::nullopt;
  auto fields = core::event_to_json(e);
  json::object out{{"kind", kind}};
  for (auto field : known->fields) {
    if (field.empty() || (field == "cost" && !with_cost)) continue;
    const auto* v = fields.if_contains(field);
    if (!v && field == "calls") out.emplace(field, nullptr);
    if (!v) continue;
    if (auto value = named(field, *v, e)) out.emplace(field, std::move(*value));
  }
  return out;
}

std::optional<json::value> expectation_names::named(std::string_view field, const json::value& v, const core::event& e) {
  if (field == "run" || field == "approval")
    return json::string(variable(std::string(v.as_string()), field == "run" ? "run" : "approval"));
  if (field == "grant") return json::string(variable(std::string(v.as_string()), "grant"));
  if (field == "reply") return json::string(variable(std::string(v.as_string()), "answer"));
  if (field == "message") {
    bool is_users = e.as<core::message_added>() || e.as<core::run_queued>();
    return json::string(variable(std::string(v.as_string()), is_users ? "message" : "answer"));
  }
  if (field == "messages" || field == "attachments") {
    json::array out;
    for (const auto& item : v.as_array())
      out.push_back(field == "messages" ? json::value(variable(std::string(item.as_string()), "message")) : file(item));
    return out;
  }
  if (field == "file") return file(v);
  if (v.is_string()) return literal_value(json::string(providers::to_utf8(v.get_string())));
  auto out = literal_value(v);
  if (has_directive(out)) return std::nullopt;
  return out;
}

json::value expectation_names::file(const json::value& v) {
  json::object out;
  for (const auto& member : v.as_object()) {
    std::string_view key = member.key();
    if (key == "file") out.emplace(key, variable(std::string(member.value().as_string()), "file"));
    // Its bytes may be others: secrets are hidden, long ones are left out.
    if (key == "name" || key == "content_type")
      out.emplace(key, literal_value(json::string(providers::to_utf8(member.value().as_string()))));
  }
  return out;
}

}  // namespace troupe::app
