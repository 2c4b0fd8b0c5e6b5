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
  std::string text;
  core::window window;
  std::optional<session_status> status{};
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
};
struct list_traces {
  std::optional<project_id> project;
  std::optional<session_id> session;
  core::window window;
};
struct get_trace {
  trace_id trace;
};
struct get_usage {
  project_id project;
  millis since{0};
};
/// The run_started at or before `seq`; 0 when there is none.
struct find_run_start {
  session_id session;
  seq_t seq = 0;
};
/// The message a client sent before under this id.
struct find_client_message {
  session_id session;
  std::string client_message_id;
};

using query = std::variant<get_session, list_sessions, list_messages, list_tool_calls, list_queue, get_run, get_approval,
                           list_approvals, list_traces, get_trace, get_usage, find_run_start, find_client_message>;

/// In the order of `query`; what one asks for by id and is not there is a NOT_FOUND error, not an empty answer.
using answer = std::variant<session_record, page<session_record>, page<message_record>, std::vector<tool_call_record>,
                            std::vector<session_state::queued>, run_record, approval_record, page<approval_record>,
                            page<span_record>, std::vector<span_record>, std::vector<usage_day>, seq_t, message_record>;

}  // namespace troupe::core
