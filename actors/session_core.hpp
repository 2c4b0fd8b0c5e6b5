// The session actor's handlers by topic: life (session_core.cpp), commands (session_commands.cpp, what a session holds
// besides its talk: session_content.cpp, copies of others: session_fork.cpp), runs (session_runs.cpp), what people are asked
// (session_approvals.cpp), its title (session_titles.cpp). A view of the actor, made per message; all state is in
// session_state.
#pragma once

#include "actors/session.hpp"

namespace troupe::actors {

struct session_core {
  using self_pointer = session_actor::stateful_pointer<session_state>;
  using payloads = std::vector<core::event_payload>;
  using reply_promise = caf::typed_response_promise<core::command_reply>;

  self_pointer self;
  session_state& s = self->state;

  // ---- life: loading, resting, retiring, exits ----
  void load();
  void on_loaded(loaded_session& m);
  /// Carries the request out now, or when the session is loaded; while it retires the directory gets it back.
  template <class Message, class Promise>
  void when_awake(Message m, Promise promise, void (session_core::*f)(Message, Promise)) {
    if (s.phase == session_state::life::loading || s.phase == session_state::life::retiring) {
      auto shared = std::make_shared<Message>(std::move(m));
      s.deferred.push_back({[self = self, shared, promise, f] { (session_core{self}.*f)(std::move(*shared), promise); },
                            [self = self, shared, promise]() mutable { promise.delegate(self->state.directory, *shared); },
                            [promise](const caf::error& e) mutable { promise.deliver(e); }});
      return;
    }
    s.last_activity = now();
    s.phase = session_state::life::awake;
    (this->*f)(std::move(m), std::move(promise));
  }
  void on_idle_tick();
  void leave(bool wake_again, bool broke = false);
  void on_exit(caf::exit_msg& m);
  void on_attach(attach m, caf::typed_response_promise<attached> promise);
  void on_read(read_events m, caf::typed_response_promise<event_page> promise);
  /// The store refused: what clients saw of it is on disk or text; the directory starts this session again from its log.
  void on_store_failed(const core::error& e);

  // ---- log ----
  void open_log(core::seq_t last, core::seq_t reserved);
  void append(payloads facts, session_log::stored_fn stored = {});
  void show(core::event_batch_ptr batch);
  /// To the sinks and to the watchers of the session's dialect.
  void deliver(const core::event_batch_ptr& batch) const;
  [[nodiscard]] const std::vector<event_sink_ptr>& watchers() const;
  void fold(const core::event_batch& batch);
  void arm_flush();

  // ---- commands ----
  void on_command(submit m, reply_promise promise);
  /// Why this principal may not have this carried out; nothing where it may.
  [[nodiscard]] std::optional<core::error> obstacle(const core::principal& by, const core::command& c) const;
  /// Asks a reader and goes on with its answer; errors, and a session that leaves meanwhile, are told to `promise`.
  template <class Then>
  void look_up(core::query question, reply_promise promise, Then then);
  void on_open(const core::principal& by, core::open_session& c, reply_promise promise);
  void on_send(const core::principal& by, core::send_message& c, reply_promise promise);
  void accept_message(const core::principal& by, core::send_message& c, reply_promise promise);
  void on_decide(const core::principal& by, core::decide_approval& c, reply_promise promise);
  void on_revoke_grant(const core::principal& by, const core::revoke_grant& c, reply_promise promise);
  void on_cancel(const core::principal& by, const core::cancel_run& c, reply_promise promise);
  void on_dequeue(const core::dequeue_message& c, reply_promise promise);
  /// As it is now, for the log.
  [[nodiscard]] core::queue_reordered queue_order() const;
  void on_status(const core::change_status& c, reply_promise promise);
  void on_edit(const core::edit_queued& c, reply_promise promise);
  void on_update(core::update_session& c, reply_promise promise);
  void on_react(const core::principal& by, core::react& c, reply_promise promise);
  void set_reaction(const core::principal& by, core::react& c, bool is_there, reply_promise promise);
  void on_rate(const core::principal& by, core::rate_message& c, reply_promise promise);
  void set_feedback(const core::principal& by, core::rate_message& c, const std::pair<core::rating, std::string>& was,
                    reply_promise promise);
  void on_add_file(const core::principal& by, core::add_file& c, reply_promise promise);
  void on_clear(const core::principal& by, reply_promise promise);
  void on_fork(const core::principal& by, const core::fork_session& c, reply_promise promise);
  /// `then` runs when the session knows its files.
  void with_files(reply_promise promise, std::function<void()> then);
  [[nodiscard]] const core::attachment* find_file(const core::file_id& id) const;

