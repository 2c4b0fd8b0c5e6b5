// What clients ask of a session. Decoders of every dialect produce these; the session actor answers each with a
// `command_reply` or an error. Plain values.
#pragma once

#include "core/access.hpp"
#include "core/error.hpp"
#include "core/event.hpp"
#include "core/ids.hpp"

#include <array>
#include <optional>
#include <string>
#include <variant>

namespace troupe::core {

/// What happens to a message that arrives while a run is going on (DESIGN §7).
enum class busy_policy : std::uint8_t { queue, reject, interrupt, steer, merge };
[[nodiscard]] std::string_view to_string(busy_policy v) noexcept;
[[nodiscard]] std::optional<busy_policy> busy_policy_from(std::string_view text) noexcept;

/// What one message asks of the model, within the agent's limits.
struct message_options {
  std::optional<double> temperature;
  std::optional<std::uint32_t> max_output_tokens;
};
/// As JSON text `{"temperature":…,"max_output_tokens":…}`; nothing set is empty text.
[[nodiscard]] std::string to_text(const message_options& options);
/// The inverse; what cannot be read is nothing set.
[[nodiscard]] message_options message_options_from(std::string_view text);

/// What `dialect` of a session may be: the client protocols, and what opens the sessions of sub-agents.
inline constexpr std::array<const char*, 6> all_dialects{"nexus",       "conversation", "agent-stream",
                                                         "chat-events", "chat-room",    "delegate"};

/// Creates the session when it does not exist; otherwise changes nothing.
struct open_session {
  project_id project;
  agent_id agent;
  std::string dialect;
  std::string alias;
  std::string metadata;  ///< JSON text of an object, or empty
  std::string title{};
  std::string owner{};  ///< on whose behalf; only admins (and everybody where there is no auth) may name another
  session_id parent{};  ///< nil, but for sub-agents: whose work it does
  tool_call_id parent_call{};
  std::uint32_t depth = 0;
};

/// Makes this session, which must not exist, a copy of what `source` had said up to `at`: its whole exchanges that ended
/// there or before. Costs are not copied.
struct fork_session {
  session_id source;
  seq_t at = 0;
};

struct send_message {
  std::string content;
  std::string client_message_id;  ///< a repeat of a known one starts nothing and gets the first reply
  std::optional<busy_policy> on_busy;
  std::vector<file_id> attachments{};  ///< files of this session
  message_options options{};
};

/// What a person adds to an approval so that the question is not asked again.
struct remember_options {
  grant_scope scope = grant_scope::session;
  std::string when;                       ///< as in grant_given; empty: exactly these arguments, `[]`: any
  std::chrono::milliseconds lifetime{0};  ///< 0: for ever
};

struct decide_approval {
  approval_id approval;  ///< nil: the one for `call`, and if that is empty too, the oldest open one
  tool_call_id call;
  bool approved = false;
  std::string note;
  std::string edited_input;                      ///< JSON text, or empty
  outcome_choice choice = outcome_choice::none;  ///< for an unknown outcome; none: approved is retry, denied is failed
  std::string answer{};                          ///< for a question: JSON text of the answer
  std::optional<remember_options> remember{};
  std::string arguments_hash{};  ///< what the person looked at; empty: not compared
};

/// Takes back a remembered approval that was given in this session.
struct revoke_grant {
  grant_id grant;
};

struct cancel_run {
  run_id run;  ///< nil: the current one
};

struct dequeue_message {
  message_id message;
};

struct change_status {
  session_status status = session_status::active;
};

/// A message that still waits: new text, a new place, or both.
struct edit_queued {
  message_id message;
  std::optional<std::string> content;
  std::uint32_t position = 0;  ///< 1-based; 0: stays where it is
};

/// What is absent stays as it is.
struct update_session {
  std::optional<std::string> title;
  std::optional<std::vector<std::string>> participants;  ///< only the owner and admins may change them
  std::optional<std::string> metadata;
};

struct react {
  message_id message;
  std::string emoji;
  bool added = true;
};

/// Only answers are rated. The caller's own earlier word is replaced; `none` takes it back.
struct rate_message {
  message_id message;
  core::rating rating = rating::none;
  std::string note;
};

struct add_file {
  std::string name;
  std::string content_type;
  std::shared_ptr<const std::string> data;
};

/// Refused while a run is going on.
struct clear_history {};

using command =
    std::variant<open_session, fork_session, send_message, decide_approval, cancel_run, dequeue_message, edit_queued,
                 change_status, update_session, react, add_file, clear_history, revoke_grant, rate_message>;

struct session_opened {
  bool created = false;
};
struct message_accepted {
  run_id run;
  message_id message;
  std::uint32_t position = 0;  ///< 0: its run starts now; else its place in the queue
  bool repeated = false;       ///< the client had sent it before: nothing was started
};
struct approval_settled {
  approval_id approval;
  core::decision decision = decision::denied;
  std::string by;
  std::string note;
  bool won = false;         ///< false: it was settled before; the other fields tell the winner
  bool is_pending = false;  ///< yours counts, and another person must approve too
  outcome_choice choice = outcome_choice::none;
};
struct file_stored {
  attachment file;
};
struct done {};

using command_reply = std::variant<done, session_opened, message_accepted, approval_settled, file_stored>;

}  // namespace troupe::core
