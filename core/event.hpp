// The facts of a session's log (DESIGN §5). Everything a client sees and everything that is stored is a projection of
// these. Plain values; a batch is immutable once published and shared between threads.
#pragma once

#include "core/error.hpp"
#include "core/ids.hpp"
#include "core/money.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace troupe::core {

/// Milliseconds since the Unix epoch, UTC.
using millis = std::chrono::duration<std::int64_t, std::milli>;

enum class role : std::uint8_t { system, user, assistant, tool };
enum class effect : std::uint8_t { read_only, idempotent, once };
enum class approval_kind : std::uint8_t { tool, outcome_unknown, input };
enum class decision : std::uint8_t { approved, denied, expired };
enum class session_status : std::uint8_t { active, paused, closed, deleted };
enum class finish_reason : std::uint8_t { stop, length, tool_calls, content_filter };
enum class rating : std::uint8_t { none, up, down };

/// A model's request for one tool. `arguments` is the text the model sent: possibly not JSON at all.
struct tool_call {
  tool_call_id id;
  std::string tool;
  std::string arguments;

  bool operator==(const tool_call&) const = default;
};

/// Streamed text, cut as it came: piece i has `lengths[i]` bytes of `text`; the lengths add up to its size.
struct text_pieces {
  std::string text;
  std::vector<std::uint32_t> lengths;

  bool operator==(const text_pieces&) const = default;
  [[nodiscard]] bool empty() const noexcept { return lengths.empty(); }
  void add(std::string_view piece) {
    text.append(piece);
    lengths.push_back(static_cast<std::uint32_t>(piece.size()));
  }
  void add(const text_pieces& more) {
    text.append(more.text);
    lengths.insert(lengths.end(), more.lengths.begin(), more.lengths.end());
  }
  /// Removes the first `n` pieces (all of them when there are fewer).
  void drop_front(std::size_t n);
  /// Keeps the first `n` pieces.
  void keep_front(std::size_t n);
};

/// A file of the session that a message brings.
struct attachment {
  file_id file;
  std::string name;
  std::string content_type;
  std::int64_t size = 0;

  bool operator==(const attachment&) const = default;
};

// ---- kinds, in the order of DESIGN §5; each struct's name is the kind's name ----

struct session_created {
  project_id project;
  agent_id agent;
  std::string dialect;
  std::string alias;         ///< the id the client knows the session by in that dialect; may be empty
  std::string owner;         ///< principal; empty with auth off
  std::string metadata;      ///< JSON text of an object, or empty
  session_id forked_from{};  ///< nil: begun empty
  seq_t forked_at = 0;       ///< the last seq of that session it took over
  session_id parent{};       ///< nil: a person's; else the session whose agent delegated to this one
  tool_call_id parent_call{};
  std::uint32_t depth = 0;  ///< of sub-agents: 0 for a person's session
};

struct message_added {
  message_id message;
  core::role role = role::user;
  std::string content;
  std::string author;  ///< principal, or empty
  std::string client_message_id;
  std::string author_name{};  ///< as shown to others
  std::vector<attachment> attachments{};
  std::string options{};  ///< JSON text of message_options, or empty
};

struct run_queued {
  run_id run;
  message_id message;
  std::uint32_t position = 0;  ///< 1-based
};

struct run_started {
  run_id run;
  message_id message;  ///< the user message this run answers
  message_id reply;    ///< the assistant message of its first step
  trace_id trace;
  agent_id agent;
  std::uint64_t config_hash = 0;
  millis queued_at{0};
  std::string question{};  ///< that message's text; not stored with the event: who reads the log adds it
};

struct step_started {
  run_id run;
  std::uint32_t step = 0;  ///< 1-based
  message_id message;      ///< the assistant message this step writes
  std::string provider;
  std::string model;
};

/// Each piece has its own seq: an event of n pieces spans `first … seq` with n = seq - first + 1.
struct text_delta {
  message_id message;
  text_pieces pieces;
};

struct reasoning_delta {
  message_id message;
  text_pieces pieces;
};

/// Text of `message` from `from` on is void (it did not survive a crash); its step runs again. A nil message with a
/// span only accounts for seqs that a crash left unused.
struct message_superseded {
  message_id message;
  seq_t from = 0;
};

struct message_completed {
  run_id run;
  std::uint32_t step = 0;
  message_id message;
  std::string content;
  std::vector<tool_call> calls;
  finish_reason finish = finish_reason::stop;
  bool cut = false;  ///< the run was stopped or failed while this text streamed
};

struct tool_started {
  run_id run;
  tool_call_id call;
  std::string tool;
  std::string input;  ///< JSON text, or the model's text quoted as a JSON string where it is not JSON
  core::effect effect = effect::once;
  session_id child{};     ///< the session of the sub-agent that carries it out
  grant_id allowed_by{};  ///< a remembered approval, where one was needed
};

/// Output of a call while it runs, for people; the model reads the result. Not stored for ever: `tool_completed` has it all.
struct tool_progress {
  tool_call_id call;
  std::string text;
};

