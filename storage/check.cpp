#include "core/history.hpp"
#include "storage/agent_versions.hpp"
#include "storage/feedback_queries.hpp"
#include "storage/rows.hpp"
#include "storage/schema.hpp"
#include "storage/store.hpp"
#include "storage/tool_outputs.hpp"
#include "storage/usage_queries.hpp"

#include <map>
#include <tuple>
#include <unordered_map>

namespace troupe::storage {

using namespace core;

namespace {

constexpr std::size_t max_findings = 1000;

class checker {
 public:
  explicit checker(connection& c) : c_(c) {}

  check_report report() {
    check_pages();
    check_references();
    std::vector<session_projection> sessions;
    {
      cursor c(sql("SELECT" TROUPE_SESSION_COLUMNS "FROM sessions ORDER BY n"));
      while (c.next()) sessions.push_back(read_session(c));
    }
    for (const auto& s : sessions) {
      ++out_.sessions;
      check_session(s);
    }
    check_days();
    check_agents();
    for (auto& f : check_agent_versions(c_)) find(std::move(f.subject), std::move(f.text));
    return std::move(out_);
  }

 private:
  SQLite::Statement& sql(std::string_view text) { return c_.statement(text); }

  void find(std::string subject, std::string text) {
    if (out_.findings.size() < max_findings) out_.findings.push_back({std::move(subject), std::move(text)});
  }
  /// Compares one field of a table's row with what the log says.
  template <class T>
  void same(const std::string& subject, const char* field, const T& stored, const T& folded) {
    if (!(stored == folded)) find(subject, std::string(field) + " differs from what the log says");
  }

  /// JSON texts may be written otherwise in the log.
  void same_json(const std::string& subject, const char* field, const std::string& stored, const std::string& folded) {
    if (stored != folded && as_logged(stored) != as_logged(folded))
      find(subject, std::string(field) + " differs from what the log says");
  }

  void check_pages() {
    cursor c(sql("PRAGMA integrity_check(100)"));
    while (c.next())
      if (auto text = c.text(); text != "ok") find("troupe.db", text);
  }
  void check_references() {
    cursor c(sql("PRAGMA foreign_key_check"));
    while (c.next()) {
      auto table = c.text();
      auto row = c.is_null() ? (c.integer(), std::string()) : " row " + c.text();
      find("table " + table + row, "belongs to no row of " + c.text());
    }
  }

  void check_session(const session_projection& stored) {
    auto subject = "session " + stored.session.id.str();
    session_projection folded;
    folded.session.id = stored.session.id;
    history told;
    {
      cursor c(sql("SELECT" TROUPE_EVENT_COLUMNS "FROM log WHERE session = ? ORDER BY last_seq"), stored.n);
      while (c.next()) {
        ++out_.events;
        auto e = read_event(c);
        if (!e) {
          find(subject, e.error().text);
          return;  // without it nothing of this session can be told
        }
        check_place(subject, folded.session.last_seq, *e);
        if (const auto* done = e->as<run_completed>()) check_totals(subject, folded, *done);
        folded.apply(*e, nullptr);
        told.apply(*e);
      }
    }
    if (auto defect = defect_of(told.messages()); !defect.empty()) find(subject, "history: " + defect);
    const auto& s = stored.session;
    const auto& f = folded.session;
    if (s.last_seq != f.last_seq)
      find(subject, "its log ends at seq " + std::to_string(f.last_seq) + " instead of " + std::to_string(s.last_seq));
    if (s.reserved_seq < s.last_seq) find(subject, "reserved_seq is below last_seq");
    same(subject, "project", s.project, f.project);
    same(subject, "agent", s.agent, f.agent);
    same(subject, "dialect", s.dialect, f.dialect);
    same(subject, "alias", s.alias, f.alias);
    same(subject, "owner", s.owner, f.owner);
    same(subject, "title", s.title, f.title);
    same_json(subject, "metadata", s.metadata, f.metadata);
    same(subject, "parent", s.parent, f.parent);
    same(subject, "parent_call", s.parent_call, f.parent_call);
    same(subject, "depth", s.depth, f.depth);
    same(subject, "forked_from", stored.forked_from, folded.forked_from);
    same(subject, "forked_at", stored.forked_at, folded.forked_at);
    same(subject, "cleared_seq", stored.cleared_seq, folded.cleared_seq);
    same(subject, "status", s.status, f.status);
    same(subject, "created_at_ms", s.created_at, f.created_at);
    same(subject, "updated_at_ms", s.updated_at, f.updated_at);
    same(subject, "message_count", s.message_count, f.message_count);
    same(subject, "tokens (the sum of its usage)", s.tokens, f.tokens);
    same(subject, "cost_micro_usd (the sum of its usage)", s.cost, f.cost);
    check_runs(subject, s.id, folded);
    check_messages(subject, s.id, folded);
    check_calls(subject, s.id, folded);
    check_approvals(subject, s.id, folded);
    check_usage(subject, s.id, folded);
    check_participants(subject, s.id, f.participants);
    check_files(subject, s.id, folded);
    check_reactions(subject, s.id, folded);
    if (!has_feedback_of(c_, folded)) find(subject, "feedback differs from what the log says");
    if (!has_alerts_of(c_, folded)) find(subject, "alerts differ from what the log says");
    check_outputs(subject, folded);
    check_grants(subject, s.id, folded);
  }

