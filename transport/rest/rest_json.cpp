#include "transport/rest/rest_json.hpp"

#include "transport/dialects/nexus.hpp"
#include "transport/dialects/nexus_fields.hpp"
#include "transport/json_text.hpp"
#include "transport/rest/attachments.hpp"
#include "transport/rest/idempotency.hpp"

namespace troupe::transport {

namespace json = boost::json;

namespace {

json::value time_or_null(core::millis at) { return at.count() == 0 ? json::value(nullptr) : json::value(iso_time(at)); }
json::value id_or_null(const core::uuid& id) { return id.is_nil() ? json::value(nullptr) : json::value(id.str()); }

std::string_view to_text(core::approval_policy p) {
  switch (p) {
    case core::approval_policy::never:
      return "never";
    case core::approval_policy::always:
      return "always";
    case core::approval_policy::by_effect:
      break;
  }
  return "by_effect";
}

/// In one word: what its rules are is the operator's business.
std::string_view to_text(const core::tool_approval& a) {
  if (!a.rules.empty()) return "by_rule";
  return a.policy ? to_text(*a.policy) : "default";
}

json::value text_or_null(const std::string& text) { return text.empty() ? json::value(nullptr) : json::value(text); }
json::value json_or_null(const std::string& text) { return text.empty() ? json::value(nullptr) : json_or_string(text); }

json::value duration(const core::span_record& s) {
  if (s.ended_at.count() == 0) return nullptr;
  return (s.ended_at - s.started_at).count();
}

bool shows_client_id(std::string_view id) { return !id.empty() && !is_idempotent_id(id); }

json::array reactions_json(const std::vector<core::message_record::reaction>& all) {
  json::array out;
  for (const auto& r : all) {
    auto who = shown_user(r.by, r.by_name);
    out.push_back(json::object{{"emoji", r.emoji}, {"userId", who.id}, {"username", who.name}});
  }
  return out;
}

/// The result of the call that `m` made: an id is unique within its message only, so a later run of the same id is not it.
const core::tool_call_record* take_result(const core::message_record& m, const core::tool_call& call,
                                          const std::vector<core::tool_call_record>& results, std::vector<bool>& taken) {
  for (std::size_t i = 0; i < results.size(); ++i) {
    const auto& r = results[i];
    if (taken[i] || r.run != m.run || r.id != call.id || r.started_at < m.created_at) continue;
    taken[i] = true;
    return &r;
  }
  return nullptr;
}

}  // namespace

json::object project_json(const core::project_config& p, std::size_t agents) {
  return {{"id", p.id.str()},
          {"name", p.name.empty() ? p.id.str() : p.name},
          {"defaultAgentId", p.default_agent.str()},
          {"agentCount", agents}};
}

json::object agent_json(const core::agent_config& a, bool is_default) {
  json::object approval;
  for (const auto& [tool, policy] : a.approval) approval[tool] = to_text(policy);
  const auto& l = a.limits;
  return {{"id", a.id.str()},
          {"projectId", a.project.str()},
          {"name", a.name.empty() ? a.id.str() : a.name},
          {"description", a.description},
          {"starters", json::array(a.starters.begin(), a.starters.end())},
          {"provider", a.provider.str()},
          {"model", a.model},
          {"tools", json::array(a.tools.begin(), a.tools.end())},
          {"approval", std::move(approval)},
          {"onBusy", core::to_string(a.on_busy)},
          {"limits",
           {{"maxSteps", l.max_steps},
            {"maxOutputTokens", l.max_output_tokens},
            {"maxQueue", l.max_queue},
            {"budgetUsd", l.budget ? json::value(l.budget->usd()) : json::value(nullptr)},
            {"approvalTimeoutMs", l.approval_timeout.count()},
            {"toolTimeoutMs", l.tool_timeout.count()}}},
          {"isDefault", is_default},
          {"source", "configuration"},
          {"version", nullptr},
          {"updatedAt", nullptr},
          {"updatedBy", nullptr}};
}

json::object agent_json(const core::agent_id& id, const core::project_id& project, const core::stored_agent& stored) {
  core::agent_config unknown;
  unknown.id = id;
  unknown.project = project;
  auto out = agent_json(stored.agent ? *stored.agent : stored.shown ? *stored.shown : unknown, false);
  out["source"] = "stored";
  out["version"] = stored.version;
  out["updatedAt"] = iso_time(stored.updated_at);
  out["updatedBy"] = stored.updated_by;
  if (stored.deleted)
    out["deleted"] = true;
  else if (!stored.agent)
    out["problem"] = stored.problem;
  return out;
}

json::object tool_json(const core::tool_record& t) {
  return {{"name", t.name},
          {"description", t.description},
          {"parameters", json_or_string(t.parameters)},
          {"effect", core::to_string(t.effect)},
          {"approval", t.needs_approval ? "always" : "never"},
          {"riskLevel", t.risk},
          {"source", t.source},
          {"status", t.status.empty() ? std::string("ready") : t.status}};
}

json::object session_json(const core::session_record& s) {
  return {{"id", s.id.str()},
          {"projectId", s.project.str()},
          {"agentId", s.agent.str()},
          {"dialect", s.dialect},
          {"alias", s.alias},
          {"title", s.title},
          {"status", core::to_string(s.status)},
          {"owner", s.owner},
          {"participants", json::array(s.participants.begin(), s.participants.end())},
          {"parentSessionId", id_or_null(s.parent.value)},
          {"parentToolCallId", text_or_null(s.parent_call.str())},
          {"depth", s.depth},
          {"metadata", s.metadata.empty() ? json::value(json::object()) : json_or_string(s.metadata)},
          {"messageCount", s.message_count},
          {"lastSeq", s.last_seq},
          {"usage", usage_json(s.tokens, s.cost)},
          {"createdAt", iso_time(s.created_at)},
          {"updatedAt", iso_time(s.updated_at)}};
}

json::object approval_json(const core::approval_record& a) {
  auto action = json_or_string(a.action);
  auto decided_by = a.decision ? json::value(a.decided_by) : json::value(nullptr);
  auto decided_at = time_or_null(a.decided_at);
  json::object out{{"id", a.id.str()},
                   {"projectId", a.project.str()},
                   {"agentId", a.agent.str()},
                   {"sessionId", a.session.str()},
                   {"runId", a.run.str()},
                   {"toolCallId", a.call.str()},
                   {"toolId", a.tool},
                   {"action", action},
                   {"toolInput", action},
                   {"argumentsHash", text_or_null(a.arguments_hash)},
                   {"kind", core::to_string(a.kind)},
                   {"choices", nullptr},
                   {"message", text_or_null(a.prompt)},
                   {"schema", json_or_null(a.schema)},
                   {"status", a.decision ? core::to_string(*a.decision) : std::string_view("pending")},
                   {"riskLevel", a.risk},
                   {"requiredApprovals", a.deciders},
                   {"endorsedBy", json::array(a.endorsed_by.begin(), a.endorsed_by.end())},
                   {"notBy", text_or_null(a.not_by)},
                   {"originSessionId", id_or_null(a.origin.value)},
                   {"originApprovalId", id_or_null(a.origin_approval.value)},
                   {"createdAt", iso_time(a.created_at)},
                   {"expiresAt", time_or_null(a.expires_at)},
                   {"decidedBy", decided_by},
                   {"decidedAt", decided_at},
                   {"resolvedBy", decided_by},
                   {"resolvedAt", decided_at},
                   {"note", text_or_null(a.note)},
                   {"editedInput", json_or_null(a.edited_input)},
                   {"choice", nullptr},
                   {"answer", json_or_null(a.answer)}};
  if (a.kind == core::approval_kind::outcome_unknown) out["choices"] = outcome_choices();
  if (a.choice != core::outcome_choice::none) out["choice"] = core::to_string(a.choice);
  return out;
}

json::object grant_json(const core::grant_record& g, core::millis now) {
  bool is_over = g.grant.expires_at.count() != 0 && now >= g.grant.expires_at;
  return {{"id", g.grant.grant.str()},
          {"status", g.revoked_at.count() != 0 ? "revoked"
                     : is_over                 ? "expired"
                                               : "active"},
          {"scope", core::to_string(g.grant.scope)},
          {"projectId", g.project.str()},
          {"agentId", g.agent.str()},
          {"sessionId", g.session.str()},
          {"toolId", g.grant.tool},
          {"when", g.grant.when.empty() ? json::value(json::array()) : json_or_string(g.grant.when)},
          {"approvalId", id_or_null(g.grant.approval.value)},
          {"grantedBy", g.grant.by},
          {"createdAt", iso_time(g.created_at)},
          {"expiresAt", time_or_null(g.grant.expires_at)},
          {"revokedAt", time_or_null(g.revoked_at)},
          {"revokedBy", g.revoked_at.count() != 0 ? json::value(g.revoked_by) : json::value(nullptr)}};
}

json::object tool_call_json(const core::tool_call_record& c) {
  json::object out{{"toolCallId", c.id.str()},
                   {"runId", id_or_null(c.run.value)},
                   {"tool", c.tool},
                   {"input", json_or_string(c.input)},
                   {"effect", core::to_string(c.effect)},
                   {"success", nullptr},
                   {"output", nullptr},
                   {"outputBytes", c.output_bytes != 0 ? c.output_bytes : static_cast<std::int64_t>(c.output.size())},
                   {"isCut", c.output_bytes != 0},
                   {"durationMs", c.ms},
                   {"childSessionId", id_or_null(c.child.value)},
                   {"cost", c.cost.usd()},
                   {"startedAt", time_or_null(c.started_at)},
                   {"endedAt", time_or_null(c.ended_at)}};
  if (!c.ok) return out;
  out["success"] = *c.ok;
  out["output"] = output_value(c.output);
  return out;
}

json::object file_json(const core::file_record& f) {
  auto out = attachment_json(f.file);
  out["uploadedBy"] = f.by;
  out["createdAt"] = iso_time(f.created_at);
  return out;
}

json::object queued_json(const core::session_state::queued& q, std::size_t position) {
  json::object out{{"id", q.message.str()},
                   {"messageId", q.message.str()},
                   {"runId", q.run.str()},
                   {"content", q.content},
                   {"author", q.author},
                   {"authorName", q.author_name},
                   {"attachments", attachments_json(q.attachments)},
                   {"position", position},
                   {"queuedAt", iso_time(q.at)}};
  if (shows_client_id(q.client_message_id)) out["clientMessageId"] = q.client_message_id;
  return out;
}

json::object trace_json(const core::span_record& root, const core::project_id& project) {
  return {{"id", root.trace.value.hex()},
          {"traceId", root.trace.value.hex()},
          {"projectId", project.str()},
          {"agentId", root.name},
          {"sessionId", root.session.str()},
          {"runId", root.run.str()},
          {"status", root.status},
          {"startedAt", time_or_null(root.started_at)},
          {"endedAt", time_or_null(root.ended_at)},
          {"durationMs", duration(root)},
          {"totalTokens", root.tokens.total()},
          {"totalCost", root.cost.usd()},
          {"usage", usage_json(root.tokens, root.cost)}};
}

json::object span_json(const core::span_record& s) {
  return {{"kind", s.kind},
          {"name", s.name},
          {"status", s.status},
          {"startedAt", time_or_null(s.started_at)},
          {"endedAt", time_or_null(s.ended_at)},
          {"durationMs", duration(s)},
          {"usage", usage_json(s.tokens, s.cost)}};
}

json::object usage_day_json(const core::usage_day& d) {
  return {{"date", d.date},
          {"totalCost", d.cost.usd()},
          {"totalCostUsd", d.cost.usd()},
          {"totalTokens", d.tokens},
          {"totalRequests", d.requests}};
}

json::object feedback_json(core::message_id message, const core::message_record::opinion& f) {
  return {{"messageId", message.str()},
          {"rating", core::to_string(f.rating)},
          {"note", f.note},
          {"by", f.by},
          {"at", iso_time(f.at)}};
}

json::array messages_json(const std::vector<core::message_record>& messages,
                          const std::vector<core::tool_call_record>& results) {
  std::vector<bool> taken(results.size());
  json::array out;
  for (const auto& m : messages) {
    json::array calls;
    for (const auto& c : m.calls) {
      const auto* r = take_result(m, c, results, taken);
      bool is_settled = r && r->ok;
      json::object shown{{"toolCallId", c.id.str()},
                         {"tool", c.tool},
                         {"input", json_or_string(c.arguments)},
                         {"success", is_settled ? json::value(*r->ok) : json::value(nullptr)},
                         {"output", is_settled ? output_value(r->output) : json::value(nullptr)},
                         {"durationMs", r ? r->ms : 0}};
      if (r && r->output_bytes != 0) shown["outputBytes"] = r->output_bytes;
      if (r && !r->child.is_nil()) {
        shown["childSessionId"] = r->child.str();
        shown["cost"] = r->cost.usd();
      }
      calls.push_back(std::move(shown));
    }
    json::object message{{"id", id_or_null(m.id.value)},
                         {"sessionId", m.session.str()},
                         {"runId", id_or_null(m.run.value)},
                         {"role", core::to_string(m.role)},
                         {"content", m.content},
                         {"author", m.author},
                         {"authorName", m.author_name},
                         {"attachments", attachments_json(m.attachments)},
                         {"reactions", reactions_json(m.reactions)},
                         {"toolCalls", std::move(calls)},
                         {"cut", m.cut},
                         {"seq", m.seq},
                         {"createdAt", iso_time(m.created_at)}};
    if (shows_client_id(m.client_message_id)) message["clientMessageId"] = m.client_message_id;
    if (!m.feedback.empty()) {
      json::array feedback;
      for (const auto& f : m.feedback) feedback.push_back(feedback_json(m.id, f));
      message["feedback"] = std::move(feedback);
    }
    out.push_back(std::move(message));
  }
  return out;
}

core::error lost_decision(const core::approval_settled& winner) {
  auto text = "The approval was settled before: " + std::string(core::to_string(winner.decision));
  if (!winner.by.empty()) text += " by " + winner.by;
  if (!winner.note.empty()) text += " (" + winner.note + ")";
  return {core::errc::approval_not_pending, text + "."};
}

json::object winner_json(const core::approval_settled& winner, const core::approval_record* record) {
  json::object out{{"approvalId", winner.approval.str()},
                   {"decision", core::to_string(winner.decision)},
                   {"status", core::to_string(winner.decision)},
                   {"decidedBy", winner.by},
                   {"resolvedBy", winner.by}};
  if (!winner.note.empty()) out["note"] = winner.note;
  if (winner.choice != core::outcome_choice::none) out["choice"] = core::to_string(winner.choice);
  if (record && record->decided_at.count() != 0)
    for (auto name : {"decidedAt", "resolvedAt"}) out[name] = iso_time(record->decided_at);
  return out;
}

std::optional<core::trace_id> parse_trace_id(std::string_view text) {
  if (text.size() != 32) return core::trace_id::parse(text);
  std::string canonical(text);
  for (auto at : {20, 16, 12, 8}) canonical.insert(static_cast<std::size_t>(at), 1, '-');
  return core::trace_id::parse(canonical);
}

}  // namespace troupe::transport
