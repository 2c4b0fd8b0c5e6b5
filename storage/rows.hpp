// Table rows from and to the structs of core/records.hpp and storage/projection.hpp. Inside storage/ only.
#pragma once

#include "storage/connection.hpp"
#include "storage/projection.hpp"

#include <string>
#include <vector>

namespace troupe::storage {

// What the `read` function of the same row takes, in its order. Macros, so that a query is one literal.
#define TROUPE_SESSION_COLUMNS                                                                                          \
  " id, project, agent, dialect, alias, owner, title, status, metadata, created_at_ms, updated_at_ms, last_seq,"        \
  " reserved_seq, message_count, prompt_tokens, cached_prompt_tokens, completion_tokens, cost_micro_usd, message_rows," \
  " forked_from, forked_at, cleared_seq, n, parent, parent_call, depth "
#define TROUPE_RUN_COLUMNS                                                                                   \
  " id, session, message, trace, agent, status, steps, error_code, error_text, queued_at_ms, started_at_ms," \
  " ended_at_ms, prompt_tokens, cached_prompt_tokens, completion_tokens, cost_micro_usd, provider, model,"   \
  " config_hash, first_seq, started_seq, ended_seq, queue_position, n "
#define TROUPE_MESSAGE_COLUMNS                                                                                  \
  " m.number, m.id, m.session, m.run, m.role, m.content, m.author, m.client_message_id, m.calls, m.cut, m.seq," \
  " m.created_at_ms, m.removed, m.author_name, m.attachments, m.options "
// Of a session and an id; a message that still matters is among the newest.
#define TROUPE_NEWEST_MESSAGE \
  "SELECT" TROUPE_MESSAGE_COLUMNS "FROM messages m WHERE m.session = ? AND m.id = ? ORDER BY m.number DESC LIMIT 1"
#define TROUPE_CALL_COLUMNS                                                                                          \
  " t.id, t.session, t.run, t.tool, t.input, t.ok, t.output, t.effect, t.ms, t.started_at_ms, t.ended_at_ms, t.seq," \
  " t.output_bytes, t.child, t.cost_micro_usd, t.allowed_by "
#define TROUPE_APPROVAL_COLUMNS                                                                                         \
  " id, project, agent, session, run, call, tool, action, kind, risk, decision, decided_by, note, created_at_ms,"       \
  " expires_at_ms, decided_at_ms, edited_input, choice, answer, arguments_hash, prompt, schema, deciders, endorsed_by," \
  " not_by, origin, origin_approval "
#define TROUPE_GRANT_COLUMNS                                                                                 \
  " id, scope, tool, conditions, expires_at_ms, given_by, approval, project, agent, session, created_at_ms," \
  " revoked_at_ms, revoked_by, seq "
#define TROUPE_SPAN_COLUMNS                                                                                    \
  " trace, session, run, kind, name, status, started_at_ms, ended_at_ms, prompt_tokens, cached_prompt_tokens," \
  " completion_tokens, cost_micro_usd "
#define TROUPE_FILE_COLUMNS " session, id, name, content_type, size, added_by, seq, created_at_ms "
#define TROUPE_EVENT_COLUMNS " first_seq, last_seq, at_ms, kind, payload "

[[nodiscard]] session_projection read_session(cursor& c);
[[nodiscard]] run_row read_run(cursor& c);
[[nodiscard]] message_row read_message(cursor& c);
[[nodiscard]] call_row read_call(cursor& c);
[[nodiscard]] approval_row read_approval(cursor& c);
/// Without its bytes.
[[nodiscard]] file_row read_file(cursor& c);
[[nodiscard]] grant_row read_grant(cursor& c);
[[nodiscard]] core::span_record read_span(cursor& c);
/// A payload that cannot be read is an error that names the seq.
/// `bytes`: of its payload on disk.
[[nodiscard]] core::result<core::event> read_event(cursor& c, std::size_t* bytes = nullptr);

[[nodiscard]] std::string calls_to_text(const std::vector<core::tool_call>& calls);
[[nodiscard]] std::string attachments_to_text(const std::vector<core::attachment>& attachments);
[[nodiscard]] std::string names_to_text(const std::vector<std::string>& names);
[[nodiscard]] std::string hash_text(std::uint64_t hash);
/// YYYY-MM-DD, UTC.
[[nodiscard]] std::string day_of(core::millis at);

}  // namespace troupe::storage
