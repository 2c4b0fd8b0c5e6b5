// Every message that actors exchange, and CAF's type ids for them. Commands are imperative, facts are in the past.
// Payloads that must not be copied travel as shared immutable pointers.
#pragma once

#include "actors/event_sink.hpp"
#include "actors/session_view.hpp"
#include "core/command.hpp"
#include "core/config.hpp"
#include "core/event.hpp"
#include "core/history.hpp"
#include "core/query.hpp"
#include "core/records.hpp"
#include "providers/provider.hpp"
#include "storage/store.hpp"
#include "tools/tool.hpp"

#include <caf/all.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe::actors {

// ---- clients to sessions ----

/// One command for one session, wherever it is.
struct submit {
  core::session_id session;
  core::principal by;
  core::command command;
};

/// From now on `sink` gets every event of the session.
struct attach {
  core::session_id session;
  event_sink_ptr sink;
  bool must_exist = true;  ///< false: a session that will be created by its first message is fine
};

struct detach {
  core::session_id session;
  event_sink_ptr sink;
};

/// A page of the log, deltas that are not stored yet included (they are stored first).
struct read_events {
  core::session_id session;
  core::seq_t after = 0;
  core::seq_t upto = 0;
  std::uint32_t limit = 1000;
};

/// Transient: to the session's other clients, not stored.
struct announce {
  core::session_id session;
  core::event_payload payload;
};

// ---- inside a session ----

/// The agent loop's, an approval's or a tool's facts. The session gives them their seqs.
struct record {
  std::vector<core::event_payload> payloads;
};
/// The facts are on disk.
struct recorded {};

struct stream_text {
  core::message_id message;
  core::text_pieces text;
  core::text_pieces reasoning;
};

/// The loop is over; its last facts and the history it was lent come with it.
struct finish_run {
  core::run_id run;
  std::vector<core::event_payload> payloads;
  core::history history;
  std::uint32_t model_calls = 0;  ///< of the session so far
};

struct stop_run {
  std::string by;
};

struct decide {
  core::decide_approval what;
  core::principal by;
};

/// From the approval to its loop, after it is on disk.
struct approval_outcome {
  core::approval_decided what;
};

/// From a tool invocation to its loop: the end.
struct tool_outcome {
  core::tool_call_id call;
  bool ok = false;
  std::string output;
  std::int64_t ms = 0;
  std::vector<tools::tool_file> files{};
  core::token_usage child_tokens{};  ///< of a sub-agent
  core::micro_usd child_cost{};
};
/// … output as it comes, for people.
struct tool_output {
  core::tool_call_id call;
  std::string text;
};
/// … a question to a person, while it waits (its time limit stands still). `origin` names where it was asked when a sub-agent
/// asks; then all but run, approval and call is as it was there.
struct tool_question {
  core::tool_call_id call;
  core::approval_requested what;
};
/// And what was said, to the invocation.
struct tool_answer {
  core::approval_decided what;
};

// ---- models ----

struct start_model {
  core::uuid call;
  std::shared_ptr<const providers::model_request> request;
  caf::strong_actor_ptr loop;
};
struct cancel_model {
  core::uuid call;
};
/// Part of a stream, to the loop that asked for it.
struct model_delivery {
  core::uuid call;
  providers::model_output output;
  std::uint32_t attempt = 1;
};

/// The title of a session that has its first answer.
struct write_title {};
struct written_title {
  std::string title;  ///< empty: the model gave none
  std::optional<core::usage_recorded> usage;
};

// ---- storage ----

struct append {
  storage::append what;
};
struct committed {};
struct load_session {
  core::session_id session;
};
struct load_history {
  core::session_id session;
  core::seq_t upto = 0;
};
struct loaded_session {
  std::optional<core::session_state> state;
};
struct ask {
  core::query query;
};
/// The next version of an agent made over REST.
struct store_agent {
  core::agent_version_record what;
};
/// It is on disk.
struct agent_stored {};

// ---- lifetimes ----

/// A session leaves: the directory keeps its sinks and forgets the actor.
struct retire {
  core::session_id session;
  std::vector<event_sink_ptr> sinks;
  bool wake_again = false;  ///< start it again from its log
  bool broke = false;       ///< by itself, not for want of storage: counts towards quarantine
};
struct retired {};

/// Where a listener puts a reply: a function that any thread may call once.
template <class T>
struct reply_to {
  std::shared_ptr<const std::function<void(core::result<T>)>> done;
};

// ---- self messages ----

/// The loop's tools are known, or given up.
struct tools_ready {};
struct flush_tick {};
struct idle_tick {};
struct expiry_tick {};
struct timeout_tick {};
struct commit_tick {};
struct retry_tick {
  core::uuid call;
};
/// An adapter's stream ended. `failed` speaks of the upstream's health: it might have answered at another time.
struct model_call_ended {
  core::uuid call;
  bool failed = false;
  std::string error;
  std::optional<providers::model_end> untold;  ///< the loop has not heard it: the upstream may be asked again
};
/// The call that tries an ailing upstream has its first output.
struct model_call_answers {
  core::uuid call;
};

/// core errors travel as CAF errors and come back whole.
[[nodiscard]] caf::error to_caf(const core::error& e);
[[nodiscard]] core::error from_caf(const caf::error& e);

}  // namespace troupe::actors

// Messages stay in this process: the types need no serialisation until sessions live on several nodes (DESIGN §14).
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::submit)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::attach)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::attached)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::detach)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::read_events)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::event_page)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::announce)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::record)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::recorded)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::stream_text)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::finish_run)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::stop_run)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::decide)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::approval_outcome)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::tool_outcome)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::tool_output)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::tool_question)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::tool_answer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::start_model)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::cancel_model)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::model_delivery)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::write_title)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::written_title)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::append)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::committed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::load_session)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::load_history)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::loaded_session)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::ask)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::store_agent)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::agent_stored)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::retire)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::retired)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::tools_ready)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::flush_tick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::idle_tick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::expiry_tick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::timeout_tick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::commit_tick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::retry_tick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::model_call_ended)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::model_call_answers)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::core::command_reply)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::core::answer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::reply_to<troupe::core::command_reply>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::reply_to<troupe::core::answer>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::reply_to<troupe::actors::agent_stored>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::reply_to<troupe::actors::attached>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::reply_to<troupe::actors::event_page>)
