// What clients ask of a session: who may, messages, approvals, the queue.
#include "actors/session_core.hpp"

#include <algorithm>

namespace troupe::actors {

using core::errc;

namespace {

constexpr std::size_t max_recent_messages = 64;
constexpr std::size_t max_attachments = 10;
constexpr std::size_t max_title_bytes = 500;
constexpr std::size_t max_metadata_bytes = 64 << 10;
constexpr std::size_t max_owner_bytes = 200;
constexpr double max_temperature = 2;

std::optional<core::error> defect_of(const core::send_message& c) {
  if (c.attachments.size() > max_attachments)
    return core::error{errc::validation_error, "A message has at most " + std::to_string(max_attachments) +
                                                   " attachments; this one has " + std::to_string(c.attachments.size()) + "."};
  if (auto t = c.options.temperature; t && !(*t >= 0 && *t <= max_temperature))
    return core::error{errc::validation_error, "The temperature must be from 0 to 2."};
  if (c.options.max_output_tokens == 0U)
    return core::error{errc::validation_error, "The number of output tokens must be at least 1."};
  return std::nullopt;
}

/// The answer of the first copy, once that copy is on disk: who hears it counts on the message, and looks for it there.
void answer_again(session_log& log, core::message_accepted first, caf::typed_response_promise<core::command_reply> promise) {
  first.repeated = true;
  log.when_stored(reply_once_stored(std::move(promise), first));
}

}  // namespace

session_log::stored_fn reply_once_stored(session_core::reply_promise promise, core::command_reply reply) {
  return [promise, reply = std::move(reply)](const core::error* e) mutable {
    if (e)
      promise.deliver(to_caf(*e));
    else
      promise.deliver(std::move(reply));
  };
}

std::optional<core::error> too_long(const std::string& title, const std::string& metadata) {
  auto longer = [](const char* what, std::size_t is, std::size_t most) {
    return core::error{errc::validation_error, std::string("The ") + what + " has " + std::to_string(is) + " bytes; at most " +
                                                   std::to_string(most) + " are kept."};
  };
  if (title.size() > max_title_bytes) return longer("title", title.size(), max_title_bytes);
  if (metadata.size() > max_metadata_bytes) return longer("metadata", metadata.size(), max_metadata_bytes);
  return std::nullopt;
}

std::optional<core::error> session_core::obstacle(const core::principal& by, const core::command& c) const {
  if (by.is_expired(now())) return core::error{errc::auth_failed, "The credentials have expired; sign in again."};
  bool opens = std::holds_alternative<core::open_session>(c) || std::holds_alternative<core::fork_session>(c);
  // That a session exists is not told to those who may not see it.
  if (exists() ? !core::may_see(by, s.record) : !opens) return core::error{errc::not_found, "Session not found: " + s.id.str()};
  if (exists() && opens) return std::nullopt;
  bool decides = std::holds_alternative<core::decide_approval>(c) || std::holds_alternative<core::revoke_grant>(c);
  if (!by.may(decides ? core::scope::approve : core::scope::chat))
    return core::error{errc::forbidden, std::string("This needs the scope \"") + (decides ? "approve" : "chat") +
                                            "\", which the credentials do not have."};
  const auto* update = std::get_if<core::update_session>(&c);
  bool is_owners = std::holds_alternative<core::change_status>(c) || std::holds_alternative<core::clear_history>(c) ||
                   (update && update->participants);
  if (is_owners && by.id != s.record.owner && !by.may(core::scope::admin))
    return core::error{errc::forbidden, "Only the owner of the session and those with the scope \"admin\" may do this."};
  return std::nullopt;
}

void session_core::on_command(submit m, reply_promise promise) {
  s.is_used = true;
  if (s.log.has_failed()) return refuse(promise, errc::storage_unavailable, "The session is being recovered; try again.");
  if (auto why = obstacle(m.by, m.command)) return refuse(promise, why->code, std::move(why->text));
  struct dispatch {
    session_core& core;
    const core::principal& by;
    reply_promise& promise;
    void operator()(core::open_session& c) const { core.on_open(by, c, promise); }
    void operator()(core::fork_session& c) const { core.on_fork(by, c, promise); }
    void operator()(core::send_message& c) const { core.on_send(by, c, promise); }
    void operator()(core::decide_approval& c) const { core.on_decide(by, c, promise); }
    void operator()(core::cancel_run& c) const { core.on_cancel(by, c, promise); }
    void operator()(core::dequeue_message& c) const { core.on_dequeue(c, promise); }
    void operator()(core::change_status& c) const { core.on_status(c, promise); }
    void operator()(core::edit_queued& c) const { core.on_edit(c, promise); }
    void operator()(core::update_session& c) const { core.on_update(c, promise); }
    void operator()(core::react& c) const { core.on_react(by, c, promise); }
    void operator()(core::rate_message& c) const { core.on_rate(by, c, promise); }
    void operator()(core::add_file& c) const { core.on_add_file(by, c, promise); }
    void operator()(core::clear_history&) const { core.on_clear(by, promise); }
    void operator()(const core::revoke_grant& c) const { core.on_revoke_grant(by, c, promise); }
  };
  std::visit(dispatch{*this, m.by, promise}, m.command);
}

void session_core::on_open(const core::principal& by, core::open_session& c, reply_promise promise) {
  if (exists()) return void(promise.deliver(core::command_reply{core::session_opened{false}}));
  auto found = s.services->config->find_agent(c.project, c.agent);
  if (!found)
    return refuse(promise, errc::not_found,
                  s.services->config->why_no_agent(c.project, c.agent) + " (project " + c.project.str() + ")");
  if (auto why = too_long(c.title, c.metadata)) return refuse(promise, why->code, std::move(why->text));
  if (!c.owner.empty() && c.owner != by.id && !by.may(core::scope::admin))
    return refuse(promise, errc::forbidden, "Only those with the scope \"admin\" may open a session for another owner.");
  if (c.owner.size() > max_owner_bytes)
    return refuse(promise, errc::validation_error,
                  "The owner's id is longer than " + std::to_string(max_owner_bytes) + " bytes.");
  auto owner = c.owner.empty() ? by.id : std::move(c.owner);
  payloads facts;
  core::session_created created{found->project,     found->id,        std::move(c.dialect),
                                std::move(c.alias), std::move(owner), std::move(c.metadata)};
  created.parent = c.parent;
  created.parent_call = std::move(c.parent_call);
  created.depth = c.depth;
  facts.emplace_back(std::move(created));
  if (!c.title.empty()) facts.emplace_back(core::session_updated{core::session_status::active, std::move(c.title)});
  append(std::move(facts), reply_once_stored(promise, core::session_opened{true}));
}

void session_core::on_send(const core::principal& by, core::send_message& c, reply_promise promise) {
  if (s.record.status == core::session_status::closed || s.record.status == core::session_status::deleted)
    return refuse(promise, errc::session_closed, "The session is closed; create a new one.");
  if (s.record.status == core::session_status::paused)
    return refuse(promise, errc::session_closed, "The session is paused; set its status to active first.");
  if (auto why = defect_of(c)) return refuse(promise, why->code, std::move(why->text));
  if (!c.attachments.empty() && !s.files_loaded)
    return with_files(promise, [self = self, by, c, promise]() mutable { session_core{self}.on_send(by, c, promise); });
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
  if (!config) {
    auto why = s.services->config->problem_of_agent(s.record.project, s.record.agent);
    return refuse(promise, errc::not_found,
                  why.empty() ? "The session's agent is no longer configured: " + s.record.agent.str() : std::move(why));
  }
  // Two copies of one message can pass the look-up above together.
  if (auto it = s.recent_messages.find(c.client_message_id); !c.client_message_id.empty() && it != s.recent_messages.end())
    return answer_again(s.log, it->second, std::move(promise));

  std::vector<core::attachment> attachments;
  for (const auto& id : c.attachments) {
    const auto* file = find_file(id);
    if (!file) return refuse(promise, errc::validation_error, "File not found in this session: " + id.str());
    if (std::find(attachments.begin(), attachments.end(), *file) == attachments.end()) attachments.push_back(*file);
  }

  core::message_accepted reply{s.services->environment->make<core::run_id>(), s.services->environment->make<core::message_id>(),
                               0, false};
  auto on_busy = c.on_busy.value_or(config->on_busy);
  bool busy = s.run || !s.queue.empty();
  if (busy && on_busy == core::busy_policy::reject)
    return refuse(promise, errc::busy, "A run is in progress; wait for its end or send with onBusy \"queue\".");
  if (busy && on_busy != core::busy_policy::queue && on_busy != core::busy_policy::interrupt)
    return refuse(promise, errc::validation_error, "onBusy must be queue, reject or interrupt.");
  if (busy && s.queue.size() >= config->limits.max_queue)
    return refuse(promise, errc::queue_full,
                  "The session's queue is full (" + std::to_string(s.queue.size()) + " messages wait; limits.max_queue).");

  core::message_added added{reply.message,       core::role::user, c.content,   by.id,
                            c.client_message_id, by.name,          attachments, core::to_text(c.options)};
  if (!c.client_message_id.empty()) {
    if (s.recent_messages.size() >= max_recent_messages) s.recent_messages.clear();  // the store still knows them
    s.recent_messages.emplace(c.client_message_id, reply);
  }
  if (!busy) {
    payloads facts;
    facts.emplace_back(std::move(added));
    return start_run(std::move(config), reply.run, reply.message, by, std::move(c.content), c.options, now(), std::move(facts),
                     reply_once_stored(promise, reply));
  }
  core::session_state::queued waiting{
      reply.run, reply.message, c.content, by.id, c.client_message_id, now(), added.options, by.name, std::move(attachments)};
  bool interrupt = on_busy == core::busy_policy::interrupt && s.run;
  if (interrupt)
    s.queue.push_front(std::move(waiting));
  else
    s.queue.push_back(std::move(waiting));
  reply.position = interrupt ? 1 : static_cast<std::uint32_t>(s.queue.size());
  payloads facts;
  facts.emplace_back(std::move(added));
  facts.emplace_back(core::run_queued{reply.run, reply.message, reply.position});
  if (interrupt && s.queue.size() > 1) facts.emplace_back(queue_order());
  if (interrupt) ask_to_stop(by.id, facts);
  append(std::move(facts), reply_once_stored(promise, reply));
  start_next_in_queue();  // where none could start for a while, because the agent was deleted
}

void session_core::on_cancel(const core::principal& by, const core::cancel_run& c, reply_promise promise) {
  if (s.run && (c.run.is_nil() || c.run == s.run->run)) {
    payloads facts;
    ask_to_stop(by.id, facts);
    auto reply = reply_once_stored(promise, core::done{});
    return facts.empty() ? s.log.when_stored(std::move(reply)) : append(std::move(facts), std::move(reply));
  }
  for (const auto& waiting : s.queue)
    if (waiting.run == c.run) return on_dequeue({waiting.message}, promise);
  refuse(promise, errc::not_found, c.run.is_nil() ? "No run is in progress." : "Run not in progress: " + c.run.str());
}

core::queue_reordered session_core::queue_order() const {
  core::queue_reordered order;
  for (const auto& waiting : s.queue) order.messages.push_back(waiting.message);
  return order;
}

void session_core::on_dequeue(const core::dequeue_message& c, reply_promise promise) {
  for (auto it = s.queue.begin(); it != s.queue.end(); ++it) {
    if (it->message != c.message) continue;
    core::run_dequeued fact{it->run, it->message};
    s.queue.erase(it);
    return append({fact}, reply_once_stored(promise, core::done{}));
  }
  refuse(promise, errc::not_found, "Message not in the queue: " + c.message.str());
}

void session_core::on_status(const core::change_status& c, reply_promise promise) {
  if (s.record.status == core::session_status::deleted) return refuse(promise, errc::session_closed, "The session is deleted.");
  payloads facts;
  facts.emplace_back(core::session_updated{c.status, {}});
  bool is_over = c.status == core::session_status::closed || c.status == core::session_status::deleted;
  if (is_over) {
    for (const auto& waiting : s.queue) facts.emplace_back(core::run_dequeued{waiting.run, waiting.message});
    s.queue.clear();
  }
  if (c.status == core::session_status::closed) facts.emplace_back(core::session_closed{});
  if (c.status != core::session_status::active && s.run) ask_to_stop({}, facts);
  append(std::move(facts), reply_once_stored(promise, core::done{}));
  start_next_in_queue();  // a paused one is active again
}

}  // namespace troupe::actors