struct tool_completed {
  run_id run;
  tool_call_id call;
  std::string tool;
  bool ok = false;
  std::string output;  ///< what the model reads
  std::int64_t ms = 0;
  std::int64_t output_bytes = 0;  ///< of the whole output, where `output` is only its beginning; else 0
  token_usage child_tokens{};     ///< of the sub-agent that carried it out, counted in its session too
  micro_usd child_cost{};
  /// Only on its way to the disk: the table `tool_outputs` keeps the whole.
  std::shared_ptr<const std::string> whole_output{};
};

/// The process ended while a `once` call ran: whether it took effect is not known. A person decides (`approval_requested`).
struct tool_outcome_unknown {
  run_id run;
  tool_call_id call;
  std::string tool;
};

struct approval_requested {
  run_id run;
  approval_id approval;
  tool_call_id call;
  std::string tool;
  std::string action;  ///< JSON text: the arguments to be approved
  approval_kind kind = approval_kind::tool;
  std::string risk;
  millis expires_at{0};
  std::string arguments_hash{};  ///< SHA-256 of the exact arguments: what is approved is what is run
  std::string prompt{};          ///< kind `input`: what is asked
  std::string schema{};          ///< kind `input`: JSON Schema text of the answer
  std::uint32_t deciders = 1;    ///< so many different people must approve
  std::string not_by{};          ///< who may not decide: the principal whose message it serves; empty: anybody may
  session_id origin{};           ///< asked in this session of a sub-agent and shown here too; nil: asked here
  approval_id origin_approval{};
};

/// One of several people that must approve has done so.
struct approval_endorsed {
  run_id run;
  approval_id approval;
  tool_call_id call;
  std::string by;
  std::string note;
  std::string edited_input;      ///< JSON text, or empty
  std::string arguments_hash{};  ///< of what the next one is to approve
};

/// What a person (or the clock) said of a call whose outcome is not known.
enum class outcome_choice : std::uint8_t { none, retry, done, failed };

struct approval_decided {
  run_id run;
  approval_id approval;
  tool_call_id call;
  core::decision decision = decision::denied;
  std::string by;
  std::string note;
  std::string edited_input;  ///< JSON text, or empty
  outcome_choice choice = outcome_choice::none;
  std::string answer{};          ///< kind `input`: JSON text of the answer, or empty
  std::string arguments_hash{};  ///< of what may run: the edited arguments where they were edited
};

enum class grant_scope : std::uint8_t { session, agent, project };

/// A remembered approval: calls of `tool` whose arguments fit `when` need no question, as far as `scope` says, until it
/// expires.
struct grant_given {
  grant_id grant;
  grant_scope scope = grant_scope::session;
  std::string tool;
  std::string when;      ///< JSON text: a list of tests on the arguments (docs/approvals.md)
  millis expires_at{0};  ///< 0: never
  std::string by;
  approval_id approval;  ///< with whose decision it was given
};

struct grant_revoked {
  grant_id grant;
  std::string by;
};

/// Another agent goes on with the conversation, in the same run.
struct agent_changed {
  run_id run;
  agent_id agent;
  std::string note;  ///< from one agent to the other
};

/// Somebody asked for the end of the run; its `run_cancelled` follows, also after a crash in between.
struct run_stop_requested {
  run_id run;
  std::string by;
};

/// The step of a model call that belongs to none: it wrote the session's title, after the end of the run.
inline constexpr std::uint32_t title_step = 0;

struct usage_recorded {
  run_id run;
  std::uint32_t step = 0;
  std::string provider;
  std::string model;
  token_usage tokens;
  micro_usd cost;
  bool estimated = false;  ///< the upstream sent no usage, or the call was given up before its end
  millis started_at{0};
  millis first_delta_at{0};  ///< 0: no text came
  std::uint32_t attempts = 1;
};

struct cost_alert {
  std::string scope;  ///< session, agent, project or user
  micro_usd spend;
  micro_usd budget;
  std::int32_t percent = 0;
};

struct run_completed {
  run_id run;
  message_id message;  ///< the last assistant message
  trace_id trace;
  token_usage tokens;  ///< summed over the run
  micro_usd cost;
  std::uint32_t steps = 0;
};

struct run_failed {
  run_id run;
  errc code = errc::internal_error;
  std::string text;
  std::uint32_t steps = 0;
};

struct run_cancelled {
  run_id run;
  std::string by;
  bool text_kept = false;
};

struct run_dequeued {
  run_id run;
  message_id message;
};

struct session_updated {
  session_status status = session_status::active;
  std::string title;                                       ///< empty: as it was
  std::optional<std::vector<std::string>> participants{};  ///< absent: as they were
  std::string metadata{};                                  ///< JSON text; empty: as it was
};

/// The text of a message that still waits in the queue.
struct message_edited {
  message_id message;
  std::string content;
};

/// The order of the queue, first to run first.
struct queue_reordered {
  std::vector<message_id> messages;
};