  void check_place(const std::string& subject, seq_t last, const event& e) {
    auto name = "event " + std::to_string(e.seq) + " (" + std::string(kind_of(e.payload)) + ")";
    if (e.first > last + 1)
      find(subject, "seqs " + std::to_string(last + 1) + " to " + std::to_string(e.first - 1) + " are missing before " + name);
    if (e.first <= last || e.seq < e.first) find(subject, name + " overlaps the one before it");
    if (last == 0 && !e.as<session_created>()) find(subject, "its log does not begin with session_created");
    std::size_t pieces = 0;
    if (const auto* d = e.as<text_delta>())
      pieces = d->pieces.lengths.size();
    else if (const auto* r = e.as<reasoning_delta>())
      pieces = r->pieces.lengths.size();
    else if (e.as<message_superseded>())
      return;
    else
      pieces = 1;
    if (e.seq + 1 != e.first + pieces)
      find(subject, name + " has " + std::to_string(pieces) + " pieces for " + std::to_string(e.seq + 1 - e.first) + " seqs");
  }

  void check_totals(const std::string& subject, const session_projection& folded, const run_completed& done) {
    for (const auto& r : folded.runs) {
      if (r.record.id != done.run) continue;
      if (r.record.tokens != done.tokens || r.record.cost != done.cost)
        find(subject, "run " + done.run.str() + ": run_completed differs from the sum of its usage");
    }
    for (const auto& c : folded.calls)
      if (c.record.run == done.run && !c.record.ok)
        find(subject, "call " + c.record.id.str() + " of completed run " + done.run.str() + " has no result");
  }

  /// Pairs the rows of a table with the folded ones by key; what has no partner is a finding.
  template <class Row, class Key, class Compare>
  void pair_up(const std::string& subject, const char* what, std::vector<Row> stored, const std::vector<Row>& folded, Key key,
               Compare compare) {
    std::unordered_map<std::string, const Row*> expected;
    for (const auto& row : folded) expected.emplace(key(row), &row);
    for (const auto& row : stored) {
      auto name = subject + ", " + what + " " + key(row);
      auto it = expected.find(key(row));
      if (it == expected.end()) {
        find(name, "the log has no such row");
        continue;
      }
      compare(name, row, *it->second);
      expected.erase(it);
    }
    for (const auto& [id, row] : expected) find(subject + ", " + what + " " + id, "the row is missing");
  }

