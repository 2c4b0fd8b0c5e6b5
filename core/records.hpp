// Stored things as people and clients read them: rows of the tables in docs/storage.md. Made by storage, mapped to JSON
// by transport. Plain values.
#pragma once

#include "core/event.hpp"
#include "core/ids.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace troupe::core {

struct session_record {
  session_id id;
  project_id project;
  agent_id agent;
  std::string dialect;
  std::string alias;
  std::string owner;
  std::string title;
  std::string metadata;
  std::vector<std::string> participants{};
  session_id parent{};  ///< nil but for sessions of sub-agents
  tool_call_id parent_call{};
  std::uint32_t depth = 0;
  session_status status = session_status::active;
  seq_t last_seq = 0;      ///< of the last stored event
  seq_t reserved_seq = 0;  ///< nothing above it was ever shown
  millis created_at{0};
  millis updated_at{0};
  std::int64_t message_count = 0;  ///< user and assistant messages with text
  token_usage tokens;
  micro_usd cost;
};

enum class run_status : std::uint8_t { queued, running, parked, completed, failed, cancelled, dequeued };
[[nodiscard]] std::string_view to_string(run_status v) noexcept;
[[nodiscard]] std::optional<run_status> run_status_from(std::string_view text) noexcept;

struct run_record {
  run_id id;
  session_id session;
  message_id message;
  trace_id trace;
  agent_id agent;
  run_status status = run_status::queued;
  std::uint32_t steps = 0;
  std::string error_code;
  std::string error_text;
  millis queued_at{0};
  millis started_at{0};  ///< 0: not yet
  millis ended_at{0};    ///< 0: not yet
  token_usage tokens;
  micro_usd cost;
};

struct message_record {
  std::int64_t number = 0;  ///< 1-based within the session
  message_id id;
  session_id session;
  run_id run;
  core::role role = role::user;
  std::string content;
  std::string author;
  std::string client_message_id;
  std::vector<tool_call> calls;
  bool cut = false;
  seq_t seq = 0;
  millis created_at{0};
  std::string author_name{};
  std::vector<attachment> attachments{};
  struct reaction {
    std::string emoji;
    std::string by;
    std::string by_name;
  };
  std::vector<reaction> reactions{};  ///< in the order they came
  struct opinion {
    core::rating rating = rating::none;
    std::string note;
    std::string by;
    millis at{0};
  };
  std::vector<opinion> feedback{};  ///< one of each person, in the order they came
};

struct file_record {
  attachment file;
  session_id session;
  std::string by;
  millis created_at{0};
  std::shared_ptr<const std::string> data;  ///< null in lists
};

struct tool_call_record {
  tool_call_id id;
  session_id session;
  run_id run;
  std::string tool;
  std::string input;
  std::optional<bool> ok;  ///< absent: no result yet
  std::string output;
  core::effect effect = effect::once;
  std::int64_t ms = 0;
  millis started_at{0};
  millis ended_at{0};
  std::int64_t output_bytes = 0;  ///< of the whole output, where `output` is only its beginning; else 0
  session_id child{};
  micro_usd cost{};  ///< of the sub-agent
};

/// A part of a long output.
struct tool_output_part {
  std::string text;
  std::int64_t offset = 0;  ///< in bytes, of its first
  std::int64_t total = 0;
};

/// A remembered approval.
struct grant_record {
  grant_given grant;
  project_id project;
  agent_id agent;
  session_id session;
  millis created_at{0};
  millis revoked_at{0};  ///< 0: it holds (until it expires)
  std::string revoked_by;
};

struct approval_record {
  approval_id id;
  project_id project;
  agent_id agent;
  session_id session;
  run_id run;
  tool_call_id call;
  std::string tool;
  std::string action;  ///< JSON text
  approval_kind kind = approval_kind::tool;
  std::string risk;
  std::optional<core::decision> decision;  ///< absent: pending
  std::string decided_by;
  std::string note;
  millis created_at{0};
  millis expires_at{0};
  millis decided_at{0};
  std::string edited_input{};
  outcome_choice choice = outcome_choice::none;
  std::string answer{};
  std::string arguments_hash{};
  std::string prompt{};
  std::string schema{};
  std::uint32_t deciders = 1;
  std::vector<std::string> endorsed_by{};
  std::string not_by{};
  session_id origin{};  ///< the sub-agent's session it was asked in; lists over all sessions leave such mirrors out
  approval_id origin_approval{};
};

/// One row per span of a trace: a run, a queue wait, a model call, a tool call or an approval wait.
struct span_record {
  trace_id trace;
  session_id session;
  run_id run;
  std::string kind;  ///< run, queue_wait, model_call, tool_call, approval_wait
  std::string name;
  std::string status;
  millis started_at{0};
  millis ended_at{0};  ///< 0: still open
  token_usage tokens;
  micro_usd cost;
};

struct usage_day {
  std::string date;  ///< YYYY-MM-DD, UTC
  micro_usd cost;
  std::int64_t tokens = 0;
  std::int64_t requests = 0;
};

/// What one agent, session, user or model has spent.
struct usage_share {
  std::string key;
  micro_usd cost;
  std::int64_t tokens = 0;
  std::int64_t requests = 0;
  std::string provider{};  ///< of a model
  std::string model{};
};

/// A budget's threshold that was crossed.
struct alert_record {
  millis at{0};
  std::string scope;  ///< session, agent or project
  std::string id;     ///< of the one whose budget it is
  std::int32_t percent = 0;
  micro_usd spend;
  micro_usd budget;
  session_id session;  ///< where the spending was that crossed it
};

/// A tool as clients see it.
struct tool_record {
  std::string name;
  std::string description;
  std::string parameters;  ///< JSON Schema text
  core::effect effect = effect::once;
  bool needs_approval = false;  ///< where an agent says nothing else
  std::string source;
  std::string risk{};
  std::string status{};  ///< of its source: `ready`, or what is wrong
};

template <class T>
struct page {
  std::vector<T> items;
  std::int64_t total = 0;
};

/// Every list takes the same window; the edge that parses it bounds `limit`.
struct window {
  std::int64_t limit = 20;
  std::int64_t offset = 0;
};

/// What a session needs to go on where it was: independent of how long its history is.
struct session_state {
  session_record session;
  struct queued {
    run_id run;
    message_id message;
    std::string content;
    std::string author;
    std::string client_message_id;
    millis at{0};
    std::string options{};
    std::string author_name{};
    std::vector<attachment> attachments{};
  };
  std::vector<queued> queue;
  /// Events of the run in flight from its run_started on; empty when there is none.
  std::vector<event> live_run;
  std::string live_content;  ///< the user message that run answers
  std::string live_options{};
};

/// A version of an agent that was made over REST. Deleting one is a version too.
struct agent_version_record {
  project_id project;
  agent_id agent;
  std::uint32_t version = 0;  ///< from 1, without gaps
  bool deleted = false;
  std::string definition;  ///< JSON text, as in the configuration file; empty where it was deleted, and in lists
  std::uint64_t hash = 0;  ///< of the configuration that it was read as
  std::string note;
  std::string created_by;
  millis created_at{0};
};

}  // namespace troupe::core
