#include "transport/dialects/nexus_fields.hpp"

#include "transport/json_text.hpp"

namespace troupe::transport {

namespace json = boost::json;

json::object tool_start_fields(const core::tool_started& m) {
  return {{"toolCallId", m.call.str()}, {"tool", m.tool}, {"input", json_or_string(m.input)}};
}

json::object tool_complete_fields(const core::tool_completed& m) {
  return {{"toolCallId", m.call.str()},
          {"tool", m.tool},
          {"success", m.ok},
          {"output", output_value(m.output)},
          {"durationMs", m.ms}};
}

json::object approval_card_fields(const core::approval_requested& m) {
  return {{"approvalId", m.approval.str()},
          {"tool", m.tool},
          {"action", json_or_string(m.action)},
          {"toolCallId", m.call.str()},
          {"expiresAt", iso_time(m.expires_at)},
          {"kind", core::to_string(m.kind)},
          {"riskLevel", m.risk}};
}

json::object approval_decided_fields(const core::approval_decided& m) {
  json::object fields{{"approvalId", m.approval.str()}, {"decision", core::to_string(m.decision)}, {"resolvedBy", m.by}};
  if (!m.note.empty()) fields["note"] = m.note;
  return fields;
}

}  // namespace troupe::transport