  void check_runs(const std::string& subject, session_id id, const session_projection& folded) {
    std::vector<run_row> stored;
    cursor c(sql("SELECT" TROUPE_RUN_COLUMNS "FROM runs WHERE session = ? ORDER BY n"), id);
    while (c.next()) stored.push_back(read_run(c));
    pair_up(
        subject, "run", std::move(stored), folded.runs, [](const run_row& r) { return r.record.id.str(); },
        [this](const std::string& name, const run_row& s, const run_row& f) {
          same(name, "message", s.record.message, f.record.message);
          same(name, "trace", s.record.trace, f.record.trace);
          same(name, "agent", s.record.agent, f.record.agent);
          same(name, "status", s.record.status, f.record.status);
          same(name, "steps", s.record.steps, f.record.steps);
          same(name, "error_code", s.record.error_code, f.record.error_code);
          same(name, "error_text", s.record.error_text, f.record.error_text);
          same(name, "queued_at_ms", s.record.queued_at, f.record.queued_at);
          same(name, "started_at_ms", s.record.started_at, f.record.started_at);
          same(name, "ended_at_ms", s.record.ended_at, f.record.ended_at);
          same(name, "tokens (the sum of its usage)", s.record.tokens, f.record.tokens);
          same(name, "cost_micro_usd (the sum of its usage)", s.record.cost, f.record.cost);
          same(name, "provider", s.provider, f.provider);
          same(name, "model", s.model, f.model);
          same(name, "config_hash", s.config_hash, f.config_hash);
          same(name, "first_seq", s.first_seq, f.first_seq);
          same(name, "started_seq", s.started_seq, f.started_seq);
          same(name, "ended_seq", s.ended_seq, f.ended_seq);
          same(name, "queue_position", s.place, f.place);
        });
  }

  void check_messages(const std::string& subject, session_id id, const session_projection& folded) {
    std::vector<message_row> stored;
    cursor c(sql("SELECT" TROUPE_MESSAGE_COLUMNS "FROM messages m WHERE m.session = ? ORDER BY m.number"), id);
    while (c.next()) stored.push_back(read_message(c));
    pair_up(
        subject, "message", std::move(stored), folded.messages,
        [](const message_row& m) { return std::to_string(m.record.number); },
        [this](const std::string& name, const message_row& s, const message_row& f) {
          same(name, "id", s.record.id, f.record.id);
          same(name, "run", s.record.run, f.record.run);
          same(name, "role", s.record.role, f.record.role);
          same(name, "content", s.record.content, f.record.content);
          same(name, "author", s.record.author, f.record.author);
          same(name, "client_message_id", s.record.client_message_id, f.record.client_message_id);
          same(name, "calls", s.record.calls, f.record.calls);
          same(name, "cut", s.record.cut, f.record.cut);
          same(name, "author_name", s.record.author_name, f.record.author_name);
          same(name, "attachments", s.record.attachments, f.record.attachments);
          same(name, "options", s.options, f.options);
          same(name, "removed", s.is_removed, f.is_removed);
          same(name, "seq", s.record.seq, f.record.seq);
          same(name, "created_at_ms", s.record.created_at, f.record.created_at);
        });
  }