  // ---- runs ----
  [[nodiscard]] std::shared_ptr<const core::agent_config> agent() const;
  void with_history(std::function<void()> f);
  /// `config` is the agent as it is now: it may change, or be deleted, from one look to the next.
  void start_run(core::agent_ptr config, const core::run_id& run, const core::message_id& message, core::principal by,
                 std::string question, const core::message_options& options, core::millis queued_at, payloads facts,
                 session_log::stored_fn stored);
  void spawn_loop(const core::run_id& run, const core::message_id& message, core::principal by,
                  const core::message_options& options, core::turn before, core::agent_ptr agent);
  void lend_history(const core::run_id& run, core::turn before);
  /// The current run ends soon; that it is to is the last of `facts`, for the process may end before it has. Once per run.
  void ask_to_stop(const std::string& by, payloads& facts);
  void resume_run(core::session_state& loaded);
  void end_stopped_run(std::string shown);
  void start_next_in_queue();
  void on_record(payloads facts, caf::strong_actor_ptr by, caf::typed_response_promise<recorded> promise);
  /// Decisions about what is not asked (any more) are not for the log: a call may end while somebody decides about it.
  void drop_late_decisions(payloads& facts) const;
  void on_text(stream_text& m);
  void on_run_finished(finish_run& m);
  void on_loop_down(caf::down_msg& m);
  void open_approval(const core::approval_requested& request);
  void close_approval(const core::approval_id& id, const caf::strong_actor_ptr& answered_by);
  void close_approvals();
  void add_alerts(payloads& facts) const;
  /// After a completed run, where the session has no title of a person's: its first words, at once; a better one comes
  /// later where the agent says that a model writes it.
  void add_title(const core::run_id& run, const core::history& history, payloads& facts);
  void on_title(const std::string& first, written_title& m);
  void drop_title_writer();

  [[nodiscard]] core::millis now() const { return s.services->environment->now(); }
  [[nodiscard]] session_actor me() const { return session_actor{self}; }
  [[nodiscard]] bool exists() const { return !s.record.project.empty(); }
};

inline void refuse(session_core::reply_promise& promise, core::errc code, std::string text) {
  promise.deliver(to_caf({code, std::move(text)}));
}

/// Tells `reply` once what it speaks of is on disk, or why it is not.
[[nodiscard]] session_log::stored_fn reply_once_stored(session_core::reply_promise promise, core::command_reply reply);

/// What the usage among `facts` has cost.
[[nodiscard]] core::micro_usd cost_in(const std::vector<core::event_payload>& facts);

/// What is too long of what clients say about a session; nothing where all is well.
[[nodiscard]] std::optional<core::error> too_long(const std::string& title, const std::string& metadata);

template <class Then>
void session_core::look_up(core::query question, reply_promise promise, Then then) {
  self->request(s.services->reader_for(s.id), caf::infinite, ask{std::move(question)})
      .then(
          [self = self, promise, then = std::move(then)](core::answer& a) mutable {
            if (self->state.phase == session_state::life::retiring)
              return refuse(promise, core::errc::shutting_down, "The session is leaving its process; try again.");
            then(session_core{self}, a);
          },
          [promise](const caf::error& e) mutable { promise.deliver(e); });
}

}  // namespace troupe::actors
