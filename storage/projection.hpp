// The rows that a session's events become: one pure fold, used by the journal as it writes and by `check` to compare.
// A session's rows of unfinished things stay here between commits; the journal writes what is `dirty` and lets go of the rest.
#pragma once

#include "core/event.hpp"
#include "core/records.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe::storage {

/// How a row here stands to the one in its table.
enum class row_state : std::uint8_t { fresh, dirty, stored };

struct run_row {
  std::int64_t n = 0;  ///< its key, in the order runs came
  core::run_record record;
  std::string provider;
  std::string model;
  std::uint64_t config_hash = 0;
  core::seq_t first_seq = 0;    ///< of run_queued, or of run_started where it never waited
  core::seq_t started_seq = 0;  ///< 0: not yet
  core::seq_t ended_seq = 0;    ///< 0: not yet
  core::seq_t place = 0;        ///< in the queue, where somebody changed it; 0: `first_seq`
  row_state state = row_state::fresh;
  core::run_status stored_status = core::run_status::queued;  ///< as the table has it, where `state` is not fresh
  core::seq_t stored_started_seq = 0;
  core::seq_t stored_place = 0;
  core::agent_id stored_agent;
  std::uint64_t stored_config_hash = 0;

  [[nodiscard]] bool has_ended() const noexcept { return ended_seq != 0; }
  [[nodiscard]] bool is_queued() const noexcept { return record.status == core::run_status::queued; }
  [[nodiscard]] core::seq_t queue_position() const noexcept { return place != 0 ? place : first_seq; }
};

struct message_row {
  core::message_record record;
  std::string options;
  bool is_removed = false;  ///< taken out of the queue before its run started, or cleared
  row_state state = row_state::fresh;
};

struct call_row {
  core::tool_call_record record;
  core::seq_t seq = 0;  ///< of tool_started, or of tool_completed where it never started
  core::grant_id allowed_by;
  row_state state = row_state::fresh;
};

/// A whole output of which tool_completed has only the beginning.
struct output_row {
  core::run_id run;
  core::tool_call_id call;
  core::seq_t seq = 0;  ///< of tool_completed
  std::int64_t bytes = 0;
  std::shared_ptr<const std::string> data;  ///< null in a copied session: its source has it (tool_outputs.hpp)
};

struct approval_row {
  core::approval_record record;
  row_state state = row_state::fresh;
};

struct usage_row {
  core::usage_recorded usage;
  core::seq_t seq = 0;
  core::millis at{0};
  core::agent_id agent;
};

struct file_row {
  core::file_record record;
  core::seq_t seq = 0;
};

struct grant_row {
  core::grant_record record;
  core::seq_t seq = 0;
};

struct reaction_row {
  core::reaction_changed change;
  core::seq_t seq = 0;
};

struct feedback_row {
  core::message_feedback feedback;
  core::seq_t seq = 0;
  core::millis at{0};
};

struct alert_row {
  core::alert_record record;
  core::seq_t seq = 0;
};

/// Where rows are found again that are no longer here, when a late event concerns them.
class row_source {
 public:
  virtual ~row_source() = default;
  virtual std::optional<run_row> find_run(core::run_id id) = 0;
  /// The newest of that id.
  virtual std::optional<message_row> find_message(core::session_id session, core::message_id id) = 0;
};

struct session_projection {
  core::session_record session;
  std::int64_t n = 0;             ///< its key in the tables that would be too large with ids as text
  std::int64_t message_rows = 0;  ///< message numbers given so far
  row_state state = row_state::fresh;
  bool lists_change = false;  ///< something that lists of sessions are ordered by has changed
  core::session_id forked_from;
  core::seq_t forked_at = 0;
  core::seq_t cleared_seq = 0;       ///< of the last history_cleared
  bool settings_change = false;      ///< metadata, the agent or `cleared_seq` has changed
  bool participants_change = false;  ///< session.participants are all of them; else they are not known here

  std::vector<run_row> runs;
  std::vector<message_row> messages;
  std::vector<call_row> calls;
  std::vector<approval_row> approvals;
  std::vector<usage_row> usage;
  std::vector<file_row> files;
  std::vector<reaction_row> reactions;  ///< changes, in order
  std::vector<feedback_row> feedback;   ///< changes, in order
  std::vector<alert_row> alerts;
  std::vector<output_row> outputs;
  std::vector<grant_row> grants;
  /// Of grants that are no longer here.
  struct late_revocation {
    core::grant_id grant;
    std::string by;
    core::millis at{0};
  };
  std::vector<late_revocation> late_revocations;
  /// Messages that are no longer here, whose run became known.
  struct late_message {
    core::message_id message;
    core::run_id run;
  };
  std::vector<late_message> late_messages;
  /// A clearing since the rows were written, and what it left of earlier messages.
  struct clearing {
    core::seq_t seq = 0;
    std::vector<core::message_id> kept;
    std::vector<core::run_id> kept_runs;
  };
  std::vector<clearing> clearings;

  /// `source` may be null: then everything is still here.
  void apply(const core::event& e, row_source* source);
  /// After the rows were written: keeps what a next event may change.
  void let_go_of_finished();
};

/// A JSON text as the log gives it back.
[[nodiscard]] std::string as_logged(const std::string& json_text);

}  // namespace troupe::storage