  void check_calls(const std::string& subject, session_id id, const session_projection& folded) {
    std::vector<call_row> stored;
    cursor c(
        sql("SELECT" TROUPE_CALL_COLUMNS "FROM runs r JOIN tool_calls t ON t.run = r.id WHERE r.session = ? ORDER BY t.seq"),
        id);
    while (c.next()) stored.push_back(read_call(c));
    pair_up(
        subject, "tool call at seq", std::move(stored), folded.calls, [](const call_row& t) { return std::to_string(t.seq); },
        [this](const std::string& name, const call_row& s, const call_row& f) {
          same(name, "id", s.record.id, f.record.id);
          same(name, "session", s.record.session, f.record.session);
          same(name, "run", s.record.run, f.record.run);
          same(name, "tool", s.record.tool, f.record.tool);
          same_json(name, "input", s.record.input, f.record.input);
          same(name, "ok", s.record.ok, f.record.ok);
          same(name, "output", s.record.output, f.record.output);
          same(name, "effect", s.record.effect, f.record.effect);
          same(name, "ms", s.record.ms, f.record.ms);
          same(name, "started_at_ms", s.record.started_at, f.record.started_at);
          same(name, "ended_at_ms", s.record.ended_at, f.record.ended_at);
          same(name, "output_bytes", s.record.output_bytes, f.record.output_bytes);
          same(name, "child", s.record.child, f.record.child);
          same(name, "cost_micro_usd", s.record.cost, f.record.cost);
          same(name, "allowed_by", s.allowed_by, f.allowed_by);
        });
  }

  void check_approvals(const std::string& subject, session_id id, const session_projection& folded) {
    std::vector<approval_row> stored;
    cursor c(sql("SELECT" TROUPE_APPROVAL_COLUMNS "FROM approvals WHERE session = ? ORDER BY created_at_ms"), id);
    while (c.next()) stored.push_back(read_approval(c));
    pair_up(
        subject, "approval", std::move(stored), folded.approvals, [](const approval_row& a) { return a.record.id.str(); },
        [this](const std::string& name, const approval_row& s, const approval_row& f) {
          same(name, "run", s.record.run, f.record.run);
          same(name, "call", s.record.call, f.record.call);
          same(name, "tool", s.record.tool, f.record.tool);
          same_json(name, "action", s.record.action, f.record.action);
          same(name, "kind", s.record.kind, f.record.kind);
          same(name, "project", s.record.project, f.record.project);
          same(name, "agent", s.record.agent, f.record.agent);
          same(name, "risk", s.record.risk, f.record.risk);
          same(name, "decision", s.record.decision, f.record.decision);
          same(name, "decided_by", s.record.decided_by, f.record.decided_by);
          same(name, "note", s.record.note, f.record.note);
          same(name, "created_at_ms", s.record.created_at, f.record.created_at);
          same(name, "expires_at_ms", s.record.expires_at, f.record.expires_at);
          same(name, "decided_at_ms", s.record.decided_at, f.record.decided_at);
          same_json(name, "edited_input", s.record.edited_input, f.record.edited_input);
          same(name, "choice", s.record.choice, f.record.choice);
          same_json(name, "answer", s.record.answer, f.record.answer);
          same(name, "arguments_hash", s.record.arguments_hash, f.record.arguments_hash);
          same(name, "prompt", s.record.prompt, f.record.prompt);
          same_json(name, "schema", s.record.schema, f.record.schema);
          same(name, "deciders", s.record.deciders, f.record.deciders);
          same(name, "endorsed_by", s.record.endorsed_by, f.record.endorsed_by);
          same(name, "not_by", s.record.not_by, f.record.not_by);
          same(name, "origin", s.record.origin, f.record.origin);
          same(name, "origin_approval", s.record.origin_approval, f.record.origin_approval);
        });
  }

  void check_usage(const std::string& subject, session_id id, const session_projection& folded) {
    std::vector<usage_row> stored;
    cursor c(sql("SELECT u.seq, u.run, u.agent, u.step, u.prompt_tokens, u.cached_prompt_tokens, u.completion_tokens, "
                 "u.cost_micro_usd, "
                 "u.at_ms"
                 " FROM runs r JOIN usage u ON u.run = r.id WHERE r.session = ? ORDER BY u.seq"),
             id);
    while (c.next()) {
      auto& row = stored.emplace_back();
      c.read(row.seq, row.usage.run, row.agent, row.usage.step, row.usage.tokens, row.usage.cost, row.at);
    }
    pair_up(
        subject, "usage at seq", std::move(stored), folded.usage, [](const usage_row& u) { return std::to_string(u.seq); },
        [this](const std::string& name, const usage_row& s, const usage_row& f) {
          same(name, "run", s.usage.run, f.usage.run);
          same(name, "agent", s.agent, f.agent);
          same(name, "step", s.usage.step, f.usage.step);
          same(name, "tokens", s.usage.tokens, f.usage.tokens);
          same(name, "cost_micro_usd", s.usage.cost, f.usage.cost);
          same(name, "at_ms", s.at, f.at);
        });
  }

