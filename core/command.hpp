// What clients ask of a session. Decoders of every dialect produce these; the session actor answers each with a
// `command_reply` or an error. Plain values.
#pragma once

#include "core/error.hpp"
#include "core/event.hpp"
#include "core/ids.hpp"

#include <optional>
#include <string>
#include <variant>

namespace troupe::core {

/// What happens to a message that arrives while a run is going on (DESIGN §7).
enum class busy_policy : std::uint8_t { queue, reject, interrupt, steer, merge };
[[nodiscard]] std::string_view to_string(busy_policy v) noexcept;
[[nodiscard]] std::optional<busy_policy> busy_policy_from(std::string_view text) noexcept;

/// Who asks. An empty id is the anonymous owner of a server without auth.
struct principal {
  std::string id;
  std::string name;
};

/// Creates the session when it does not exist; otherwise changes nothing.
struct open_session {
  project_id project;
  agent_id agent;
  std::string dialect;
  std::string alias;
  std::string metadata;  ///< JSON text of an object, or empty
};

struct send_message {
  std::string content;
  std::string client_message_id;  ///< a repeat of a known one starts nothing and gets the first reply
  std::optional<busy_policy> on_busy;
};

struct decide_approval {
  approval_id approval;  ///< nil: the one for `call`, and if that is empty too, the oldest open one
  tool_call_id call;
  bool approved = false;
  std::string note;
  std::string edited_input;  ///< JSON text, or empty
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

struct set_typing {
  bool is_typing = false;
};

using command =
    std::variant<open_session, send_message, decide_approval, cancel_run, dequeue_message, change_status, set_typing>;

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
  bool won = false;  ///< false: it was settled before; the other fields tell the winner
};
struct done {};

using command_reply = std::variant<done, session_opened, message_accepted, approval_settled>;

}  // namespace troupe::core