struct reaction_changed {
  message_id message;
  std::string emoji;
  bool added = true;
  std::string by;  ///< principal
  std::string by_name;
};

/// What somebody thinks of an answer, in the place of what the same person said of it before.
struct message_feedback {
  message_id message;
  core::rating rating = rating::none;  ///< none: taken back
  std::string note;
  std::string by;  ///< principal
};

struct file_added {
  attachment file;
  std::string by;
  /// Only on its way to the disk: the log keeps what is above, the table `files` keeps the bytes.
  std::shared_ptr<const std::string> data{};
};

/// From here on the model reads `summary` in the place of the first `replaced` messages of its history, whole exchanges before
/// the current run's. The log still holds them, and people still read them.
struct history_compacted {
  run_id run;
  std::uint32_t replaced = 0;
  std::string summary;
};

/// All messages so far are gone for the model and for readers.
struct history_cleared {
  std::string by;
};

struct session_closed {};

// Transient: seq 0, never stored.
struct typing_changed {
  std::string user_id;
  std::string username;
  bool is_typing = false;
  std::uint64_t origin = 0;  ///< the connection that said it, which does not hear it
};

/// Who is there, after somebody came or went. Several connections of one user are one entry of `users`.
struct presence_changed {
  struct user {
    std::string id;
    std::string name;
    bool operator==(const user&) const = default;
  };
  enum class what : std::uint8_t { joined, left };
  std::vector<user> users;
  user who;
  what change = what::joined;
  std::uint64_t origin = 0;  ///< the connection that came or went, which does not hear it
};

using event_payload =
    std::variant<session_created, message_added, run_queued, run_started, step_started, text_delta, reasoning_delta,
                 message_superseded, message_completed, tool_started, tool_progress, tool_completed, tool_outcome_unknown,
                 approval_requested, approval_decided, usage_recorded, cost_alert, run_completed, run_failed, run_cancelled,
                 run_dequeued, session_updated, session_closed, message_edited, queue_reordered, reaction_changed, file_added,
                 history_cleared, history_compacted, approval_endorsed, grant_given, grant_revoked, agent_changed,
                 run_stop_requested, message_feedback, typing_changed, presence_changed>;

/// The kind's name, e.g. `text_delta`.
[[nodiscard]] std::string_view kind_of(const event_payload& payload) noexcept;

struct event {
  seq_t first = 0;  ///< equals `seq` except where one event spans several seqs
  seq_t seq = 0;
  millis at{0};
  event_payload payload;

  [[nodiscard]] bool is_transient() const noexcept { return seq == 0; }
  template <class T>
  [[nodiscard]] const T* as() const noexcept {
    return std::get_if<T>(&payload);
  }
};

/// Consecutive events of one session; stored events are in seq order without gaps.
struct event_batch {
  session_id session;
  std::vector<event> events;
};
using event_batch_ptr = std::shared_ptr<const event_batch>;

/// What must be on disk before anyone sees it (DESIGN §5 rule 2). Text may be lost: its step, which is known, runs again.
[[nodiscard]] bool is_durable_before_visible(const event_payload& payload) noexcept;

/// The part of a spanning event after `seq`; the event itself must end after `seq`.
[[nodiscard]] event tail_after(const event& e, seq_t seq);
/// The other part, up to and including `seq`; the event itself must begin at or before `seq`.
[[nodiscard]] event head_upto(const event& e, seq_t seq);

/// Enum values as they are stored and sent. `*_from` give nothing for unknown text.
[[nodiscard]] std::string_view to_string(role v) noexcept;
[[nodiscard]] std::string_view to_string(effect v) noexcept;
[[nodiscard]] std::string_view to_string(approval_kind v) noexcept;
[[nodiscard]] std::string_view to_string(decision v) noexcept;
[[nodiscard]] std::string_view to_string(session_status v) noexcept;
[[nodiscard]] std::string_view to_string(finish_reason v) noexcept;
[[nodiscard]] std::string_view to_string(rating v) noexcept;
[[nodiscard]] std::string_view to_string(outcome_choice v) noexcept;
[[nodiscard]] std::string_view to_string(grant_scope v) noexcept;
[[nodiscard]] std::optional<role> role_from(std::string_view text) noexcept;
[[nodiscard]] std::optional<effect> effect_from(std::string_view text) noexcept;
[[nodiscard]] std::optional<approval_kind> approval_kind_from(std::string_view text) noexcept;
[[nodiscard]] std::optional<decision> decision_from(std::string_view text) noexcept;
[[nodiscard]] std::optional<session_status> session_status_from(std::string_view text) noexcept;
[[nodiscard]] std::optional<finish_reason> finish_reason_from(std::string_view text) noexcept;
[[nodiscard]] std::optional<rating> rating_from(std::string_view text) noexcept;
[[nodiscard]] std::optional<outcome_choice> outcome_choice_from(std::string_view text) noexcept;
[[nodiscard]] std::optional<grant_scope> grant_scope_from(std::string_view text) noexcept;

}  // namespace troupe::core