  void check_participants(const std::string& subject, session_id id, const std::vector<std::string>& folded) {
    std::vector<std::string> stored;
    cursor c(sql("SELECT user FROM participants WHERE session = ? ORDER BY user"), id);
    while (c.next()) stored.push_back(c.text());
    same(subject, "participants", stored, folded);
  }

  // The log does not have the bytes; their number it does.
  void check_files(const std::string& subject, session_id id, const session_projection& folded) {
    std::vector<file_row> stored;
    cursor c(sql("SELECT" TROUPE_FILE_COLUMNS ", length(data) FROM files WHERE session = ? ORDER BY n"), id);
    while (c.next()) {
      stored.push_back(read_file(c));
      const auto& file = stored.back().record.file;
      if (auto size = c.integer(); size != file.size)
        find(subject + ", file " + file.file.str(),
             "has " + std::to_string(size) + " bytes instead of " + std::to_string(file.size));
    }
    pair_up(
        subject, "file", std::move(stored), folded.files, [](const file_row& f) { return f.record.file.file.str(); },
        [this](const std::string& name, const file_row& s, const file_row& f) {
          same(name, "name", s.record.file.name, f.record.file.name);
          same(name, "content_type", s.record.file.content_type, f.record.file.content_type);
          same(name, "size", s.record.file.size, f.record.file.size);
          same(name, "added_by", s.record.by, f.record.by);
          same(name, "seq", s.seq, f.seq);
          same(name, "created_at_ms", s.record.created_at, f.record.created_at);
        });
  }

  void check_reactions(const std::string& subject, session_id id, const session_projection& folded) {
    using key = std::tuple<std::string, std::string, std::string>;
    std::map<key, std::pair<std::string, seq_t>> stored;
    std::map<key, std::pair<std::string, seq_t>> told;
    for (const auto& row : folded.reactions) {
      key k{row.change.message.str(), row.change.emoji, row.change.by};
      if (row.change.added) {
        told.emplace(k, std::pair{row.change.by_name, row.seq});
      } else {
        told.erase(k);
      }
    }
    cursor c(sql("SELECT message, emoji, author, author_name, seq FROM reactions WHERE session = ?"), id);
    while (c.next()) {
      key k;
      std::pair<std::string, seq_t> v;
      c.read(std::get<0>(k), std::get<1>(k), std::get<2>(k), v.first, v.second);
      stored.emplace(std::move(k), std::move(v));
    }
    same(subject, "reactions", stored, told);
  }

  // The log does not have the text; its length it does. A copied session left what it took over in its source.
  void check_outputs(const std::string& subject, const session_projection& folded) {
    std::map<seq_t, std::tuple<run_id, tool_call_id, std::int64_t>> stored;
    {
      cursor c(sql("SELECT seq, run, call, length(data) FROM tool_outputs WHERE session = ?"), folded.session.id);
      while (c.next()) {
        seq_t seq = 0;
        c.read(seq);
        auto& [run, call, bytes] = stored[seq];
        c.read(run, call, bytes);
      }
    }
    auto named = [&](seq_t seq) { return subject + ", output at seq " + std::to_string(seq); };
    for (const auto& row : folded.outputs) {
      auto it = stored.find(row.seq);
      if (it == stored.end()) {
        if (!find_output_in_source(c_, folded.session.id, row.call, row.bytes)) find(named(row.seq), "the row is missing");
        continue;
      }
      const auto& [run, call, bytes] = it->second;
      same(named(row.seq), "run", run, row.run);
      same(named(row.seq), "call", call, row.call);
      if (bytes != row.bytes)
        find(named(row.seq), "has " + std::to_string(bytes) + " bytes instead of " + std::to_string(row.bytes));
      stored.erase(it);
    }
    for (const auto& [seq, row] : stored) find(named(seq), "the log has no such row");
  }

