#include "transport/dialects/nexus_fields.hpp"

#include "transport/json_text.hpp"

namespace troupe::transport {

namespace json = boost::json;

namespace {

json::array endorsers(const core::turn& turn, const core::approval_id& approval) {
  json::array out;
  for (const auto& e : turn.endorsements)
    if (e.approval == approval) out.push_back(json::string(e.by));
  return out;
}

}  // namespace

json::object tool_start_fields(const core::tool_started& m) {
  json::object fields{{"toolCallId", m.call.str()}, {"tool", m.tool}, {"input", json_or_string(m.input)}};
  if (!m.child.is_nil()) fields["childSessionId"] = m.child.str();
  if (!m.allowed_by.is_nil()) fields["allowedBy"] = m.allowed_by.str();
  return fields;
}

json::object tool_complete_fields(const core::tool_completed& m) {
  json::object fields{{"toolCallId", m.call.str()},
                      {"tool", m.tool},
                      {"success", m.ok},
                      {"output", output_value(m.output)},
                      {"durationMs", m.ms}};
  if (m.output_bytes != 0) fields["outputBytes"] = m.output_bytes;
  if (m.child_cost.value != 0) fields["cost"] = m.child_cost.usd();
  return fields;
}

json::object approval_card_fields(const core::approval_requested& m) {
  json::object fields{{"approvalId", m.approval.str()},
                      {"tool", m.tool},
                      {"action", json_or_string(m.action)},
                      {"toolCallId", m.call.str()},
                      {"expiresAt", iso_time(m.expires_at)},
                      {"kind", core::to_string(m.kind)},
                      {"riskLevel", m.risk}};
  if (m.kind == core::approval_kind::outcome_unknown) fields["choices"] = outcome_choices();
  if (!m.prompt.empty()) fields["message"] = m.prompt;
  if (!m.schema.empty()) fields["schema"] = json_or_string(m.schema);
  if (!m.arguments_hash.empty()) fields["argumentsHash"] = m.arguments_hash;
  if (m.deciders > 1) fields["requiredApprovals"] = m.deciders;
  if (!m.origin.is_nil()) fields["originSessionId"] = m.origin.str();
  return fields;
}

json::object open_card_fields(const core::turn& turn, const core::approval_requested& open) {
  auto fields = approval_card_fields(open);
  if (auto by = endorsers(turn, open.approval); !by.empty()) fields["endorsedBy"] = std::move(by);
  return fields;
}

json::object approval_endorsed_fields(const core::turn& turn, const core::approval_endorsed& m) {
  json::object fields{{"approvalId", m.approval.str()}, {"endorsedBy", endorsers(turn, m.approval)}};
  for (const auto& open : turn.open_approvals)
    if (open.approval == m.approval) fields["requiredApprovals"] = open.deciders;
  if (!m.note.empty()) fields["note"] = m.note;
  return fields;
}

json::object approval_decided_fields(const core::approval_decided& m) {
  json::object fields{{"approvalId", m.approval.str()}, {"decision", core::to_string(m.decision)}, {"resolvedBy", m.by}};
  if (!m.note.empty()) fields["note"] = m.note;
  if (m.choice != core::outcome_choice::none) fields["choice"] = core::to_string(m.choice);
  return fields;
}

json::object approval_decided_fields(const core::approval_settled& winner) {
  core::approval_decided m;
  m.approval = winner.approval;
  m.decision = winner.decision;
  m.by = winner.by;
  m.note = winner.note;
  m.choice = winner.choice;
  return approval_decided_fields(m);
}

json::array outcome_choices() {
  using core::outcome_choice;
  json::array out;
  for (auto c : {outcome_choice::retry, outcome_choice::done, outcome_choice::failed})
    out.push_back(json::string(core::to_string(c)));
  return out;
}

}  // namespace troupe::transport
