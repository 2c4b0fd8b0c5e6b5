#include "app/record/command_tap.hpp"

namespace troupe::app {

namespace {

using core::command_reply;

actors::reply_to<command_reply> overheard(const actors::submit& m, const actors::reply_to<command_reply>& reply,
                                          const std::shared_ptr<live_log>& log) {
  auto done = [log, reply, asked_after = log->position(m.session), session = m.session, by = m.by,
               command = m.command](core::result<command_reply> r) {
    log->answered(session, asked_after, by, command, r);
    (*reply.done)(std::move(r));
  };
  return {std::make_shared<const std::function<void(core::result<command_reply>)>>(std::move(done))};
}

actors::listener_actor::behavior_type tap(actors::listener_actor::pointer self, const actors::listener_actor& to,
                                          const std::shared_ptr<live_log>& log) {
  return {
      [self, to, log](actors::submit& m, const actors::reply_to<command_reply>& reply) {
        auto heard = overheard(m, reply, log);
        self->send(to, std::move(m), std::move(heard));
      },
      [self, to](actors::attach& m, const actors::reply_to<actors::attached>& reply) { self->send(to, std::move(m), reply); },
      [self, to](actors::read_events& m, const actors::reply_to<actors::event_page>& reply) {
        self->send(to, std::move(m), reply);
      },
      [self, to](actors::ask& m, const actors::reply_to<core::answer>& reply) { self->send(to, std::move(m), reply); },
      [self, to](actors::store_agent& m, const actors::reply_to<actors::agent_stored>& reply) {
        self->send(to, std::move(m), reply);
      },
      [self, to](actors::detach& m) { self->send(to, std::move(m)); },
      [self, to](actors::announce& m) { self->send(to, std::move(m)); },
  };
}

}  // namespace

actors::listener_actor tap_commands(caf::actor_system& system, actors::listener_actor to, std::shared_ptr<live_log> log) {
  return system.spawn(tap, std::move(to), std::move(log));
}

}  // namespace troupe::app
