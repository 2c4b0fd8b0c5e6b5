#include "actors/session_core.hpp"

#include <algorithm>
#include <iterator>

namespace troupe::actors {

namespace {
constexpr std::chrono::milliseconds flush_delay{70};  // at most
constexpr std::chrono::milliseconds flush_grid{20};
constexpr std::chrono::milliseconds onlooker_delay{1'000};
}  // namespace

// ---- life ----

void session_core::load() {
  self->request(s.services->reader_for(s.id), caf::infinite, load_session{s.id})
      .then([self = self](loaded_session& m) { session_core{self}.on_loaded(m); },
            [self = self](const caf::error& e) { session_core{self}.on_store_failed(from_caf(e)); });
  self->delayed_send(self, onlooker_delay, idle_tick{});
}

void session_core::on_loaded(loaded_session& m) {
  s.last_activity = now();
  s.phase = session_state::life::awake;
  if (m.state) {
    auto& loaded = *m.state;
    s.record = std::move(loaded.session);
    open_log(s.record.last_seq, s.record.reserved_seq);
    s.queue.assign(std::make_move_iterator(loaded.queue.begin()), std::make_move_iterator(loaded.queue.end()));
    resume_run(loaded);
  } else {
    open_log(0, 0);
    s.history_loaded = s.files_loaded = true;
  }
  auto deferred = std::move(s.deferred);
  s.deferred.clear();
  for (auto& d : deferred) d.run();
}

void session_core::on_idle_tick() {
  // A client that only looks on costs a sink, not an actor.
  auto patience = s.is_used ? s.services->config->limits.session_idle_timeout : onlooker_delay;
  bool busy = s.run || !s.queue.empty() || s.title_writer || s.phase != session_state::life::awake;
  std::chrono::milliseconds idle_for = now() - s.last_activity;
  if (busy || idle_for < patience) return self->delayed_send(self, busy ? patience : patience - idle_for, idle_tick{});
  s.phase = session_state::life::resting;
  s.log.when_stored([self = self](const core::error* e) {
    session_core me{self};
    if (e) return;
    if (me.s.phase != session_state::life::resting) return me.self->delayed_send(me.self, flush_delay, idle_tick{});
    // From here on what arrives waits, and goes back to the directory.
    me.s.phase = session_state::life::retiring;
    if (me.exists())
      me.s.log.release([self = me.self](const core::error*) { session_core{self}.leave(false); });
    else
      me.leave(false);
  });
}

void session_core::leave(bool wake_again, bool broke) {
  s.phase = session_state::life::retiring;
  drop_title_writer();
  self->request(s.directory, caf::infinite, retire{s.id, s.sinks, wake_again, broke})
      .then(
          [self = self](const retired&) {
            // The directory sends nothing more to this actor: what came until now goes to the next incarnation.
            for (auto& d : self->state.deferred) d.forward();
            self->state.deferred.clear();
            self->quit();
          },
          [self = self](const caf::error& e) {
            for (auto& d : self->state.deferred) d.refuse(e);
            self->quit();
          });
}

void session_core::on_exit(caf::exit_msg& m) {
  auto reason = m.reason;
  if (s.phase == session_state::life::loading || !exists() || s.log.has_failed()) return self->quit(reason);
  // A run in flight stays in flight in the log: the next start goes on with it.
  if (s.run) {
    self->demonitor(s.run->loop.address());
    self->send_exit(s.run->loop, reason);
  }
  close_approvals();
  drop_title_writer();
  s.phase = session_state::life::retiring;
  s.log.when_stored([self = self, reason](const core::error*) {
    self->state.log.release([self, reason](const core::error*) { self->quit(reason); });
  });
}

void session_core::on_attach(attach m, caf::typed_response_promise<attached> promise) {
  if (m.must_exist && !exists()) {
    promise.deliver(to_caf({core::errc::not_found, "Session not found: " + s.id.str()}));
    return;
  }
  s.sinks.push_back(std::move(m.sink));
  promise.deliver(attached{s.record, s.log.published(), s.live_run});
}

void session_core::on_read(read_events m, caf::typed_response_promise<event_page> promise) {
  s.log.when_stored([self = self, m, promise](const core::error* e) mutable {
    if (e)
      promise.deliver(to_caf(*e));
    else
      promise.delegate(self->state.services->reader_for(m.session), m);
  });
}

void session_core::on_store_failed(const core::error& e) {
  for (auto& d : s.deferred) d.refuse(to_caf(e));
  s.deferred.clear();
  if (s.run) {
    self->demonitor(s.run->loop.address());
    self->send_exit(s.run->loop, caf::exit_reason::kill);
  }
  close_approvals();
  if (s.phase != session_state::life::retiring) leave(true);
}

// ---- log ----

void session_core::open_log(core::seq_t last, core::seq_t reserved) {
  auto self_ptr = self;
  s.log.open(s.id, last, reserved,
             {[self_ptr](storage::append a, session_log::stored_fn done) {
                self_ptr->request(self_ptr->state.services->persistence, caf::infinite, actors::append{std::move(a)})
                    .then([done](const committed&) { done(nullptr); },
                          [self_ptr, done](const caf::error& e) {
                            auto error = from_caf(e);
                            done(&error);
                            session_core{self_ptr}.on_store_failed(error);
                          });
              },
              [self_ptr](const core::event_batch_ptr& batch) { session_core{self_ptr}.show(batch); },
              [self_ptr] { return self_ptr->state.services->environment->now(); }});
}

namespace {

/// The bytes of files and long outputs are on disk by now; who keeps the batch need not keep them.
core::event_batch_ptr without_data(core::event_batch_ptr batch) {
  auto holds_data = [](const core::event& e) {
    const auto* file = e.as<core::file_added>();
    const auto* result = e.as<core::tool_completed>();
    return (file && file->data) || (result && result->whole_output);
  };
  if (std::none_of(batch->events.begin(), batch->events.end(), holds_data)) return batch;
  auto out = std::make_shared<core::event_batch>(*batch);
  for (auto& e : out->events) {
    if (auto* file = std::get_if<core::file_added>(&e.payload)) file->data = nullptr;
    if (auto* result = std::get_if<core::tool_completed>(&e.payload)) result->whole_output = nullptr;
  }
  return out;
}

}  // namespace

void session_core::show(core::event_batch_ptr batch) {
  batch = without_data(std::move(batch));
  bool over = false;
  for (const auto& e : batch->events) {
    if (e.as<core::run_started>()) {
      s.live_run.clear();
      s.run_is_visible = true;
      over = false;
    } else if (e.as<core::run_completed>() || e.as<core::run_failed>() || e.as<core::run_cancelled>()) {
      over = true;
    }
  }
  if (over) {
    s.run_is_visible = false;
    s.live_run.clear();
  } else if (s.run_is_visible) {
    s.live_run.push_back(batch);
  }
  deliver(batch);
}

void session_core::deliver(const core::event_batch_ptr& batch) const {
  for (const auto& sink : s.sinks) sink->deliver(batch);
  for (const auto& watcher : watchers()) watcher->deliver(batch);
}

const std::vector<event_sink_ptr>& session_core::watchers() const {
  static const std::vector<event_sink_ptr> nobody;
  const auto& all = s.services->watchers;
  if (!all) return nobody;
  auto it = all->find(s.record.dialect);
  return it == all->end() ? nobody : it->second;
}

void session_core::append(payloads facts, session_log::stored_fn stored) {
  fold(*s.log.append(std::move(facts), std::move(stored)));
}

void session_core::fold(const core::event_batch& batch) {
  for (const auto& e : batch.events) {
    s.turn.apply(e);
    if (const auto* created = e.as<core::session_created>()) {
      s.record.id = s.id;
      s.record.project = created->project;
      s.record.agent = created->agent;
      s.record.dialect = created->dialect;
      s.record.alias = created->alias;
      s.record.owner = created->owner;
      s.record.metadata = created->metadata;
      s.record.parent = created->parent;
      s.record.parent_call = created->parent_call;
      s.record.depth = created->depth;
      s.record.created_at = e.at;
    }
    if (const auto* usage = e.as<core::usage_recorded>()) {
      s.record.tokens += usage->tokens;
      s.record.cost += usage->cost;
    }
    if (const auto* result = e.as<core::tool_completed>()) {
      s.record.tokens += result->child_tokens;
      s.record.cost += result->child_cost;
    }
    if (const auto* next = e.as<core::agent_changed>()) s.record.agent = next->agent;
    if (e.as<core::step_started>()) ++s.model_calls;
    if (const auto* updated = e.as<core::session_updated>()) {
      s.record.status = updated->status;
      if (!updated->title.empty()) s.record.title = updated->title;
      if (updated->participants) s.record.participants = *updated->participants;
      if (!updated->metadata.empty()) s.record.metadata = updated->metadata;
    }
    if (const auto* file = e.as<core::file_added>(); file && s.files_loaded) s.files.push_back(file->file);
    if (e.as<core::session_closed>()) s.record.status = core::session_status::closed;
    // While the loop has the history it adds its own facts to it; the queue's are added when it comes back.
    if (!s.run && s.history_loaded)
      s.history.apply(e);
    else if (s.run && (e.as<core::message_added>() || e.as<core::message_edited>() || e.as<core::run_dequeued>()))
      s.history_backlog.push_back(e);
  }
}

void session_core::arm_flush() {
  if (s.flush_armed || !s.log.has_unsaved_text()) return;
  s.flush_armed = true;
  // On a grid of all sessions: one wake-up of the clock and one commit serve many of them.
  self->delayed_send(self, flush_delay - now() % flush_grid, flush_tick{});
}

}  // namespace troupe::actors
