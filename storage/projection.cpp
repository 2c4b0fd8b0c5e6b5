#include "storage/projection.hpp"

#include "core/event_json.hpp"
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
               std::is_same_v<kind, session_updated> || std::is_same_v<kind, session_closed> ||
               std::is_same_v<kind, history_cleared>;
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
  row_source* source;

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
  /// Also one that was written before: for what happens rarely.
  message_row* find_any_message(message_id id) const {
    auto* row = find_message(id);
    if (!row && source)
      if (auto found = source->find_message(p.session.id, id)) row = &p.messages.emplace_back(std::move(*found));
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
  void add_message(message_record m, std::string options = {}) const {
    if (m.content.empty() && m.calls.empty() && m.attachments.empty()) return;
    m.number = ++p.message_rows;
    m.session = p.session.id;
    m.seq = e.seq;
    m.created_at = e.at;
    if (!m.content.empty()) ++p.session.message_count;
    p.messages.push_back({std::move(m), std::move(options), false, row_state::fresh});
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
    s.parent = c.parent;
    s.parent_call = c.parent_call;
    s.depth = c.depth;
    s.created_at = e.at;
    p.forked_from = c.forked_from;
    p.forked_at = c.forked_at;
  }
  void operator()(const session_updated& c) const {
    auto& s = p.session;
    s.status = c.status;
    if (!c.title.empty()) s.title = c.title;
    if (!c.metadata.empty()) {
      s.metadata = c.metadata;
      p.settings_change = true;
    }
    if (c.participants) {
      s.participants = *c.participants;
      std::sort(s.participants.begin(), s.participants.end());
      s.participants.erase(std::unique(s.participants.begin(), s.participants.end()), s.participants.end());
      p.participants_change = true;
    }
  }
  void operator()(const session_closed&) const { p.session.status = session_status::closed; }

  void operator()(const message_added& m) const {
    message_record r;
    r.id = m.message;
    r.role = m.role;
    r.content = m.content;
    r.author = m.author;
    r.client_message_id = m.client_message_id;
    r.author_name = m.author_name;
    r.attachments = m.attachments;
    add_message(std::move(r), m.options);
  }
  void operator()(const message_edited& m) const {
    auto* r = newest(p.runs, [&](const run_row& row) { return row.is_queued() && row.record.message == m.message; });
    auto* row = r ? find_any_message(m.message) : nullptr;
    if (!row) return;
    p.session.message_count += int{!m.content.empty()} - int{!row->record.content.empty()};
    row->record.content = m.content;
  }
  void operator()(const history_cleared&) const {
    auto& kept = p.clearings.emplace_back();
    kept.seq = e.seq;
    p.cleared_seq = e.seq;
    p.settings_change = true;
    for (const auto& r : p.runs)
      if (!r.has_ended()) {
        kept.kept.push_back(r.record.message);
        kept.kept_runs.push_back(r.record.id);
      }
    p.session.message_count = 0;
    for (auto id : kept.kept)
      if (const auto* row = find_any_message(id); row && !row->is_removed && !row->record.content.empty())
        ++p.session.message_count;
    for (auto& m : p.messages) {
      if (m.is_removed || contains(kept.kept, m.record.id) || contains(kept.kept_runs, m.record.run)) continue;
      m.is_removed = true;
      touch(m.state);
    }
  }
  template <class T>
  static bool contains(const std::vector<T>& all, const T& one) {
    return std::find(all.begin(), all.end(), one) != all.end();
  }
  void operator()(const reaction_changed& c) const {
    if (!c.message.is_nil()) p.reactions.push_back({c, e.seq});
  }
  void operator()(const message_feedback& f) const {
    if (!f.message.is_nil()) p.feedback.push_back({f, e.seq, e.at});
  }
  void operator()(const cost_alert& a) const {
    p.alerts.push_back({{e.at, a.scope, subject_of(a.scope), a.percent, a.spend, a.budget, p.session.id}, e.seq});
  }
  /// An alert of an agent stands behind the usage that it is about.
  std::string subject_of(const std::string& scope) const {
    if (scope == "session") return p.session.id.str();
    if (scope == "project") return p.session.project.str();
    if (scope == "user") return p.session.owner;
    return (p.usage.empty() ? p.session.agent : p.usage.back().agent).str();
  }
  void operator()(const file_added& f) const {
    if (!f.file.file.is_nil()) p.files.push_back({{f.file, p.session.id, f.by, e.at, f.data}, e.seq});
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
    auto* m = find_any_message(d.message);
    if (!m || m->is_removed) return;
    m->is_removed = true;
    if (!m->record.content.empty()) --p.session.message_count;
  }
  // Who is named comes first, and all share the places that they had.
  void operator()(const queue_reordered& q) const {
    std::vector<run_row*> waiting;
    std::vector<seq_t> places;
    for (auto& r : p.runs)
      if (r.is_queued()) {
        waiting.push_back(&r);
        places.push_back(r.queue_position());
      }
    std::sort(places.begin(), places.end());
    auto rank = [&](const run_row* r) { return std::find(q.messages.begin(), q.messages.end(), r->record.message); };
    std::sort(waiting.begin(), waiting.end(), [&](const run_row* a, const run_row* b) {
      auto rank_a = rank(a);
      auto rank_b = rank(b);
      return rank_a != rank_b ? rank_a < rank_b : a->queue_position() < b->queue_position();
    });
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      if (waiting[i]->queue_position() == places[i]) continue;
      waiting[i]->place = places[i];
      touch(waiting[i]->state);
    }
  }
  void operator()(const run_completed& c) const { end_run(c.run, run_status::completed, c.steps); }
  void operator()(const run_failed& f) const {
    end_run(f.run, run_status::failed, f.steps, std::string(to_string(f.code)), f.text);
  }
  void operator()(const run_cancelled& c) const { end_run(c.run, run_status::cancelled, 0); }
  // What follows in this run is the new agent's; with which configuration the log does not say.
  void operator()(const agent_changed& c) const {
    if (c.agent.empty()) return;
    p.session.agent = c.agent;
    p.settings_change = true;
    auto* r = find_live_run(c.run);
    if (!r || r->has_ended() || r->record.agent == c.agent) return;
    r->record.agent = c.agent;
    r->config_hash = 0;
  }

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
    add_cost(r, u.tokens, u.cost);
  }
  void add_cost(run_row* r, const token_usage& tokens, micro_usd cost) const {
    p.session.tokens += tokens;
    p.session.cost += cost;
    if (!r) return;
    r->record.tokens += tokens;
    r->record.cost += cost;
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
    row->record.child = t.child;
    row->allowed_by = t.allowed_by;
    row->record.started_at = e.at;
  }
  void operator()(const tool_completed& t) const {
    // A sub-agent's bill counts however late it comes; its usage has rows of its own, in its own session.
    if (t.child_cost.value != 0 || t.child_tokens != token_usage{}) add_cost(find_run(t.run), t.child_tokens, t.child_cost);
    if (!is_live(t.run)) return;
    auto* row = find_open_call(t.run, t.call);
    if (!row) row = &add_call(t.run, t.call, t.tool);
    row->record.ok = t.ok;
    row->record.output = t.output;
    row->record.ms = t.ms;
    row->record.ended_at = e.at;
    row->record.output_bytes = t.output_bytes;
    row->record.cost = t.child_cost;
    if (t.output_bytes > 0) p.outputs.push_back({t.run, t.call, e.seq, t.output_bytes, t.whole_output});
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
    row.arguments_hash = a.arguments_hash;
    row.prompt = a.prompt;
    row.schema = a.schema;
    row.deciders = a.deciders;
    row.not_by = a.not_by;
    row.origin = a.origin;
    row.origin_approval = a.origin_approval;
  }
  approval_row* find_open_approval(approval_id id) const {
    auto* a = newest(p.approvals, [&](const approval_row& row) { return row.record.id == id; });
    if (!a || a->record.decision) return nullptr;  // the first decision won
    touch(a->state);
    return a;
  }
  void operator()(const approval_endorsed& d) const {
    auto* a = find_open_approval(d.approval);
    if (!a) return;
    auto& r = a->record;
    // Who said yes before said it of other arguments.
    if (!d.edited_input.empty() && as_logged(d.edited_input) != as_logged(r.edited_input.empty() ? r.action : r.edited_input)) {
      r.edited_input = d.edited_input;
      if (!d.arguments_hash.empty()) r.arguments_hash = d.arguments_hash;
      r.endorsed_by.clear();
    }
    if (!contains(r.endorsed_by, d.by)) r.endorsed_by.push_back(d.by);
  }
  void operator()(const approval_decided& d) const {
    auto* a = find_open_approval(d.approval);
    if (!a) return;
    a->record.decision = d.decision;
    a->record.decided_by = d.by;
    a->record.note = d.note;
    a->record.decided_at = e.at;
    a->record.edited_input = d.edited_input;
    a->record.choice = d.choice;
    a->record.answer = d.answer;
    if (!d.arguments_hash.empty()) a->record.arguments_hash = d.arguments_hash;
    // What a running call or its sub-agent wanted to know says nothing of the call itself.
    if (!d.edited_input.empty() && a->record.kind != approval_kind::input && a->record.origin.is_nil())
      if (auto* call = find_open_call(d.run, d.call)) call->record.input = d.edited_input;
    settle_parked(d.run);
  }
  void settle_parked(run_id id) const {
    auto* r = find_live_run(id);
    if (r && r->record.status == run_status::parked && !is_asking(id)) r->record.status = run_status::running;
  }

  void operator()(const grant_given& g) const {
    if (g.grant.is_nil() || find_grant(g.grant)) return;
    p.grants.push_back({{g, p.session.project, p.session.agent, p.session.id, e.at, millis(0), {}}, e.seq});
  }
  void operator()(const grant_revoked& g) const {
    auto* row = find_grant(g.grant);
    if (!row) return void(p.late_revocations.push_back({g.grant, g.by, e.at}));
    if (row->record.revoked_at.count() != 0) return;
    row->record.revoked_at = e.at;
    row->record.revoked_by = g.by;
  }
  grant_row* find_grant(grant_id id) const {
    return newest(p.grants, [&](const grant_row& g) { return g.record.grant.grant == id; });
  }
  template <class Other>
  void operator()(const Other&) const {}
};

std::string as_logged(const std::string& json_text) {
  auto payload = payload_from_text("session_updated", payload_to_text(session_updated{{}, {}, {}, json_text}));
  return payload ? std::get<session_updated>(*payload).metadata : json_text;
}

void session_projection::apply(const event& e, row_source* source) {
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
  settings_change = false;
  participants_change = false;
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
    r.stored_place = r.place;
    r.stored_agent = r.record.agent;
    r.stored_config_hash = r.config_hash;
  }
  for (auto& c : calls) c.state = row_state::stored;
  for (auto& a : approvals) a.state = row_state::stored;
  messages.clear();
  usage.clear();
  files.clear();
  reactions.clear();
  feedback.clear();
  alerts.clear();
  outputs.clear();
  grants.clear();
  late_revocations.clear();
  late_messages.clear();
  clearings.clear();
}

}  // namespace troupe::storage