  void check_grants(const std::string& subject, session_id id, const session_projection& folded) {
    std::vector<grant_row> stored;
    cursor c(sql("SELECT" TROUPE_GRANT_COLUMNS "FROM grants WHERE session = ?"), id);
    while (c.next()) stored.push_back(read_grant(c));
    pair_up(
        subject, "grant", std::move(stored), folded.grants, [](const grant_row& g) { return g.record.grant.grant.str(); },
        [this](const std::string& name, const grant_row& s, const grant_row& f) {
          same(name, "scope", s.record.grant.scope, f.record.grant.scope);
          same(name, "tool", s.record.grant.tool, f.record.grant.tool);
          same_json(name, "conditions", s.record.grant.when, f.record.grant.when);
          same(name, "expires_at_ms", s.record.grant.expires_at, f.record.grant.expires_at);
          same(name, "given_by", s.record.grant.by, f.record.grant.by);
          same(name, "approval", s.record.grant.approval, f.record.grant.approval);
          same(name, "project", s.record.project, f.record.project);
          same(name, "agent", s.record.agent, f.record.agent);
          same(name, "created_at_ms", s.record.created_at, f.record.created_at);
          same(name, "revoked_at_ms", s.record.revoked_at, f.record.revoked_at);
          same(name, "revoked_by", s.record.revoked_by, f.record.revoked_by);
          same(name, "seq", s.seq, f.seq);
        });
  }

  void check_days() {
    cursor c(
        sql("WITH summed AS (SELECT project, strftime('%Y-%m-%d', coalesce(at_ms, 0) / 1000, 'unixepoch') AS day, agent,"
            " sum(cost_micro_usd) AS cost_micro_usd, sum(prompt_tokens + completion_tokens) AS tokens, count(*) AS requests"
            " FROM usage GROUP BY 1, 2, 3)"
            " SELECT project, day FROM (SELECT * FROM summed EXCEPT SELECT * FROM usage_agent_days)"
            " UNION SELECT project, day FROM (SELECT * FROM usage_agent_days EXCEPT SELECT * FROM summed)"));
    while (c.next()) {
      auto project = c.text();
      find("usage of project " + project + " on " + c.text(), "usage_agent_days differs from the sum of the usage rows");
    }
  }

  void check_agents() {
    cursor c(
        sql("SELECT DISTINCT r.project, r.agent FROM runs r WHERE r.started_seq > 0 AND NOT EXISTS"
            " (SELECT 1 FROM agents a WHERE a.project = r.project AND a.id = r.agent)"));
    while (c.next()) {
      auto project = c.text();
      find("agent " + c.text() + " of project " + project, "the row is missing");
    }
  }

  connection& c_;
  check_report out_;
};

}  // namespace

result<check_report> check(const std::string& data) {
  auto path = data + "/troupe.db";
  try {
    connection c(path, connection::mode::read_only);
    if (auto version = version_of(c); version != schema_version)
      return error{errc::configuration_error, "database `" + path + "` has schema " + std::to_string(version) +
                                                  ", this program checks " + std::to_string(schema_version) +
                                                  "; use the troupe that wrote it"};
    c.database().exec("BEGIN");  // one state of it, whatever is written meanwhile
    return checker(c).report();
  } catch (const SQLite::Exception& e) {
    return error{errc::storage_unavailable,
                 "checking `" + path + "`: " + e.what() + "; is this the data folder, and may it be read?"};
  }
}

}  // namespace troupe::storage
