// The one SQLite file: opened once per process for writing (locked), any number of times for reading. `journal` is what
// the persistence actor writes through; `queries` is what the reader actors answer from. Schema: docs/storage.md.
#pragma once

#include "core/config.hpp"
#include "core/error.hpp"
#include "core/event.hpp"
#include "core/query.hpp"
#include "core/records.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace troupe::storage {

/// Consecutive events of one session, and with them, where asked, a new high-water mark of seqs that may be shown.
struct append {
  core::event_batch_ptr batch;
  std::optional<core::seq_t> reserve;  ///< nothing above it may be shown; lowers it only where the batch is empty
};

/// The single writer. One thread at a time.
class journal {
 public:
  virtual ~journal() = default;
  /// Everything in one transaction, with all projections. On an error nothing of it is stored: `storage_unavailable` may
  /// be tried again (disk full, busy); `internal_error` means that what is on disk is unknown and the process must stop.
  [[nodiscard]] virtual core::result<void> commit(std::span<const append> appends) = 0;
  /// The next version of an agent, durable when this returns. A `version_conflict` where another has its number already.
  [[nodiscard]] virtual core::result<void> store_agent(const core::agent_version_record& version) = 0;
};

struct approval_filter {
  std::optional<std::string> status;  ///< pending, approved, denied or expired
  std::optional<core::project_id> project;
  std::optional<core::session_id> session;
  std::optional<std::string> visible_to{};  ///< of sessions that this principal owns or takes part in
  std::optional<core::agent_id> agent{};
  std::optional<std::string> tool{};
  std::optional<core::approval_kind> kind{};
  std::optional<std::string> risk{};
  std::optional<std::string> decided_by{};
  core::millis since{0};  ///< asked at or after
};

struct grant_filter {
  std::optional<core::project_id> project;
  std::optional<std::string> visible_to{};  ///< given in sessions that this principal owns or takes part in
  bool all = false;                         ///< also those that do not hold at `now`
  core::millis now{0};
};

/// One part of an output is at most this long, whatever is asked for.
inline constexpr std::int64_t max_output_part = 1 << 20;

struct trace_filter {
  std::optional<core::project_id> project;
  std::optional<core::session_id> session;
  std::optional<std::string> visible_to{};
};

struct alert_filter {
  core::project_id project;
  std::optional<std::string> visible_to{};  ///< of sessions that this principal owns or takes part in
};

struct session_filter {
  std::optional<core::project_id> project;
  std::optional<std::string> dialect;
  std::optional<std::string> owner;
  /// Part of a title, or of a message of one of the sessions used last (`max_searched`); ASCII letters in either case.
  std::string text;
  std::optional<core::session_status> status{};
  std::optional<std::string> visible_to{};  ///< owner or participant
  core::millis updated_since{0};
  bool with_children = false;  ///< sessions of sub-agents too
};
/// How many sessions, and how many messages of each, a search reads. Longer texts than `max_search_bytes` are in none.
inline constexpr int max_searched = 1'000;
inline constexpr std::size_t max_search_bytes = 1'000;

/// What an agent spent on one UTC day.
struct agent_day {
  core::project_id project;
  core::agent_id agent;
  core::millis day{0};  ///< its beginning
  core::micro_usd cost;
};

/// A read-only connection. One thread at a time. What cannot be read (a failing disk, a damaged file) throws
/// core::bad_result: an empty answer would be taken for the truth.
class queries {
 public:
  virtual ~queries() = default;

  [[nodiscard]] virtual std::optional<core::session_record> session(core::session_id id) = 0;
  /// Last used first; deleted ones are left out.
  [[nodiscard]] virtual core::page<core::session_record> sessions(const session_filter& filter, core::window w) = 0;
  /// What an actor needs to wake the session; cost does not depend on the length of the history.
  [[nodiscard]] virtual std::optional<core::session_state> session_state(core::session_id id) = 0;
  /// Sessions with a run that is queued, running or parked.
  [[nodiscard]] virtual std::vector<core::session_id> sessions_in_flight() = 0;

  /// Events with seq in (after, upto], oldest first, at most `limit` rows; a first row that begins at or before `after`
  /// comes as its tail (core::tail_after), a last row that ends above `upto` is left out.
  [[nodiscard]] virtual std::vector<core::event> events(core::session_id id, core::seq_t after, core::seq_t upto,
                                                        std::size_t limit) = 0;
  /// All of them after `after`, one by one with the bytes that each has in the log, until `take` says no: who reads a long log
  /// decides how much of it is in memory. `take` asks nothing of this connection.
  using event_taker = std::function<bool(core::event, std::size_t)>;
  virtual void each_event(core::session_id id, core::seq_t after, const event_taker& take) = 0;
  /// The last run_started (or, none, session_created) at or before `seq`: where a reader must begin to know the run it is
  /// in. 0 when there is none.
  [[nodiscard]] virtual core::seq_t run_start_before(core::session_id id, core::seq_t seq) = 0;
  /// The session that a client means by its UUID, by the first 24 hex digits of it, or by its own name for it in the
  /// dialect `conversation` of that project. Deleted ones are found too.
  [[nodiscard]] virtual std::optional<core::session_id> resolve(const core::project_id& project, const std::string& text) = 0;
  /// The events the history fold reads (messages, runs, tool results), in order, without deltas.
  [[nodiscard]] virtual std::vector<core::event> history_events(core::session_id id, core::seq_t upto) = 0;

