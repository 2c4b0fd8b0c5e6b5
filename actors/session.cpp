#include "actors/session.hpp"

#include "actors/agent_loop.hpp"
#include "actors/approval.hpp"
#include "actors/session_core.hpp"

namespace troupe::actors {

using session_pointer = session_actor::stateful_pointer<session_state>;

session_actor::behavior_type session(session_pointer self, services_ptr services, directory_actor directory,
                                     core::session_id id, std::vector<event_sink_ptr> sinks) {
  auto& s = self->state;
  s.services = std::move(services);
  s.directory = std::move(directory);
  s.id = id;
  s.sinks = std::move(sinks);
  self->set_down_handler([self](caf::down_msg& m) { session_core{self}.on_loop_down(m); });
  self->set_exit_handler([self](caf::exit_msg& m) { session_core{self}.on_exit(m); });
  self->set_exception_handler([self](std::exception_ptr& e) -> caf::error {
    session_core{self}.leave(true, true);
    try {
      std::rethrow_exception(e);
    } catch (const std::exception& x) {
      return to_caf({core::errc::internal_error, x.what()});
    } catch (...) {
      return to_caf({core::errc::internal_error, "unknown exception"});
    }
  });
  session_core{self}.load();

  return {
      [self](submit& m) -> caf::result<core::command_reply> {
        auto promise = self->make_response_promise<core::command_reply>();
        session_core{self}.when_awake(std::move(m), promise, &session_core::on_command);
        return promise;
      },
      [self](attach& m) -> caf::result<attached> {
        auto promise = self->make_response_promise<attached>();
        session_core{self}.when_awake(std::move(m), promise, &session_core::on_attach);
        return promise;
      },
      [self](const detach& m) {
        if (std::erase(self->state.sinks, m.sink) > 0 && self->state.phase == session_state::life::retiring)
          self->send(self->state.directory, m);
      },
      [self](announce& m) {
        auto batch = std::make_shared<core::event_batch>();
        batch->session = m.session;
        batch->events.push_back({0, 0, self->state.services->environment->now(), std::move(m.payload)});
        session_core{self}.deliver(batch);
      },
      [self](const read_events& m) -> caf::result<event_page> {
        auto promise = self->make_response_promise<event_page>();
        session_core{self}.when_awake(m, promise, &session_core::on_read);
        return promise;
      },
      [self](record& m) -> caf::result<recorded> {
        auto by = self->current_sender();  // the promise takes it
        auto promise = self->make_response_promise<recorded>();
        session_core{self}.on_record(std::move(m.payloads), std::move(by), promise);
        return promise;
      },
      [self](stream_text& m) { session_core{self}.on_text(m); },
      [self](finish_run& m) { session_core{self}.on_run_finished(m); },
      [self](loaded_session& m) { session_core{self}.on_loaded(m); },
      [self](const flush_tick&) {
        self->state.flush_armed = false;
        self->state.log.save_text();
      },
      [self](const idle_tick&) { session_core{self}.on_idle_tick(); },
  };
}

}  // namespace troupe::actors
