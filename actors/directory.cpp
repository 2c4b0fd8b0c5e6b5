#include "actors/directory.hpp"

#include "actors/session.hpp"

namespace troupe::actors {

namespace {

using directory_pointer = directory_actor::stateful_pointer<directory_state>;

constexpr std::uint32_t quarantine_after = 3;
constexpr std::chrono::milliseconds restart_delay{1'000};

/// The session's actor, woken if need be; an error where it may not be woken.
core::result<session_actor> awake(directory_pointer self, const core::session_id& id) {
  auto& s = self->state;
  if (s.stopping) return core::error{core::errc::shutting_down, "The server is shutting down; connect again shortly."};
  auto& entry = s.sessions[id];
  if (entry.actor) return entry.actor;
  if (entry.crashes >= quarantine_after)
    return core::error{core::errc::internal_error, "Session " + id.str() + " broke " + std::to_string(entry.crashes) +
                                                       " times and is quarantined; see the log."};
  entry.actor = self->spawn(session, s.services, directory_actor{self}, id, std::move(entry.sinks));
  entry.sinks.clear();
  s.by_address.emplace(entry.actor.address(), id);
  self->monitor(entry.actor);
  return entry.actor;
}

/// Forgets the actor; keeps the entry only while there is something to remember.
void forget_actor(directory_pointer self, const caf::actor_addr& address) {
  auto& s = self->state;
  auto known = s.by_address.find(address);
  if (known == s.by_address.end()) return;
  auto it = s.sessions.find(known->second);
  s.by_address.erase(known);
  if (it == s.sessions.end() || !it->second.actor || it->second.actor.address() != address) return;
  it->second.actor = nullptr;
  if (it->second.sinks.empty() && it->second.crashes == 0) s.sessions.erase(it);
}

void stop_when_empty(directory_pointer self) {
  if (self->state.stopping && self->state.by_address.empty()) self->quit(caf::exit_reason::user_shutdown);
}

template <class Reply, class Message>
caf::result<Reply> pass_on(directory_pointer self, Message& m) {
  auto actor = awake(self, m.session);
  if (!actor) return to_caf(actor.error());
  return self->delegate(*actor, std::move(m));
}

/// A session that sleeps has no run: who attaches gets its record, and its events once something wakes it. Looking on
/// costs a sink, not an actor. The reader answers this before it answers the session that a later command wakes.
caf::result<attached> attach_sleeping(directory_pointer self, attach& m) {
  self->state.sessions[m.session].sinks.push_back(m.sink);
  auto promise = self->make_response_promise<attached>();
  self->request(self->state.services->reader_for(m.session), caf::infinite, ask{core::get_session{m.session}})
      .then(
          [promise](const core::answer& a) mutable {
            const auto& record = std::get<core::session_record>(a);
            promise.deliver(attached{record, record.last_seq, {}});
          },
          [self, promise, m](const caf::error& e) mutable {
            if (from_caf(e).code == core::errc::not_found && !m.must_exist) return void(promise.deliver(attached{}));
            self->send(self, detach{m.session, m.sink});
            promise.deliver(from_caf(e).code == core::errc::not_found
                                ? to_caf({core::errc::not_found, "Session not found: " + m.session.str()})
                                : e);
          });
  return promise;
}

}  // namespace

directory_actor::behavior_type directory(directory_pointer self, services_ptr services) {
  self->state.services = std::move(services);
  self->set_down_handler([self](caf::down_msg& m) {
    if (auto known = self->state.by_address.find(m.source);
        known != self->state.by_address.end() && m.reason && m.reason != caf::exit_reason::user_shutdown)
      ++self->state.sessions[known->second].crashes;
    forget_actor(self, m.source);
    stop_when_empty(self);
  });
  self->set_exit_handler([self](caf::exit_msg&) {
    self->state.stopping = true;
    for (auto& [address, id] : self->state.by_address)
      self->send_exit(self->state.sessions[id].actor, caf::exit_reason::user_shutdown);
    stop_when_empty(self);
  });
  return {
      [self](submit& m) { return pass_on<core::command_reply>(self, m); },
      [self](attach& m) -> caf::result<attached> {
        auto it = self->state.sessions.find(m.session);
        if (self->state.stopping || (it != self->state.sessions.end() && it->second.actor)) return pass_on<attached>(self, m);
        return attach_sleeping(self, m);
      },
      [self](read_events& m) -> caf::result<event_page> {
        auto it = self->state.sessions.find(m.session);
        if (it != self->state.sessions.end() && it->second.actor) return self->delegate(it->second.actor, m);
        return self->delegate(self->state.services->reader_for(m.session), m);
      },
      [self](const detach& m) {
        auto it = self->state.sessions.find(m.session);
        if (it == self->state.sessions.end()) return;
        if (it->second.actor) return self->send(it->second.actor, m);
        std::erase(it->second.sinks, m.sink);
        if (it->second.sinks.empty() && it->second.crashes == 0) self->state.sessions.erase(it);
      },
      [self](announce& m) {
        auto it = self->state.sessions.find(m.session);
        if (it == self->state.sessions.end()) return;
        if (it->second.actor) return self->send(it->second.actor, std::move(m));
        auto batch = std::make_shared<core::event_batch>();
        batch->session = m.session;
        batch->events.push_back({0, 0, self->state.services->environment->now(), std::move(m.payload)});
        for (const auto& sink : it->second.sinks) sink->deliver(batch);
      },
      [self](retire& m) -> caf::result<retired> {
        auto& entry = self->state.sessions[m.session];
        entry.sinks = std::move(m.sinks);
        auto address = entry.actor ? entry.actor.address() : caf::actor_addr{};
        if (m.broke) ++entry.crashes;
        if (m.wake_again) {
          if (!self->state.stopping) self->delayed_send(self, restart_delay, load_session{m.session});
        } else {
          entry.crashes = 0;
        }
        forget_actor(self, address);
        self->demonitor(address);
        stop_when_empty(self);
        return retired{};
      },
      [self](const load_session& m) { (void)awake(self, m.session); },
  };
}

}  // namespace troupe::actors
