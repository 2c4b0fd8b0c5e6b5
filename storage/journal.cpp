#include "storage/journal.hpp"

#include "storage/agent_versions.hpp"
#include "storage/rows.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <stdexcept>

namespace troupe::storage {

using namespace core;

namespace {

/// Sessions kept between commits, about a kilobyte each. Loading one again takes a few lookups.
constexpr std::size_t max_sessions_kept = 16'384;

/// An append that cannot follow what is stored: a defect of the caller.
struct bad_append : std::runtime_error {
  using std::runtime_error::runtime_error;
};

void check_follows(const session_record& s, const event& e) {
  if (e.first == s.last_seq + 1 && e.seq >= e.first) return;
  throw bad_append("session " + s.id.str() + ": an event spans seqs " + std::to_string(e.first) + " to " +
                   std::to_string(e.seq) + ", but the log ends at " + std::to_string(s.last_seq));
}

}  // namespace

result<void> sqlite_journal::commit(std::span<const append> appends) {
  auto fail = [this](error e) -> result<void> {
    c_.roll_back();
    sessions_.clear();
    rows_.forget();
    return e;
  };
  touched_.clear();
  if (sessions_.size() > max_sessions_kept) sessions_.clear();
  try {
    run(c_.statement("BEGIN IMMEDIATE"));
    write(appends);
    run(c_.statement("COMMIT"));
  } catch (const SQLite::Exception& e) {
    return fail(translate(e, "commit to troupe.db"));
  } catch (const std::exception& e) {
    return fail({errc::internal_error, std::string("commit to troupe.db: ") + e.what()});
  }
  for (auto* kept : touched_) {
    kept->rows.let_go_of_finished();
    kept->is_touched = false;
  }
  return {};
}

result<void> sqlite_journal::store_agent(const agent_version_record& version) {
  try {
    add_agent_version(c_, version);
    return {};
  } catch (const SQLite::Exception& e) {
    if ((e.getErrorCode() & 0xff) == SQLITE_CONSTRAINT)
      return error{errc::version_conflict, "There is a version " + std::to_string(version.version) + " of agent " +
                                               version.agent.str() + " already; read it again and repeat the change."};
    return translate(e, "storing an agent in troupe.db");
  }
}

void sqlite_journal::write(std::span<const append> appends) {
  for (const auto& a : appends) {
    auto& kept = session_of(*a.batch);
    auto& s = kept.rows.session;
    if (!kept.is_touched) touched_.push_back(&kept);
    kept.is_touched = true;
    for (const auto& e : a.batch->events) {
      if (e.is_transient()) continue;
      check_follows(s, e);
      kept.rows.apply(e, this);
    }
    // A clean stop gives unused seqs back (actors/session_log.cpp, release); nothing else lowers the reserve.
    auto least = a.batch->events.empty() ? s.last_seq : std::max(s.last_seq, s.reserved_seq);
    s.reserved_seq = std::max(least, a.reserve.value_or(s.reserved_seq));
  }
  for (auto* kept : touched_) rows_.write(kept->rows);
  rows_.write_days();
  for (const auto& a : appends) {
    auto n = sessions_.find(a.batch->session)->second.rows.n;
    for (const auto& e : a.batch->events)
      if (!e.is_transient()) rows_.write_event(n, e);
  }
}

sqlite_journal::kept_session& sqlite_journal::session_of(const event_batch& batch) {
  auto [it, is_new] = sessions_.try_emplace(batch.session);
  auto& kept = it->second;
  if (!is_new) return kept;
  kept.rows.session.id = batch.session;
  load(kept.rows);
  bool begins = !batch.events.empty() && batch.events.front().as<session_created>();
  if (kept.rows.state == row_state::fresh && !begins)
    throw bad_append("session " + batch.session.str() + " is not stored, and its first event is not session_created");
  return kept;
}

void sqlite_journal::load(session_projection& p) {
  {
    cursor c(c_.statement("SELECT" TROUPE_SESSION_COLUMNS "FROM sessions WHERE id = ?"), p.session.id);
    if (!c.next()) return;
    p = read_session(c);
  }
  cursor runs(c_.statement("SELECT" TROUPE_RUN_COLUMNS
                           "FROM runs WHERE session = ? AND status IN ('queued', 'running', 'parked') ORDER BY n"),
              p.session.id);
  while (runs.next()) p.runs.push_back(read_run(runs));
  for (const auto& r : p.runs) {
    if (r.started_seq == 0) continue;
    cursor calls(c_.statement("SELECT" TROUPE_CALL_COLUMNS "FROM tool_calls t WHERE t.run = ? AND t.ok IS NULL ORDER BY t.seq"),
                 r.record.id);
    while (calls.next()) p.calls.push_back(read_call(calls));
    cursor approvals(
        c_.statement("SELECT" TROUPE_APPROVAL_COLUMNS "FROM approvals WHERE run = ? AND decision IS NULL ORDER BY id"),
        r.record.id);
    while (approvals.next()) p.approvals.push_back(read_approval(approvals));
  }
}

std::optional<run_row> sqlite_journal::find_run(run_id id) {
  cursor c(c_.statement("SELECT" TROUPE_RUN_COLUMNS "FROM runs WHERE id = ?"), id);
  if (!c.next()) return std::nullopt;
  return read_run(c);
}

std::optional<message_row> sqlite_journal::find_message(session_id session, message_id id) {
  cursor c(c_.statement(TROUPE_NEWEST_MESSAGE), session, id);
  if (!c.next()) return std::nullopt;
  return read_message(c);
}

}  // namespace troupe::storage
