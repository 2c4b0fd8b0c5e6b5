#include "storage/projection.hpp"

#include "core/history.hpp"

#include <algorithm>

namespace troupe::storage {

using namespace core;

namespace {

void touch(row_state& state) {
  if (state == row_state::stored) state = row_state::dirty;
}

// What moves a session up in a list: not every step of a run, because an index follows.
bool is_news(const event_payload& payload) {
  return std::visit(
      [](const auto& e) {
        using kind = std::decay_t<decltype(e)>;
        return std::is_same_v<kind, session_created> || std::is_same_v<kind, message_added> ||
               std::is_same_v<kind, approval_requested> || std::is_same_v<kind, run_completed> ||
               std::is_same_v<kind, run_failed> || std::is_same_v<kind, run_cancelled> ||
               std::is_same_v<kind, session_updated> || std::is_same_v<kind, session_closed>;
      },
      payload);
}

template <class Row, class Predicate>
Row* newest(std::vector<Row>& rows, Predicate wanted) {
  auto it = std::find_if(rows.rbegin(), rows.rend(), wanted);
  return it == rows.rend() ? nullptr : &*it;
}

}  // namespace

struct projection_fold {
  session_projection& p;
  const event& e;
  run_source* source;

  run_row* find_live_run(run_id id) const {
    auto* row = newest(p.runs, [&](const run_row& r) { return r.record.id == id; });
    if (row) touch(row->state);
    return row;
  }
  run_row* find_run(run_id id) const {
    auto* row = find_live_run(id);
    if (!row && source)
      if (auto found = source->find_run(id)) {
        row = &p.runs.emplace_back(std::move(*found));
        touch(row->state);
      }
    return row;
  }
  bool is_live(run_id id) const {
    const auto* row = find_live_run(id);
    return row && !row->has_ended();
  }
  call_row* find_open_call(run_id run, const tool_call_id& call) const {
    auto* row = newest(p.calls, [&](const call_row& c) { return !c.record.ok && c.record.run == run && c.record.id == call; });
    if (row) touch(row->state);
    return row;
  }
  message_row* find_message(message_id id) const {
    auto* row = newest(p.messages, [&](const message_row& m) { return m.record.id == id; });
    if (row) touch(row->state);
    return row;
  }
  template <class Predicate>
  void expire_approvals(Predicate concerned) const {
    for (auto& a : p.approvals)
      if (!a.record.decision && concerned(a.record)) {
        a.record.decision = decision::expired;
        a.record.decided_at = e.at;
        touch(a.state);
      }
  }
  bool is_asking(run_id run) const {
    return std::any_of(p.approvals.begin(), p.approvals.end(),
                       [&](const approval_row& a) { return !a.record.decision && a.record.run == run; });
  }

  run_row& add_run(run_id id, message_id message) const {
    auto& row = p.runs.emplace_back();
    row.record.id = id;
    row.record.session = p.session.id;
    row.record.message = message;
    row.record.agent = p.session.agent;
    row.record.queued_at = e.at;
    row.first_seq = e.seq;
    if (auto* m = find_message(message)) {
      m->record.run = id;
    } else {
      p.late_messages.push_back({message, id});
    }
    return row;
  }
  void add_message(message_record m) const {
    if (m.content.empty() && m.calls.empty()) return;
    m.number = ++p.message_rows;
    m.session = p.session.id;
    m.seq = e.seq;
    m.created_at = e.at;
    if (!m.content.empty()) ++p.session.message_count;
    p.messages.push_back({std::move(m), false, row_state::fresh});
  }
  bool end_run(run_id id, run_status status, std::uint32_t steps, std::string code = {}, std::string text = {}) const {
    auto* r = find_run(id);
    if (!r || r->has_ended()) return false;
    r->record.status = status;
    r->record.steps = std::max(r->record.steps, steps);
    r->record.error_code = std::move(code);
    r->record.error_text = std::move(text);
    r->record.ended_at = e.at;
    r->ended_seq = e.seq;
    // Nobody waits for an answer or a result any more; the model is told the same (core/history.hpp).
    expire_approvals([&](const approval_record& a) { return a.run == id; });
    for (auto& c : p.calls)
      if (c.record.run == id && !c.record.ok) {
        c.record.ok = false;
        c.record.output = missing_result_text;
        c.record.ended_at = e.at;
        touch(c.state);
      }
    return true;
  }

  void operator()(const session_created& c) const {
    auto& s = p.session;
    s.project = c.project;
    s.agent = c.agent;
    s.dialect = c.dialect;
    s.alias = c.alias;
    s.owner = c.owner;
    s.metadata = c.metadata;
    s.created_at = e.at;
  }
  void operator()(const session_updated& c) const {
    p.session.status = c.status;
    if (!c.title.empty()) p.session.title = c.title;
  }
  void operator()(const session_closed&) const { p.session.status = session_status::closed; }

  void operator()(const message_added& m) const {
    message_record r;
    r.id = m.message;
    r.role = m.role;
    r.content = m.content;
    r.author = m.author;
    r.client_message_id = m.client_message_id;
    add_message(std::move(r));
  }
  void operator()(const message_completed& m) const {
    message_record r;
    r.id = m.message;
    r.run = m.run;
    r.role = role::assistant;
    r.content = m.content;
    r.calls = m.calls;
    r.cut = m.cut;
    add_message(std::move(r));
  }

