#include "storage/row_writer.hpp"

#include "core/event_json.hpp"
#include "storage/rows.hpp"

namespace troupe::storage {

using namespace core;

namespace {

/// `agents.last_seen_at_ms` is exact to this: a row per minute, not per run.
constexpr millis last_seen_step{60'000};
constexpr std::int64_t ms_per_day = 86'400'000;

}  // namespace

struct row_writer::statements {
  explicit statements(connection& c)
      : database(c.database()),
        add_event(
            c.statement("INSERT INTO log (session, first_seq, last_seq, at_ms, kind, payload) VALUES (?, ?, ?, ?, ?, ?)")),
        add_session(c.statement(
            "INSERT INTO sessions (project, agent, dialect, alias, owner, metadata, created_at_ms, title, status,"
            " updated_at_ms, last_seq, reserved_seq, message_rows, message_count, prompt_tokens, cached_prompt_tokens,"
            " completion_tokens, cost_micro_usd, forked_from, forked_at, parent, parent_call, depth, id)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")),
        move_session(c.statement(
            "UPDATE sessions SET last_seq = ?, reserved_seq = ?, message_rows = ?, message_count = ?, prompt_tokens = ?,"
            " cached_prompt_tokens = ?, completion_tokens = ?, cost_micro_usd = ? WHERE n = ?")),
        change_session(c.statement(
            "UPDATE sessions SET last_seq = ?, reserved_seq = ?, message_rows = ?, message_count = ?, prompt_tokens = ?,"
            " cached_prompt_tokens = ?, completion_tokens = ?, cost_micro_usd = ?, title = ?, status = ?,"
            " updated_at_ms = ? WHERE n = ?")),
        set_session(c.statement("UPDATE sessions SET metadata = ?, cleared_seq = ?, agent = ? WHERE n = ?")),
        add_run(c.statement(
            "INSERT INTO runs (session, project, message, first_seq, agent, provider, model, config_hash, trace, status,"
            " steps, error_code, error_text, queued_at_ms, started_at_ms, ended_at_ms, started_seq, ended_seq,"
            " prompt_tokens, cached_prompt_tokens, completion_tokens, cost_micro_usd, id)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")),
        // A changed column costs its indexes, so what runs_by_trace and runs_in_flight hold is set apart.
        start_run(c.statement(
            "UPDATE runs SET agent = ?, config_hash = ?, trace = ?, queued_at_ms = ?, started_at_ms = ?, started_seq = ?"
            " WHERE n = ?")),
        change_run(
            c.statement("UPDATE runs SET provider = ?, model = ?, steps = ?, prompt_tokens = ?, cached_prompt_tokens = ?,"
                        " completion_tokens = ?, cost_micro_usd = ? WHERE n = ?")),
        settle_run(c.statement(
            "UPDATE runs SET provider = ?, model = ?, steps = ?, prompt_tokens = ?, cached_prompt_tokens = ?,"
            " completion_tokens = ?, cost_micro_usd = ?, status = ?, error_code = ?, error_text = ?, ended_at_ms = ?,"
            " ended_seq = ? WHERE n = ?")),
        move_run(c.statement("UPDATE runs SET queue_position = ? WHERE n = ?")),
        add_message(
            c.statement("INSERT INTO messages (session, number, id, run, role, content, author, client_message_id, calls, cut,"
                        " removed, seq, created_at_ms, author_name, attachments, options)"
                        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")),
        change_message(c.statement("UPDATE messages SET run = ?, content = ?, removed = ? WHERE session = ? AND number = ?")),
        // The message waits in the queue, so it is among the newest.
        link_message(c.statement("UPDATE messages SET run = ?1 WHERE session = ?2 AND number = (SELECT number FROM messages "
                                 "WHERE session = ?2 AND id = ?3 ORDER BY number DESC LIMIT 1)")),
        add_call(
            c.statement("INSERT INTO tool_calls (run, seq, id, session, tool, input, ok, output, effect, ms, started_at_ms,"
                        " ended_at_ms, output_bytes, child, cost_micro_usd, allowed_by)"
                        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")),
        change_call(c.statement(
            "UPDATE tool_calls SET input = ?, ok = ?, output = ?, effect = ?, ms = ?, started_at_ms = ?, ended_at_ms = ?,"
            " output_bytes = ?, child = ?, cost_micro_usd = ?, allowed_by = ? WHERE run = ? AND seq = ?")),
        add_approval(
            c.statement("INSERT INTO approvals (id, project, agent, session, run, call, tool, action, kind, risk, decision,"
                        " decided_by, note, created_at_ms, expires_at_ms, decided_at_ms, edited_input, choice, answer,"
                        " arguments_hash, prompt, schema, deciders, endorsed_by, not_by, origin, origin_approval)"
                        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")),
        change_approval(
            c.statement("UPDATE approvals SET decision = ?, decided_by = ?, note = ?, decided_at_ms = ?, edited_input = ?,"
                        " choice = ?, answer = ?, arguments_hash = ?, endorsed_by = ? WHERE id = ?")),
        add_usage(c.statement("INSERT INTO usage (run, seq, session, project, agent, step, provider, model, prompt_tokens,"
                              " cached_prompt_tokens, completion_tokens, cost_micro_usd, estimated, attempts, started_at_ms,"
                              " first_delta_at_ms, at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")),
        add_day(c.statement(
            "INSERT INTO usage_agent_days (project, day, agent, cost_micro_usd, tokens, requests)"
            " VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (project, day, agent) DO UPDATE SET cost_micro_usd = cost_micro_usd + excluded.cost_micro_usd,"
            " tokens = tokens + excluded.tokens, requests = requests + excluded.requests")),
        add_agent(
            c.statement("INSERT INTO agents (project, id, provider, model, config_hash, first_seen_at_ms, last_seen_at_ms)"
                        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6) ON CONFLICT (project, id) DO UPDATE SET"
                        " provider = excluded.provider, model = excluded.model,"
                        " config_hash = CASE WHEN excluded.config_hash = '0000000000000000' THEN config_hash"
                        " ELSE excluded.config_hash END, last_seen_at_ms = excluded.last_seen_at_ms")) {}

  SQLite::Database& database;
  SQLite::Statement &add_event, &add_session, &move_session, &change_session, &set_session, &add_run, &start_run, &change_run,
      &settle_run, &move_run, &add_message, &change_message, &link_message, &add_call, &change_call, &add_approval,
      &change_approval, &add_usage, &add_day, &add_agent;
};

row_writer::row_writer(connection& c) : c_(c), sql_(std::make_unique<statements>(c)) {}
row_writer::~row_writer() = default;

void row_writer::forget() {
  agents_.clear();
  days_.clear();
}

// Parents first: foreign keys are checked row by row.
void row_writer::write(session_projection& p) {
  write_session(p);
  write_runs(p);
  write_messages(p);
  write_calls(p);
  write_approvals(p);
  write_usage(p);
  if (p.participants_change) write_participants(p);
  write_files(p);
  write_reactions(p);
  write_feedback(p);
  write_alerts(p);
  write_outputs(p);
  write_grants(p);
}

void row_writer::write_event(std::int64_t session, const event& e) {
  auto kind = kind_of(e.payload);
  run(sql_->add_event, session, e.first, e.seq, e.at, kind, payload_to_text(e.payload));
}

void row_writer::write_session(session_projection& p) {
  const auto& s = p.session;
  if (p.state == row_state::fresh) {
    run(sql_->add_session, s.project, s.agent, s.dialect, s.alias, s.owner, s.metadata, s.created_at, s.title,
        to_string(s.status), s.updated_at, s.last_seq, s.reserved_seq, p.message_rows, s.message_count, s.tokens.prompt,
        s.tokens.cached_prompt, s.tokens.completion, s.cost, p.forked_from, p.forked_at, s.parent, s.parent_call, s.depth,
        s.id);
    p.n = sql_->database.getLastInsertRowid();
  } else if (p.lists_change) {
    run(sql_->change_session, s.last_seq, s.reserved_seq, p.message_rows, s.message_count, s.tokens.prompt,
        s.tokens.cached_prompt, s.tokens.completion, s.cost, s.title, to_string(s.status), s.updated_at, p.n);
  } else {
    run(sql_->move_session, s.last_seq, s.reserved_seq, p.message_rows, s.message_count, s.tokens.prompt,
        s.tokens.cached_prompt, s.tokens.completion, s.cost, p.n);
  }
  if (p.settings_change) run(sql_->set_session, s.metadata, p.cleared_seq, s.agent, p.n);
}

void row_writer::write_runs(session_projection& p) {
  for (auto& row : p.runs) {
    if (row.state == row_state::stored) continue;
    const auto& r = row.record;
    if (row.state == row_state::fresh) {
      run(sql_->add_run, p.session.id, p.session.project, r.message, row.first_seq, r.agent, row.provider, row.model,
          hash_text(row.config_hash), r.trace, to_string(r.status), r.steps, r.error_code, r.error_text, r.queued_at,
          r.started_at, r.ended_at, row.started_seq, row.ended_seq, r.tokens.prompt, r.tokens.cached_prompt,
          r.tokens.completion, r.cost, r.id);
      row.n = sql_->database.getLastInsertRowid();
    } else {
      if (row.started_seq != row.stored_started_seq)
        run(sql_->start_run, r.agent, hash_text(row.config_hash), r.trace, r.queued_at, r.started_at, row.started_seq, row.n);
      else if (r.agent != row.stored_agent || row.config_hash != row.stored_config_hash)
        run(c_.statement("UPDATE runs SET agent = ?, config_hash = ? WHERE n = ?"), r.agent, hash_text(row.config_hash), row.n);
      if (r.status != row.stored_status) {
        run(sql_->settle_run, row.provider, row.model, r.steps, r.tokens.prompt, r.tokens.cached_prompt, r.tokens.completion,
            r.cost, to_string(r.status), r.error_code, r.error_text, r.ended_at, row.ended_seq, row.n);
      } else {
        run(sql_->change_run, row.provider, row.model, r.steps, r.tokens.prompt, r.tokens.cached_prompt, r.tokens.completion,
            r.cost, row.n);
      }
    }
    if (row.place != row.stored_place) run(sql_->move_run, row.place, row.n);
    if (row.started_seq != 0) see_agent(row, p);
  }
}

void row_writer::write_messages(const session_projection& p) {
  for (const auto& row : p.messages) {
    const auto& m = row.record;
    if (row.state == row_state::fresh) {
      run(sql_->add_message, p.session.id, m.number, m.id, m.run, to_string(m.role), m.content, m.author, m.client_message_id,
          calls_to_text(m.calls), m.cut, row.is_removed, m.seq, m.created_at, m.author_name, attachments_to_text(m.attachments),
          row.options);
    } else if (row.state == row_state::dirty) {
      run(sql_->change_message, m.run, m.content, row.is_removed, p.session.id, m.number);
    }
  }
  for (const auto& late : p.late_messages) run(sql_->link_message, late.run, p.session.id, late.message);
  write_clearings(p);
}

// The statements below are prepared when they are first needed.
void row_writer::write_clearings(const session_projection& p) {
  for (const auto& clearing : p.clearings) {
    std::string kept = "[";
    auto keep = [&](const std::string& id) { kept += (kept.size() > 1 ? ",\"" : "\"") + id + "\""; };
    for (const auto& id : clearing.kept) keep(id.str());
    for (const auto& id : clearing.kept_runs) keep(id.str());
    kept += "]";
    run(c_.statement("UPDATE messages SET removed = 1 WHERE session = ?1 AND seq <= ?2 AND removed = 0"
                     " AND coalesce(id, '') NOT IN (SELECT value FROM json_each(?3))"
                     " AND coalesce(run, '') NOT IN (SELECT value FROM json_each(?3))"),
        p.session.id, clearing.seq, kept);
  }
}

void row_writer::write_participants(const session_projection& p) {
  run(c_.statement("DELETE FROM participants WHERE session = ?"), p.session.id);
  for (const auto& user : p.session.participants)
    run(c_.statement("INSERT INTO participants (session, user) VALUES (?, ?)"), p.session.id, user);
}

void row_writer::write_files(const session_projection& p) {
  for (const auto& row : p.files) {
    const auto& f = row.record;
    run(c_.statement("INSERT INTO files (session, id, name, content_type, size, added_by, seq, created_at_ms, data)"
                     " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (session, id) DO NOTHING"),
        p.session.id, f.file.file, f.file.name, f.file.content_type, f.file.size, f.by, row.seq, f.created_at,
        blob{f.data ? std::string_view(*f.data) : std::string_view()});
  }
}

void row_writer::write_reactions(const session_projection& p) {
  for (const auto& row : p.reactions) {
    const auto& r = row.change;
    if (r.added) {
      run(c_.statement("INSERT INTO reactions (session, message, emoji, author, author_name, seq) VALUES (?, ?, ?, ?, ?, ?)"
                       " ON CONFLICT (session, message, emoji, author) DO NOTHING"),
          p.session.id, r.message, r.emoji, r.by, r.by_name, row.seq);
    } else {
      run(c_.statement("DELETE FROM reactions WHERE session = ? AND message = ? AND emoji = ? AND author = ?"), p.session.id,
          r.message, r.emoji, r.by);
    }
  }
}

void row_writer::write_feedback(const session_projection& p) {
  for (const auto& row : p.feedback) {
    const auto& f = row.feedback;
    if (f.rating == rating::none) {
      run(c_.statement("DELETE FROM feedback WHERE session = ? AND message = ? AND author = ?"), p.session.id, f.message, f.by);
    } else {
      run(c_.statement("INSERT INTO feedback (session, message, author, rating, note, seq, at_ms) VALUES (?, ?, ?, ?, ?, ?, ?)"
                       " ON CONFLICT (session, message, author) DO UPDATE SET rating = excluded.rating, note = excluded.note,"
                       " seq = excluded.seq, at_ms = excluded.at_ms"),
          p.session.id, f.message, f.by, to_string(f.rating), f.note, row.seq, row.at);
    }
  }
}

void row_writer::write_alerts(const session_projection& p) {
  for (const auto& row : p.alerts) {
    const auto& a = row.record;
    run(c_.statement("INSERT INTO alerts (session, seq, project, scope, subject, percent, spend_micro_usd, budget_micro_usd,"
                     " at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"),
        p.session.id, row.seq, p.session.project, a.scope, a.id, a.percent, a.spend, a.budget, a.at);
  }
}

void row_writer::write_calls(const session_projection& p) {
  for (const auto& row : p.calls) {
    const auto& t = row.record;
    if (row.state == row_state::fresh) {
      run(sql_->add_call, t.run, row.seq, t.id, t.session, t.tool, t.input, t.ok, t.output, to_string(t.effect), t.ms,
          t.started_at, t.ended_at, t.output_bytes, t.child, t.cost, row.allowed_by);
    } else if (row.state == row_state::dirty) {
      run(sql_->change_call, t.input, t.ok, t.output, to_string(t.effect), t.ms, t.started_at, t.ended_at, t.output_bytes,
          t.child, t.cost, row.allowed_by, t.run, row.seq);
    }
  }
}

void row_writer::write_approvals(const session_projection& p) {
  for (const auto& row : p.approvals) {
    const auto& a = row.record;
    std::optional<std::string> decided;
    if (a.decision) decided = to_string(*a.decision);
    if (row.state == row_state::fresh) {
      run(sql_->add_approval, a.id, a.project, a.agent, a.session, a.run, a.call, a.tool, a.action, to_string(a.kind), a.risk,
          decided, a.decided_by, a.note, a.created_at, a.expires_at, a.decided_at, a.edited_input, to_string(a.choice),
          a.answer, a.arguments_hash, a.prompt, a.schema, a.deciders, names_to_text(a.endorsed_by), a.not_by, a.origin,
          a.origin_approval);
    } else if (row.state == row_state::dirty) {
      run(sql_->change_approval, decided, a.decided_by, a.note, a.decided_at, a.edited_input, to_string(a.choice), a.answer,
          a.arguments_hash, names_to_text(a.endorsed_by), a.id);
    }
  }
}

void row_writer::write_outputs(const session_projection& p) {
  for (const auto& row : p.outputs) {
    if (!row.data) continue;
    run(c_.statement("INSERT INTO tool_outputs (session, run, call, seq, data) VALUES (?, ?, ?, ?, ?)"), p.session.id, row.run,
        row.call, row.seq, blob{*row.data});
  }
}

void row_writer::write_grants(const session_projection& p) {
  for (const auto& row : p.grants) {
    const auto& r = row.record;
    run(c_.statement("INSERT INTO grants (id, scope, tool, conditions, expires_at_ms, given_by, approval, project, agent,"
                     " session, created_at_ms, revoked_at_ms, revoked_by, seq)"
                     " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING"),
        r.grant.grant, to_string(r.grant.scope), r.grant.tool, r.grant.when, r.grant.expires_at, r.grant.by, r.grant.approval,
        r.project, r.agent, r.session, r.created_at, r.revoked_at, r.revoked_by, row.seq);
  }
  for (const auto& late : p.late_revocations)
    run(c_.statement(
            "UPDATE grants SET revoked_at_ms = ?, revoked_by = ? WHERE id = ? AND session = ? AND revoked_at_ms IS NULL"),
        late.at, late.by, late.grant, p.session.id);
}

void row_writer::write_usage(const session_projection& p) {
  for (const auto& row : p.usage) {
    const auto& u = row.usage;
    run(sql_->add_usage, u.run, row.seq, p.session.id, p.session.project, row.agent, u.step, u.provider, u.model,
        u.tokens.prompt, u.tokens.cached_prompt, u.tokens.completion, u.cost, u.estimated, u.attempts, u.started_at,
        u.first_delta_at, row.at);
    auto& day = days_[{p.session.project, row.at.count() / ms_per_day, row.agent}];
    day.cost += u.cost;
    day.tokens += u.tokens.total();
    ++day.requests;
  }
}

void row_writer::write_days() {
  for (const auto& [key, sum] : days_) {
    const auto& [project, day, agent] = key;
    run(sql_->add_day, project, day_of(millis(day * ms_per_day)), agent, sum.cost, sum.tokens, sum.requests);
  }
  days_.clear();
}

void row_writer::see_agent(const run_row& row, const session_projection& p) {
  auto at = p.session.updated_at;
  auto [it, is_new] = agents_.try_emplace({p.session.project, row.record.agent});
  auto& seen = it->second;
  bool same = seen.provider == row.provider && seen.model == row.model && seen.config_hash == row.config_hash;
  if (!is_new && (same || row.provider.empty()) && at - seen.at < last_seen_step) return;
  seen = {row.provider, row.model, row.config_hash, at};
  run(sql_->add_agent, p.session.project, row.record.agent, seen.provider, seen.model, hash_text(seen.config_hash), at);
}

}  // namespace troupe::storage
