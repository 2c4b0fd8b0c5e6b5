// What clients ask of a session.
#include "actors/session_core.hpp"

namespace troupe::actors {

using core::errc;

namespace {

constexpr std::size_t max_recent_messages = 64;

caf::error refusal(errc code, std::string text) { return to_caf({code, std::move(text)}); }

/// Tells `reply` once what it speaks of is on disk, or why it is not.
session_log::stored_fn reply_once_stored(caf::typed_response_promise<core::command_reply> promise, core::command_reply reply) {
  return [promise, reply = std::move(reply)](const core::error* e) mutable {
    if (e)
      promise.deliver(to_caf(*e));
    else
      promise.deliver(std::move(reply));
  };
}

/// The answer of the first copy, once that copy is on disk: who hears it counts on the message, and looks for it there.
void answer_again(session_log& log, core::message_accepted first, caf::typed_response_promise<core::command_reply> promise) {
  first.repeated = true;
  log.when_stored(reply_once_stored(std::move(promise), first));
}

}  // namespace

void session_core::on_command(submit m, reply_promise promise) {
  s.is_used = true;
  if (s.log.has_failed())
    return void(promise.deliver(refusal(errc::storage_unavailable, "The session is being recovered; try again.")));
  if (!exists() && !std::holds_alternative<core::open_session>(m.command))
    return void(promise.deliver(refusal(errc::not_found, "Session not found: " + s.id.str())));
  struct dispatch {
    session_core& core;
    const core::principal& by;
    reply_promise& promise;
    void operator()(core::open_session& c) const { core.on_open(by, c, promise); }
    void operator()(core::send_message& c) const { core.on_send(by, c, promise); }
    void operator()(core::decide_approval& c) const { core.on_decide(by, c, promise); }
    void operator()(core::cancel_run& c) const { core.on_cancel(by, c, promise); }
    void operator()(core::dequeue_message& c) const { core.on_dequeue(c, promise); }
    void operator()(core::change_status& c) const { core.on_status(c, promise); }
    void operator()(core::set_typing&) const { promise.deliver(core::command_reply{core::done{}}); }
  };
  std::visit(dispatch{*this, m.by, promise}, m.command);
}

void session_core::on_open(const core::principal& by, core::open_session& c, reply_promise promise) {
  if (exists()) return void(promise.deliver(core::command_reply{core::session_opened{false}}));
  auto found = s.services->config->find_agent(c.project, c.agent);
  if (!found)
    return void(
        promise.deliver(refusal(errc::not_found, "Agent not found: " + c.agent.str() + " in project " + c.project.str())));
  s.record.id = s.id;
  s.record.project = found->project;
  s.record.agent = found->id;
  s.record.dialect = c.dialect;
  s.record.alias = c.alias;
  s.record.owner = by.id;
  s.record.metadata = c.metadata;
  s.record.created_at = now();
  append({core::session_created{found->project, found->id, c.dialect, c.alias, by.id, std::move(c.metadata)}},
         reply_once_stored(promise, core::session_opened{true}));
}

void session_core::on_send(const core::principal& by, core::send_message& c, reply_promise promise) {
  if (s.record.status == core::session_status::closed || s.record.status == core::session_status::deleted)
    return void(promise.deliver(refusal(errc::session_closed, "The session is closed; create a new one.")));
  if (s.record.status == core::session_status::paused)
    return void(promise.deliver(refusal(errc::session_closed, "The session is paused; set its status to active first.")));
  if (c.client_message_id.empty()) return accept_message(by, c, promise);
  if (auto it = s.recent_messages.find(c.client_message_id); it != s.recent_messages.end())
    return answer_again(s.log, it->second, std::move(promise));
  // A client that repeats a message after a reconnect may mean one from before this incarnation.
  core::find_client_message question{s.id, c.client_message_id};
  self->request(s.services->reader_for(s.id), caf::infinite, ask{std::move(question)})
      .then(
          [promise](const core::answer& a) mutable {
            const auto& known = std::get<core::message_record>(a);
            promise.deliver(core::command_reply{core::message_accepted{known.run, known.id, 0, true}});
          },
          [self = self, by, c, promise](const caf::error& e) mutable {
            if (from_caf(e).code == errc::not_found)
              session_core{self}.accept_message(by, c, promise);
            else
              promise.deliver(e);
          });
}

void session_core::accept_message(const core::principal& by, core::send_message& c, reply_promise promise) {
  auto config = agent();
  if (!config)
    return void(
        promise.deliver(refusal(errc::not_found, "The session's agent is no longer configured: " + s.record.agent.str())));
  // Two copies of one message can pass the look-up above together.
  if (auto it = s.recent_messages.find(c.client_message_id); !c.client_message_id.empty() && it != s.recent_messages.end())
    return answer_again(s.log, it->second, std::move(promise));

  core::message_accepted reply{s.services->environment->make<core::run_id>(), s.services->environment->make<core::message_id>(),
                               0, false};
  auto on_busy = c.on_busy.value_or(config->on_busy);
  bool busy = s.run || !s.queue.empty();
  if (busy && on_busy == core::busy_policy::reject)
    return void(promise.deliver(refusal(errc::busy, "A run is in progress; wait for its end or send with onBusy \"queue\".")));
  if (busy && on_busy != core::busy_policy::queue && on_busy != core::busy_policy::interrupt)
    return void(promise.deliver(refusal(errc::validation_error, "onBusy must be queue, reject or interrupt.")));
  if (busy && s.queue.size() >= config->limits.max_queue)
    return void(promise.deliver(refusal(errc::queue_full, "The session's queue is full (" + std::to_string(s.queue.size()) +
                                                              " messages wait; limits.max_queue).")));

  core::message_added added{reply.message, core::role::user, c.content, by.id, c.client_message_id};
  if (!c.client_message_id.empty()) {
    if (s.recent_messages.size() >= max_recent_messages) s.recent_messages.clear();  // the store still knows them
    s.recent_messages.emplace(c.client_message_id, reply);
  }
  if (!busy) {
    payloads facts;
    facts.emplace_back(std::move(added));
    return start_run(reply.run, reply.message, now(), std::move(facts), reply_once_stored(promise, reply));
  }
  core::session_state::queued waiting{reply.run, reply.message, c.content, by.id, c.client_message_id, now()};
  bool interrupt = on_busy == core::busy_policy::interrupt && s.run;
  if (interrupt)
    s.queue.push_front(std::move(waiting));
  else
    s.queue.push_back(std::move(waiting));
  reply.position = interrupt ? 1 : static_cast<std::uint32_t>(s.queue.size());
  append({std::move(added), core::run_queued{reply.run, reply.message, reply.position}}, reply_once_stored(promise, reply));
  if (interrupt) stop_run_of(by.id);
}

void session_core::on_decide(const core::principal& by, core::decide_approval& c, reply_promise promise) {
  auto matches = [&](const core::approval_requested& a) {
    if (!c.approval.is_nil()) return a.approval == c.approval;
    return c.call.empty() || a.call == c.call;
  };
  // Until its decision is on disk the approval's actor alone knows the winner.
  if (auto it = s.approvals.find(c.approval); it != s.approvals.end())
    return void(promise.delegate(it->second, decide{c.approved, std::move(c.note), std::move(c.edited_input), by.id}));
  for (const auto& open : s.turn.open_approvals) {
    if (!matches(open)) continue;
    // After a restart the actors of a run come with its history.
    if (!s.history_loaded)
      return with_history([self = self, by, c, promise]() mutable { session_core{self}.on_decide(by, c, promise); });
    if (auto it = s.approvals.find(open.approval); it != s.approvals.end())
      return void(promise.delegate(it->second, decide{c.approved, std::move(c.note), std::move(c.edited_input), by.id}));
  }
  if (c.approval.is_nil())
    return void(promise.deliver(refusal(errc::approval_not_pending, "No approval is pending in this conversation.")));
  core::get_approval question{c.approval};
  self->request(s.services->reader_for(s.id), caf::infinite, ask{question})
      .then(
          [promise](const core::answer& a) mutable {
            const auto& known = std::get<core::approval_record>(a);
            if (!known.decision)
              return void(promise.deliver(refusal(errc::approval_not_pending, "The run of this approval is not in progress.")));
            promise.deliver(
                core::command_reply{core::approval_settled{known.id, *known.decision, known.decided_by, known.note, false}});
          },
          [promise](const caf::error& e) mutable { promise.deliver(e); });
}

void session_core::on_cancel(const core::principal& by, const core::cancel_run& c, reply_promise promise) {
  if (s.run && (c.run.is_nil() || c.run == s.run->run)) {
    stop_run_of(by.id);
    return void(promise.deliver(core::command_reply{core::done{}}));
  }
  for (const auto& waiting : s.queue)
    if (waiting.run == c.run) return on_dequeue({waiting.message}, promise);
  promise.deliver(refusal(errc::not_found, c.run.is_nil() ? "No run is in progress." : "Run not in progress: " + c.run.str()));
}

void session_core::on_dequeue(const core::dequeue_message& c, reply_promise promise) {
  for (auto it = s.queue.begin(); it != s.queue.end(); ++it) {
    if (it->message != c.message) continue;
    core::run_dequeued fact{it->run, it->message};
    s.queue.erase(it);
    return append({fact}, reply_once_stored(promise, core::done{}));
  }
  promise.deliver(refusal(errc::not_found, "Message not in the queue: " + c.message.str()));
}

void session_core::on_status(const core::change_status& c, reply_promise promise) {
  if (s.record.status == core::session_status::deleted)
    return void(promise.deliver(refusal(errc::session_closed, "The session is deleted.")));
  payloads facts;
  facts.emplace_back(core::session_updated{c.status, {}});
  bool is_over = c.status == core::session_status::closed || c.status == core::session_status::deleted;
  if (is_over) {
    for (const auto& waiting : s.queue) facts.emplace_back(core::run_dequeued{waiting.run, waiting.message});
    s.queue.clear();
  }
  if (c.status == core::session_status::closed) facts.emplace_back(core::session_closed{});
  if (c.status != core::session_status::active && s.run) stop_run_of({});
  append(std::move(facts), reply_once_stored(promise, core::done{}));
  start_next_in_queue();  // a paused one is active again
}

}  // namespace troupe::actors
