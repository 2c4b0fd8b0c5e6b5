// The session and its runs: starting, queueing, recording what the loop reports, going on after a restart.
#include "actors/agent_loop.hpp"
#include "actors/delegation.hpp"
#include "actors/session_core.hpp"

#include <algorithm>

namespace troupe::actors {

namespace {

/// Who wrote a message, as far as the log knows.
core::principal author_of(const std::string& id, const std::string& name) {
  core::principal who;
  who.id = id;
  who.name = name;
  if (!id.empty()) who.scopes = core::scope::user;
  return who;
}

/// What clients have of the answer that was being written.
std::string text_of_open_step(const std::vector<core::event>& run) {
  std::string text;
  for (const auto& e : run) {
    const auto* lost = e.as<core::message_superseded>();
    if (e.as<core::step_started>() || (lost && !lost->message.is_nil())) text.clear();
    if (const auto* delta = e.as<core::text_delta>()) text += delta->pieces.text;
  }
  return text;
}

}  // namespace

core::micro_usd cost_in(const std::vector<core::event_payload>& facts) {
  core::micro_usd cost;
  for (const auto& f : facts)
    if (const auto* usage = std::get_if<core::usage_recorded>(&f)) cost += usage->cost;
  return cost;
}

std::shared_ptr<const core::agent_config> session_core::agent() const {
  return s.services->config->find_agent(s.record.project, s.record.agent);
}

void session_core::with_history(std::function<void()> f) {
  if (s.history_loaded) return f();
  auto upto = s.log.last();
  s.log.when_stored([self = self, upto, f = std::move(f)](const core::error* e) mutable {
    if (e) return;  // the session leaves, and starts again from its log
    self->request(self->state.services->reader_for(self->state.id), caf::infinite, load_history{self->state.id, upto})
        .then(
            [self, f](const event_page& page) {
              session_core me{self};
              if (!me.s.history_loaded) {
                std::uint32_t answers = 0;
                for (const auto& event : page.events) {
                  me.s.history.apply(event);
                  if (const auto* m = event.as<core::message_added>(); m && me.s.run && m->message == me.s.run->message)
                    me.s.run->by = author_of(m->author, m->author_name);
                  if (event.as<core::message_completed>() || event.as<core::history_compacted>()) ++answers;
                }
                // Calls of earlier incarnations; one that failed without a word is not among them.
                me.s.model_calls = std::max(me.s.model_calls, answers);
                for (const auto& event : me.s.history_backlog) me.s.history.apply(event);
                me.s.history_backlog.clear();
                me.s.history_loaded = true;
              }
              f();
            },
            [self](const caf::error& error) { session_core{self}.on_store_failed(from_caf(error)); });
  });
}

void session_core::start_run(core::agent_ptr config, const core::run_id& run, const core::message_id& message,
                             core::principal by, std::string question, const core::message_options& options,
                             core::millis queued_at, payloads facts, session_log::stored_fn stored) {
  core::run_started started{run,
                            message,
                            s.services->environment->make<core::message_id>(),
                            core::trace_id{s.services->environment->random_uuid()},
                            config->id,
                            config->hash,
                            queued_at,
                            std::move(question)};
  facts.emplace_back(started);
  append(std::move(facts), std::move(stored));
  spawn_loop(run, message, std::move(by), options, {}, std::move(config));
}

void session_core::spawn_loop(const core::run_id& run, const core::message_id& message, core::principal by,
                              const core::message_options& options, core::turn before, core::agent_ptr agent) {
  s.run = session_state::current_run{run, message, options, {}, {}, std::move(by), std::move(agent)};
  // The history must hold the message this run answers before it is lent to the loop.
  with_history(
      [self = self, run, before = std::move(before)]() mutable { session_core{self}.lend_history(run, std::move(before)); });
}

void session_core::lend_history(const core::run_id& run, core::turn before) {
  if (!s.run || s.run->run != run) return;
  if (s.phase == session_state::life::retiring) return;  // a loop of its own would outlive the session
  for (const auto& e : s.history_backlog) s.history.apply(e);
  s.history_backlog.clear();
  run_order order;
  order.agent = s.run->agent;
  order.record = s.record;
  order.directory = s.directory;
  order.by = s.run->by;
  order.depth = s.record.depth;
  order.session = s.id;
  order.run = run;
  order.trace = s.turn.trace;
  order.reply = s.turn.reply;
  order.options = s.run->options;
  order.history = std::move(s.history);
  order.before = std::move(before);
  order.model_calls = s.model_calls;
  order.session_spend = s.record.cost - order.before.cost;
  s.history = {};
  s.run->loop = self->spawn(agent_loop, s.services, me(), std::move(order));
  self->monitor(s.run->loop);
  // Those that are open already are of before a restart. What a call had asked nobody hears any more: the loop closes it.
  for (const auto& open : s.turn.open_approvals)
    if (open.kind != core::approval_kind::input || !open.origin.is_nil()) open_approval(open);
  if (s.run->stop) self->send(s.run->loop, *s.run->stop);
}

void session_core::ask_to_stop(const std::string& by, payloads& facts) {
  if (s.run->stop) return;
  s.run->stop = stop_run{by};
  facts.emplace_back(core::run_stop_requested{s.run->run, by});
  // Its history may still be on the way: then the loop hears it first of all.
  if (s.run->loop) self->send(s.run->loop, *s.run->stop);
}

/// The process ended between the wish and its fulfilment. No loop is needed: the text that is stored stays (its last 70 ms may
/// have been seen and not stored; the message as it is completed here counts), what is open gets its end.
void session_core::end_stopped_run(std::string shown) {
  const auto stop = *s.turn.stop;
  payloads facts;
  const bool text_kept = s.turn.step_open && !shown.empty();
  if (text_kept) {
    core::message_completed cut;
    cut.run = s.turn.run;
    cut.step = s.turn.step;
    cut.message = s.turn.reply;
    cut.content = std::move(shown);
    cut.cut = true;
    facts.emplace_back(std::move(cut));
  }
  for (const auto& question : s.turn.open_approvals) {
    core::approval_decided denied;
    denied.run = s.turn.run;
    denied.approval = question.approval;
    denied.call = question.call;
    denied.by = stop.by;
    denied.note = stopped_call_text;
    facts.emplace_back(std::move(denied));
  }
  for (const auto& call : s.turn.calls) {
    if (call.settled) continue;
    if (!call.child.is_nil()) stop_sub_agent(s.directory, s.record, call.child);
    facts.emplace_back(core::tool_completed{s.turn.run, call.id, call.tool, false, std::string(stopped_call_text)});
  }
  facts.emplace_back(core::run_cancelled{s.turn.run, stop.by, text_kept});
  append(std::move(facts));
}

void session_core::resume_run(core::session_state& loaded) {
  for (const auto& e : loaded.live_run) s.turn.apply(e);
  auto shown = s.turn.stop ? text_of_open_step(loaded.live_run) : std::string();
  if (s.turn.active && !loaded.live_run.empty()) {
    auto batch = std::make_shared<core::event_batch>();
    batch->session = s.id;
    batch->events = std::move(loaded.live_run);
    for (const auto& watcher : watchers()) watcher->recall(batch);
    s.live_run.push_back(std::move(batch));
    s.run_is_visible = true;
  }
  // Seqs above the last stored one may have been seen: they are spent. Text of a step that runs again is void.
  bool crashed = s.record.reserved_seq > s.record.last_seq;
  bool stops = s.turn.active && s.turn.stop;
  bool step_again = s.turn.active && s.turn.step_open && !stops;
  if (crashed) {
    core::message_superseded lost{step_again ? s.turn.reply : core::message_id{}, 0};
    if (step_again) lost.from = s.turn.step_text_from != 0 ? s.turn.step_text_from : s.log.last() + 1;
    fold(*s.log.append_spanning(lost, s.record.reserved_seq));
  } else if (step_again && s.turn.step_text_from != 0) {
    append({core::message_superseded{s.turn.reply, s.turn.step_text_from}});
  }
  if (stops) {
    end_stopped_run(std::move(shown));
  } else if (s.turn.active) {
    if (auto began_with = s.services->config->find_agent(s.record.project, s.record.agent, s.turn.config_hash))
      return spawn_loop(s.turn.run, s.turn.message, {}, core::message_options_from(loaded.live_options), s.turn,
                        std::move(began_with));
    append({core::run_failed{s.turn.run, core::errc::not_found,
                             "The session's agent is no longer configured: " + s.record.agent.str(), s.turn.step}});
  }
  start_next_in_queue();
}

void session_core::start_next_in_queue() {
  if (s.run || s.queue.empty() || s.record.status != core::session_status::active) return;
  auto config = agent();
  if (!config) return;
  auto next = std::move(s.queue.front());
  s.queue.pop_front();
  start_run(std::move(config), next.run, next.message, author_of(next.author, next.author_name), std::move(next.content),
            core::message_options_from(next.options), next.at, {}, {});
}

void session_core::on_record(payloads facts, caf::strong_actor_ptr by, caf::typed_response_promise<recorded> promise) {
  if (s.phase == session_state::life::retiring)
    return void(promise.deliver(to_caf({core::errc::shutting_down, "The session is leaving; its run goes on later."})));
  drop_late_decisions(facts);
  if (facts.empty())
    return void(promise.deliver(to_caf({core::errc::approval_not_pending, "The call ended before this decision was stored."})));
  std::vector<core::approval_requested> questions;
  std::vector<core::approval_id> decided;
  std::vector<core::grant_record> grants;
  for (const auto& f : facts) {
    if (const auto* question = std::get_if<core::approval_requested>(&f)) questions.push_back(*question);
    if (const auto* decision = std::get_if<core::approval_decided>(&f)) decided.push_back(decision->approval);
    if (const auto* grant = std::get_if<core::grant_given>(&f)) {
      core::grant_record given;
      given.grant = *grant;
      given.project = s.record.project;
      given.agent = s.record.agent;
      given.session = s.id;
      given.created_at = now();
      grants.push_back(std::move(given));
    }
  }
  add_alerts(facts);
  append(std::move(facts), [self = self, promise, by = std::move(by), questions = std::move(questions),
                            decided = std::move(decided), grants = std::move(grants)](const core::error* e) mutable {
    if (e) return void(promise.deliver(to_caf(*e)));
    for (auto& grant : grants) self->state.services->grants->add(std::move(grant));
    // Only now: until the decision is on disk its actor alone knows the winner.
    for (const auto& id : decided) session_core{self}.close_approval(id, by);
    for (const auto& q : questions) session_core{self}.open_approval(q);
    promise.deliver(recorded{});
  });
}

void session_core::on_text(stream_text& m) {
  if (s.phase == session_state::life::retiring) return;  // its step runs again
  s.log.stream(m.message, std::move(m.text), std::move(m.reasoning));
  arm_flush();
}

void session_core::on_run_finished(finish_run& m) {
  if (!s.run || s.run->run != m.run || s.phase == session_state::life::retiring) return;
  self->demonitor(s.run->loop.address());
  close_approvals();  // before the facts that settle them are folded in
  drop_late_decisions(m.payloads);
  auto end = std::move(m.payloads.back());
  m.payloads.pop_back();
  add_alerts(m.payloads);
  bool is_completed = std::holds_alternative<core::run_completed>(end);
  m.payloads.push_back(std::move(end));
  if (is_completed) add_title(m.run, m.history, m.payloads);
  append(std::move(m.payloads));
  s.model_calls = std::max(s.model_calls, m.model_calls);
  s.run.reset();
  s.history = std::move(m.history);
  for (const auto& e : s.history_backlog) s.history.apply(e);
  s.history_backlog.clear();
  s.last_activity = now();
  start_next_in_queue();
}

void session_core::on_loop_down(caf::down_msg& m) {
  if (!s.run || !s.run->loop || m.source != caf::actor_cast<caf::actor_addr>(s.run->loop)) return;
  // It broke without a word: its history went with it and is read again for the next run.
  auto run = s.run->run;
  s.run.reset();
  s.history = {};
  s.history_backlog.clear();
  s.history_loaded = false;
  close_approvals();
  payloads facts;
  for (const auto& question : s.turn.open_approvals) {
    core::approval_decided closed;
    closed.run = run;
    closed.approval = question.approval;
    closed.call = question.call;
    closed.decision = core::decision::expired;
    facts.emplace_back(std::move(closed));
  }
  for (const auto& c : s.turn.calls)
    if (!c.settled)
      facts.emplace_back(core::tool_completed{run, c.id, c.tool, false, std::string(core::missing_result_text), 0});
  facts.emplace_back(core::run_failed{run, core::errc::agent_run_failed, "The agent loop stopped unexpectedly.", s.turn.step});
  append(std::move(facts));
  start_next_in_queue();
}

/// Alerts behind the usage in `facts`, which is new: for each threshold of the session, its agent and its project that it
/// carries the spend over.
void session_core::add_alerts(payloads& facts) const {
  auto cost = cost_in(facts);
  if (cost.value == 0) return;
  if (auto config = agent(); config && config->limits.budget) {
    auto spend = s.record.cost + cost;
    auto percent = percent_of(spend, *config->limits.budget);
    if (crossed_threshold(config->alerts, percent_of(s.record.cost, *config->limits.budget), percent))
      facts.emplace_back(core::cost_alert{"session", spend, *config->limits.budget, percent});
  }
  for (auto& alert : s.services->spending->add(s.record.project, s.record.agent, now(), cost))
    facts.emplace_back(std::move(alert));
}

}  // namespace troupe::actors
