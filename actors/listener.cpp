#include "actors/listener.hpp"

namespace troupe::actors {

namespace {

template <class Reply, class Receiver, class Message>
void forward(listener_actor::pointer self, const Receiver& receiver, Message& m, const reply_to<Reply>& reply) {
  self->request(receiver, caf::infinite, std::move(m))
      .then([done = reply.done](Reply& r) { (*done)(std::move(r)); },
            [done = reply.done](const caf::error& e) { (*done)(from_caf(e)); });
}

}  // namespace

listener_actor::behavior_type listener(listener_actor::pointer self, services_ptr services, directory_actor directory) {
  auto next_reader = std::make_shared<std::size_t>(0);
  return {
      [self, directory](submit& m, const reply_to<core::command_reply>& reply) { forward(self, directory, m, reply); },
      [self, directory](attach& m, const reply_to<attached>& reply) { forward(self, directory, m, reply); },
      [self, directory](read_events& m, const reply_to<event_page>& reply) { forward(self, directory, m, reply); },
      [self, services, next_reader](ask& m, const reply_to<core::answer>& reply) {
        forward(self, services->readers[(*next_reader)++ % services->readers.size()], m, reply);
      },
      [self, services](store_agent& m, const reply_to<agent_stored>& reply) { forward(self, services->persistence, m, reply); },
      [self, directory](detach& m) { self->send(directory, std::move(m)); },
      [self, directory](announce& m) { self->send(directory, std::move(m)); },
  };
}

}  // namespace troupe::actors