  /// Oldest first; messages taken out of the queue or cleared are left out.
  [[nodiscard]] virtual core::page<core::message_record> messages(core::session_id id, core::window w) = 0;
  [[nodiscard]] virtual std::optional<core::file_record> file(core::session_id id, core::file_id file) = 0;
  /// In the order they were added, without their bytes.
  [[nodiscard]] virtual std::vector<core::file_record> files(core::session_id id) = 0;
  /// Those after the last clearing.
  [[nodiscard]] virtual std::vector<core::tool_call_record> tool_calls(core::session_id id) = 0;
  /// Newest first.
  [[nodiscard]] virtual core::page<core::run_record> runs(core::session_id id, core::window w) = 0;
  [[nodiscard]] virtual std::optional<core::run_record> run(core::run_id id) = 0;
  [[nodiscard]] virtual std::optional<core::message_record> message(core::session_id session, core::message_id id) = 0;
  /// The message a client sent before under this id in this session, with its run.
  [[nodiscard]] virtual std::optional<core::message_record> message_by_client_id(core::session_id id,
                                                                                 const std::string& client_message_id) = 0;
  [[nodiscard]] virtual std::optional<core::approval_record> approval(core::approval_id id) = 0;
  /// What waits comes first, each part newest first. What a session only shows for a sub-agent's session is in lists of
  /// that one session only.
  [[nodiscard]] virtual core::page<core::approval_record> approvals(const approval_filter& filter, core::window w) = 0;
  [[nodiscard]] virtual std::optional<core::grant_record> grant(core::grant_id id) = 0;
  /// Newest first.
  [[nodiscard]] virtual core::page<core::grant_record> grants(const grant_filter& filter, core::window w) = 0;
  /// Of all projects, those that hold at `now`, oldest first: what the registry of grants begins with.
  [[nodiscard]] virtual std::vector<core::grant_record> grants_in_force(core::millis now) = 0;
  /// At most `limit` bytes of the output of the latest call of that id that has one, from `offset` on: whole characters, so
  /// that an offset within one moves to its start, and a limit below 4 counts as 4. Beyond the end there is no text. Only
  /// this part is read. Nothing where there is no such call, or none after the last clearing.
  [[nodiscard]] virtual std::optional<core::tool_output_part> tool_output(core::session_id session,
                                                                          const core::tool_call_id& call, std::int64_t offset,
                                                                          std::int64_t limit) = 0;
  /// Sessions of its sub-agents, in the order they were made, without those deleted.
  [[nodiscard]] virtual std::vector<core::session_record> children(core::session_id id) = 0;
  /// Runs first, then by start.
  [[nodiscard]] virtual std::vector<core::span_record> spans(core::trace_id trace) = 0;
  /// Root spans (kind run), newest first.
  [[nodiscard]] virtual core::page<core::span_record> traces(const trace_filter& filter, core::window w) = 0;
  /// Per UTC day from the day of `since` on, oldest first.
  [[nodiscard]] virtual std::vector<core::usage_day> usage_by_day(const core::project_id& project, core::millis since) = 0;
  /// Over the same days, dearest first.
  [[nodiscard]] virtual core::page<core::usage_share> usage_by(const core::project_id& project, core::millis since,
                                                               core::usage_key key, core::window w) = 0;
  /// Alerts of budgets, newest first.
  [[nodiscard]] virtual core::page<core::alert_record> alerts(const alert_filter& filter, core::window w) = 0;
  /// Newest first, without their definitions.
  [[nodiscard]] virtual core::page<core::agent_version_record> agent_versions(const core::project_id& project,
                                                                              const core::agent_id& agent, core::window w) = 0;
  [[nodiscard]] virtual std::optional<core::agent_version_record> agent_version(const core::project_id& project,
                                                                                const core::agent_id& agent,
                                                                                std::uint32_t version) = 0;
  /// The newest version that was read as a configuration of this hash, which runs know it by; deletions are not found.
  [[nodiscard]] virtual std::optional<core::agent_version_record> agent_version_of(const core::project_id& project,
                                                                                   const core::agent_id& agent,
                                                                                   std::uint64_t hash) = 0;
  /// Of every agent that was ever stored, by project and id: what the catalogue begins with.
  [[nodiscard]] virtual std::vector<core::agent_version_record> newest_agent_versions() = 0;
  /// Of all projects, from the UTC day of `since` on: what a ledger of budgets begins with.
  [[nodiscard]] virtual std::vector<agent_day> usage_since(core::millis since) = 0;
};

class store {
 public:
  virtual ~store() = default;
  [[nodiscard]] virtual journal& writer() = 0;
  [[nodiscard]] virtual core::result<std::unique_ptr<queries>> open_queries() = 0;

  /// Opens or makes `<config.data>/troupe.db`, brings its schema up to date and takes the folder's lock. Errors name the
  /// folder, the cause (unreadable, read-only, in use by another process, newer schema, not a database) and the remedy.
  [[nodiscard]] static core::result<std::unique_ptr<store>> open(const core::storage_config& config);
  /// The same schema in memory, for replay and tests. Its queries share the writer's connection: one thread.
  [[nodiscard]] static core::result<std::unique_ptr<store>> open_in_memory();
};

/// Queries of `<data>/troupe.db` while a server may be writing it. Nothing is changed, also no older schema.
[[nodiscard]] core::result<std::unique_ptr<queries>> open_for_reading(const std::string& data);

struct finding {
  std::string subject;  ///< e.g. `session 0190…`
  std::string text;
};

struct check_report {
  std::int64_t sessions = 0;
  std::int64_t events = 0;
  std::vector<finding> findings;
};

/// Verifies `troupe.db` in `data` without changing it: SQLite's own integrity, foreign keys, gap-free seqs (up to each
/// session's last), a result for every tool call of completed runs, sums of usage equal to the totals of runs and sessions,
/// valid histories, projections equal to a fold of the log, files and long outputs as long as they say, versions of agents
/// without gaps and readable.
[[nodiscard]] core::result<check_report> check(const std::string& data);

}  // namespace troupe::storage
