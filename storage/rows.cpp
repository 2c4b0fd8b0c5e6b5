#include "storage/rows.hpp"

#include "core/event_json.hpp"

#include <charconv>
#include <chrono>
#include <cstdio>

namespace troupe::storage {

using namespace core;

namespace {

// A JSON array as an event holds it, so that one codec serves both.
std::string list_in(const event_payload& payload) {
  auto text = payload_to_text(payload);
  auto from = text.find('[');
  return text.substr(from, text.rfind(']') + 1 - from);
}

std::vector<tool_call> calls_from_text(const std::string& text) {
  if (text.empty()) return {};
  auto payload = payload_from_text("message_completed", "{\"calls\":" + text + "}");
  if (!payload) return {};
  return std::move(std::get<message_completed>(*payload).calls);
}

std::vector<attachment> attachments_from_text(const std::string& text) {
  if (text.empty()) return {};
  auto payload = payload_from_text("message_added", "{\"attachments\":" + text + "}");
  if (!payload) return {};
  return std::move(std::get<message_added>(*payload).attachments);
}

std::vector<std::string> names_from_text(const std::string& text) {
  if (text.empty()) return {};
  auto payload = payload_from_text("session_updated", "{\"participants\":" + text + "}");
  if (!payload) return {};
  return std::get<session_updated>(*payload).participants.value_or(std::vector<std::string>{});
}

}  // namespace

std::string calls_to_text(const std::vector<tool_call>& calls) {
  if (calls.empty()) return {};
  message_completed m;
  m.calls = calls;
  return list_in(m);
}

std::string attachments_to_text(const std::vector<attachment>& attachments) {
  if (attachments.empty()) return {};
  message_added m;
  m.attachments = attachments;
  return list_in(m);
}

std::string names_to_text(const std::vector<std::string>& names) {
  if (names.empty()) return {};
  session_updated u;
  u.participants = names;
  return list_in(u);
}

std::string hash_text(std::uint64_t hash) { return uuid{0, hash}.hex().substr(16); }

std::string day_of(millis at) {
  std::chrono::sys_days day = std::chrono::floor<std::chrono::days>(std::chrono::sys_time<millis>(at));
  std::chrono::year_month_day ymd(day);
  char text[32];
  auto size = std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(ymd.year()),
                            static_cast<unsigned>(ymd.month()), static_cast<unsigned>(ymd.day()));
  return {text, static_cast<std::size_t>(size)};
}

session_projection read_session(cursor& c) {
  session_projection p;
  auto& s = p.session;
  c.read(s.id, s.project, s.agent, s.dialect, s.alias, s.owner, s.title);
  s.status = session_status_from(c.text()).value_or(session_status::active);
  c.read(s.metadata, s.created_at, s.updated_at, s.last_seq, s.reserved_seq, s.message_count, s.tokens, s.cost);
  c.read(p.message_rows, p.forked_from, p.forked_at, p.cleared_seq, p.n, s.parent, s.parent_call, s.depth);
  p.state = row_state::stored;
  return p;
}

run_row read_run(cursor& c) {
  run_row row;
  auto& r = row.record;
  c.read(r.id, r.session, r.message, r.trace, r.agent);
  r.status = run_status_from(c.text()).value_or(run_status::failed);
  c.read(r.steps, r.error_code, r.error_text, r.queued_at, r.started_at, r.ended_at, r.tokens, r.cost);
  c.read(row.provider, row.model);
  auto hash = c.text();
  std::from_chars(hash.data(), hash.data() + hash.size(), row.config_hash, 16);
  c.read(row.first_seq, row.started_seq, row.ended_seq, row.place, row.n);
  row.state = row_state::stored;
  row.stored_status = r.status;
  row.stored_started_seq = row.started_seq;
  row.stored_place = row.place;
  row.stored_agent = r.agent;
  row.stored_config_hash = row.config_hash;
  return row;
}

message_row read_message(cursor& c) {
  message_row row;
  auto& m = row.record;
  c.read(m.number, m.id, m.session, m.run);
  m.role = role_from(c.text()).value_or(role::user);
  c.read(m.content, m.author, m.client_message_id);
  m.calls = calls_from_text(c.text());
  m.cut = c.integer() != 0;
  c.read(m.seq, m.created_at);
  row.is_removed = c.integer() != 0;
  c.read(m.author_name);
  m.attachments = attachments_from_text(c.text());
  c.read(row.options);
  row.state = row_state::stored;
  return row;
}

call_row read_call(cursor& c) {
  call_row row;
  auto& t = row.record;
  c.read(t.id, t.session, t.run, t.tool, t.input, t.ok, t.output);
  t.effect = effect_from(c.text()).value_or(effect::once);
  c.read(t.ms, t.started_at, t.ended_at, row.seq, t.output_bytes, t.child, t.cost, row.allowed_by);
  row.state = row_state::stored;
  return row;
}

approval_row read_approval(cursor& c) {
  approval_row row;
  auto& a = row.record;
  c.read(a.id, a.project, a.agent, a.session, a.run, a.call, a.tool, a.action);
  a.kind = approval_kind_from(c.text()).value_or(approval_kind::tool);
  c.read(a.risk);
  a.decision = decision_from(c.text());
  c.read(a.decided_by, a.note, a.created_at, a.expires_at, a.decided_at, a.edited_input);
  a.choice = outcome_choice_from(c.text()).value_or(outcome_choice::none);
  c.read(a.answer, a.arguments_hash, a.prompt, a.schema, a.deciders);
  a.endorsed_by = names_from_text(c.text());
  c.read(a.not_by, a.origin, a.origin_approval);
  row.state = row_state::stored;
  return row;
}

grant_row read_grant(cursor& c) {
  grant_row row;
  auto& r = row.record;
  c.read(r.grant.grant);
  r.grant.scope = grant_scope_from(c.text()).value_or(grant_scope::session);
  c.read(r.grant.tool, r.grant.when, r.grant.expires_at, r.grant.by, r.grant.approval, r.project, r.agent, r.session);
  c.read(r.created_at, r.revoked_at, r.revoked_by, row.seq);
  return row;
}

file_row read_file(cursor& c) {
  file_row row;
  auto& f = row.record;
  c.read(f.session, f.file.file, f.file.name, f.file.content_type, f.file.size, f.by, row.seq, f.created_at);
  return row;
}

span_record read_span(cursor& c) {
  span_record s;
  c.read(s.trace, s.session, s.run, s.kind, s.name, s.status, s.started_at, s.ended_at, s.tokens, s.cost);
  return s;
}

result<event> read_event(cursor& c, std::size_t* bytes) {
  event e;
  std::string kind;
  std::string payload;
  c.read(e.first, e.seq, e.at, kind, payload);
  if (bytes) *bytes = payload.size();
  auto parsed = payload_from_text(kind, payload);
  if (!parsed) return error{parsed.error().code, "event " + std::to_string(e.seq) + ": " + parsed.error().text};
  e.payload = std::move(*parsed);
  return e;
}

}  // namespace troupe::storage
