// Read this first: every actor of the system, what it is for and what it answers.
//
//   listener ──submit/attach/ask──▶ directory ──▶ session ──▶ agent_loop ──▶ provider
//      ▲                              │  ▲           │  ▲          ├──▶ tool_invocation
//      └── event_sink ◀───────────────┼──┼───────────┘  └──────────┴──▶ approval
//                                  reader └── persistence (SQLite)
//
// A client's command goes down; facts come back up to the session, which alone numbers them, has persistence store
// them, and shows them to its sinks. Errors are core::errc (actors/messages.hpp: to_caf, from_caf).
#pragma once

#include "actors/messages.hpp"

#include <caf/all.hpp>

namespace troupe::actors {

/// One conversation: owns its log's next seq, its sinks, its queue of messages and its current run.
using session_actor = caf::typed_actor<
    // command → reply | NOT_FOUND (also: may not be seen), AUTH_FAILED, FORBIDDEN, BUSY, QUEUE_FULL, SESSION_CLOSED,
    // APPROVAL_NOT_PENDING, VALIDATION_ERROR, PAYLOAD_TOO_LARGE, STORAGE_UNAVAILABLE
    caf::replies_to<submit>::with<core::command_reply>,
    // sink → snapshot | NOT_FOUND
    caf::replies_to<attach>::with<attached>, caf::reacts_to<detach>, caf::reacts_to<announce>,
    // after, upto → events | STORAGE_UNAVAILABLE
    caf::replies_to<read_events>::with<event_page>,
    // facts of the run → once they are on disk | STORAGE_UNAVAILABLE
    caf::replies_to<record>::with<recorded>,
    // text of the current step: shown at once, stored within 100 ms
    caf::reacts_to<stream_text>, caf::reacts_to<finish_run>,
    // itself, and what it hears of storage
    caf::reacts_to<loaded_session>, caf::reacts_to<flush_tick>, caf::reacts_to<idle_tick>>;

/// One run: model → tool calls → (approvals) → model … → end. Lives as long as the run.
using agent_loop_actor =
    caf::typed_actor<caf::reacts_to<model_delivery>, caf::reacts_to<tool_output>, caf::reacts_to<tool_question>,
                     caf::reacts_to<tool_outcome>, caf::reacts_to<approval_outcome>, caf::reacts_to<stop_run>,
                     caf::reacts_to<tools_ready>>;

/// One tool call: runs the tool with its time limit, tells the loop what it says, asks and gives. A stop_run cancels it.
/// A `delegation` is one too: its tool is another agent, in a session of its own.
using tool_invocation_actor =
    caf::typed_actor<caf::reacts_to<tool_output>, caf::reacts_to<tool_question>, caf::reacts_to<tool_answer>,
                     caf::reacts_to<tool_outcome>, caf::reacts_to<timeout_tick>, caf::reacts_to<stop_run>>;

/// One question to a person while it is open. The first decision wins; expiry is checked at decision time.
using approval_actor = caf::typed_actor<
    // decision → the winning one (maybe an earlier one), after it is on disk
    caf::replies_to<decide>::with<core::command_reply>, caf::reacts_to<expiry_tick>>;

/// One model call for the title of a session, where its agent is configured so. Ends with its answer.
using title_actor = caf::typed_actor<
    // → the title, or none, with what the call has used
    caf::replies_to<write_title>::with<written_title>, caf::reacts_to<model_delivery>, caf::reacts_to<timeout_tick>>;

/// One configured model API: concurrency limit, fair queue, retries, circuit breaker. Streams go straight to the loop.
using provider_actor =
    caf::typed_actor<caf::reacts_to<start_model>, caf::reacts_to<cancel_model>, caf::reacts_to<model_call_answers>,
                     caf::reacts_to<model_call_ended>, caf::reacts_to<retry_tick>>;

/// Every session of the process by id: wakes sessions on demand, keeps the sinks of sleeping ones.
using directory_actor = caf::typed_actor<
    // to the session, woken if need be | its errors, SHUTTING_DOWN
    caf::replies_to<submit>::with<core::command_reply>, caf::replies_to<attach>::with<attached>,
    caf::replies_to<read_events>::with<event_page>, caf::reacts_to<detach>, caf::reacts_to<announce>,
    // a session that has nothing to do leaves
    caf::replies_to<retire>::with<retired>,
    // wakes it so that its run goes on
    caf::reacts_to<load_session>>;

/// The single writer. Everything that waits is one transaction; answers follow its commit.
using persistence_actor = caf::typed_actor<
    // events → after the commit | STORAGE_UNAVAILABLE
    caf::replies_to<append>::with<committed>,
    // a version of an agent → once it is on disk | VERSION_CONFLICT, STORAGE_UNAVAILABLE
    caf::replies_to<store_agent>::with<agent_stored>, caf::reacts_to<commit_tick>>;

/// Answers from its own read-only connection; several of them share the work.
using reader_actor =
    caf::typed_actor<caf::replies_to<load_session>::with<loaded_session>, caf::replies_to<load_history>::with<event_page>,
                     caf::replies_to<read_events>::with<event_page>,
                     // | NOT_FOUND
                     caf::replies_to<ask>::with<core::answer>>;

/// The transport's way in: turns calls from the io thread into requests and hands the replies back.
using listener_actor =
    caf::typed_actor<caf::reacts_to<submit, reply_to<core::command_reply>>, caf::reacts_to<attach, reply_to<attached>>,
                     caf::reacts_to<read_events, reply_to<event_page>>, caf::reacts_to<ask, reply_to<core::answer>>,
                     caf::reacts_to<store_agent, reply_to<agent_stored>>, caf::reacts_to<detach>, caf::reacts_to<announce>>;

}  // namespace troupe::actors