  void operator()(const run_queued& q) const {
    if (!find_live_run(q.run)) add_run(q.run, q.message);
  }
  void operator()(const run_started& s) const {
    auto* r = find_live_run(s.run);
    if (!r) r = &add_run(s.run, s.message);
    r->record.status = run_status::running;
    r->record.trace = s.trace;
    if (!s.agent.empty()) r->record.agent = s.agent;
    r->config_hash = s.config_hash;
    if (s.queued_at.count() != 0) r->record.queued_at = s.queued_at;
    r->record.started_at = e.at;
    r->started_seq = e.seq;
  }
  void operator()(const run_dequeued& d) const {
    if (!end_run(d.run, run_status::dequeued, 0)) return;
    if (auto* m = find_message(d.message)) {
      m->is_removed = true;
    } else {
      p.late_messages.push_back({d.message, {}});
    }
    --p.session.message_count;
  }
  void operator()(const run_completed& c) const { end_run(c.run, run_status::completed, c.steps); }
  void operator()(const run_failed& f) const {
    end_run(f.run, run_status::failed, f.steps, std::string(to_string(f.code)), f.text);
  }
  void operator()(const run_cancelled& c) const { end_run(c.run, run_status::cancelled, 0); }

  void operator()(const step_started& s) const {
    auto* r = find_run(s.run);
    if (!r) return;
    r->record.steps = std::max(r->record.steps, s.step);
    r->provider = s.provider;
    r->model = s.model;
  }
  void operator()(const usage_recorded& u) const {
    auto* r = find_run(u.run);
    p.usage.push_back({u, e.seq, e.at, r ? r->record.agent : p.session.agent});
    p.session.tokens += u.tokens;
    p.session.cost += u.cost;
    if (!r) return;
    r->record.tokens += u.tokens;
    r->record.cost += u.cost;
  }

  call_row& add_call(run_id run, const tool_call_id& call, const std::string& tool) const {
    auto& row = p.calls.emplace_back();
    row.record.id = call;
    row.record.session = p.session.id;
    row.record.run = run;
    row.record.tool = tool;
    row.seq = e.seq;
    return row;
  }
  // An interrupted call that starts again is still the same call.
  void operator()(const tool_started& t) const {
    if (!is_live(t.run)) return;
    auto* row = find_open_call(t.run, t.call);
    if (!row) row = &add_call(t.run, t.call, t.tool);
    row->record.input = t.input;
    row->record.effect = t.effect;
    row->record.started_at = e.at;
  }
  void operator()(const tool_completed& t) const {
    if (!is_live(t.run)) return;
    auto* row = find_open_call(t.run, t.call);
    if (!row) row = &add_call(t.run, t.call, t.tool);
    row->record.ok = t.ok;
    row->record.output = t.output;
    row->record.ms = t.ms;
    row->record.ended_at = e.at;
    expire_approvals([&](const approval_record& a) { return a.run == t.run && a.call == t.call; });
    settle_parked(t.run);
  }
  void operator()(const approval_requested& a) const {
    auto* r = find_live_run(a.run);
    if (!r || r->has_ended()) return;
    r->record.status = run_status::parked;
    auto& row = p.approvals.emplace_back().record;
    row.id = a.approval;
    row.project = p.session.project;
    row.agent = r->record.agent;
    row.session = p.session.id;
    row.run = a.run;
    row.call = a.call;
    row.tool = a.tool;
    row.action = a.action;
    row.kind = a.kind;
    row.risk = a.risk;
    row.created_at = e.at;
    row.expires_at = a.expires_at;
  }
  void operator()(const approval_decided& d) const {
    auto* a = newest(p.approvals, [&](const approval_row& row) { return row.record.id == d.approval; });
    if (!a || a->record.decision) return;  // the first decision won
    touch(a->state);
    a->record.decision = d.decision;
    a->record.decided_by = d.by;
    a->record.note = d.note;
    a->record.decided_at = e.at;
    if (!d.edited_input.empty())
      if (auto* call = find_open_call(d.run, d.call)) call->record.input = d.edited_input;
    settle_parked(d.run);
  }
  void settle_parked(run_id id) const {
    auto* r = find_live_run(id);
    if (r && r->record.status == run_status::parked && !is_asking(id)) r->record.status = run_status::running;
  }
  template <class Other>
  void operator()(const Other&) const {}
};

void session_projection::apply(const event& e, run_source* source) {
  std::visit(projection_fold{*this, e, source}, e.payload);
  session.last_seq = e.seq;
  if (is_news(e.payload)) {
    session.updated_at = e.at;
    lists_change = true;
  }
  touch(state);
}

void session_projection::let_go_of_finished() {
  state = row_state::stored;
  lists_change = false;
  std::erase_if(runs, [](const run_row& r) { return r.has_ended(); });
  auto is_live = [&](run_id id) {
    return std::any_of(runs.begin(), runs.end(), [&](const run_row& r) { return r.record.id == id; });
  };
  std::erase_if(calls, [&](const call_row& c) { return c.record.ok || !is_live(c.record.run); });
  std::erase_if(approvals, [](const approval_row& a) { return a.record.decision.has_value(); });
  for (auto& r : runs) {
    r.state = row_state::stored;
    r.stored_status = r.record.status;
    r.stored_started_seq = r.started_seq;
  }
  for (auto& c : calls) c.state = row_state::stored;
  for (auto& a : approvals) a.state = row_state::stored;
  messages.clear();
  usage.clear();
  late_messages.clear();
}

}  // namespace troupe::storage
