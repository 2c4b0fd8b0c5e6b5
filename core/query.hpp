// Questions to the stored state and their answers, as the REST edge asks them. Plain values.
#pragma once

#include "core/records.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace troupe::core {

struct get_session {
  session_id session;
};
struct list_sessions {
  std::optional<project_id> project;
  std::optional<std::string> dialect;
  std::string text;  ///< part of a title or a message, case-insensitive
  core::window window;
  std::optional<session_status> status{};
  std::optional<std::string> owner{};
  std::optional<std::string> visible_to{};  ///< owner or participant; absent: everybody's
  millis updated_since{0};
  bool with_children = false;  ///< sessions of sub-agents too
};
/// The session a client means: its UUID, 24 hex digits of it, or the client's own name for it in `conversation`
/// (PROTOCOLS, head). Deleted ones are found too; NOT_FOUND where there is none.
struct resolve_session {
  project_id project;
  std::string text;
};
struct list_messages {
  session_id session;
  core::window window;
};
struct list_tool_calls {
  session_id session;
};
struct list_queue {
  session_id session;
};
struct get_run {
  run_id run;
};
struct get_approval {
  approval_id approval;
};
struct list_approvals {
  std::optional<std::string> status;
  std::optional<project_id> project;
  std::optional<session_id> session;
  core::window window;
  std::optional<std::string> visible_to{};
  std::optional<agent_id> agent{};
  std::optional<std::string> tool{};
  std::optional<approval_kind> kind{};
  std::optional<std::string> risk{};
  std::optional<std::string> decided_by{};
  millis since{0};  ///< asked at or after
};
/// Remembered approvals, newest first; those that hold now, or all.
struct list_grants {
  std::optional<project_id> project;
  core::window window;
  std::optional<std::string> visible_to{};  ///< of sessions this principal sees
  bool all = false;
  millis now{0};
};
struct get_grant {
  grant_id grant;
};
/// At most `limit` bytes of whole characters from `offset` on of the output of that call (the latest of that id).
struct get_tool_output {
  session_id session;
  tool_call_id call;
  std::int64_t offset = 0;
  std::int64_t limit = 16'384;
};
/// Sessions of sub-agents, in the order they were made.
struct list_children {
  session_id session;
};
struct list_traces {
  std::optional<project_id> project;
  std::optional<session_id> session;
  core::window window;
  std::optional<std::string> visible_to{};
};
struct get_trace {
  trace_id trace;
};
struct get_usage {
  project_id project;
  millis since{0};
};
enum class usage_key : std::uint8_t { agent, session, user, model };
/// Dearest first.
struct get_usage_by {
  project_id project;
  millis since{0};
  usage_key by = usage_key::agent;
  core::window window;
};
/// Alerts of budgets, newest first.
struct list_alerts {
  project_id project;
  core::window window;
  std::optional<std::string> visible_to{};  ///< of sessions this principal sees
};
struct get_file {
  session_id session;
  file_id file;
};
/// In the order they were added, without their bytes.
struct list_files {
  session_id session;
};
/// The run_started at or before `seq`; 0 when there is none.
struct find_run_start {
  session_id session;
  seq_t seq = 0;
};
struct get_message {
  session_id session;
  message_id message;
};
/// The message a client sent before under this id.
struct find_client_message {
  session_id session;
  std::string client_message_id;
};

/// Versions of a stored agent without their definitions, newest first.
struct list_agent_versions {
  project_id project;
  agent_id agent;
  core::window window;
};
struct get_agent_version {
  project_id project;
  agent_id agent;
  std::uint32_t version = 0;
};

using query = std::variant<get_session, list_sessions, list_messages, list_tool_calls, list_queue, get_run, get_approval,
                           list_approvals, list_traces, get_trace, get_usage, find_run_start, find_client_message,
                           resolve_session, get_usage_by, get_file, list_files, get_message, list_grants, get_grant,
                           get_tool_output, list_children, list_alerts, list_agent_versions, get_agent_version>;

/// In the order of `query` (get_message has a message_record too); what one asks for by id and is not there is a NOT_FOUND
/// error, not an empty answer.
using answer =
    std::variant<session_record, page<session_record>, page<message_record>, std::vector<tool_call_record>,
                 std::vector<session_state::queued>, run_record, approval_record, page<approval_record>, page<span_record>,
                 std::vector<span_record>, std::vector<usage_day>, seq_t, message_record, session_id, page<usage_share>,
                 file_record, std::vector<file_record>, page<grant_record>, grant_record, tool_output_part,
                 std::vector<session_record>, page<alert_record>, page<agent_version_record>, agent_version_record>;

}  // namespace troupe::core
