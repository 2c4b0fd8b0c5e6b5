#include "actors/approval.hpp"

#include <algorithm>

namespace troupe::actors {

namespace {

using self_pointer = approval_actor::stateful_pointer<approval_state>;

// A pending delayed message keeps its receiver's memory: look at the clock in short steps instead of once in a day.
constexpr std::chrono::milliseconds longest_nap{60'000};

void arm(self_pointer self, core::environment& environment) {
  auto left = self->state.request.expires_at - environment.now();
  self->delayed_send(self, std::clamp(std::chrono::milliseconds{left}, std::chrono::milliseconds{1}, longest_nap),
                     expiry_tick{});
}

/// Stores the decision, then tells everybody who waits for it.
void settle(self_pointer self, core::approval_decided winner) {
  self->state.settled = true;
  core::approval_settled reply{winner.approval, winner.decision, winner.by, winner.note, true};
  approval_outcome outcome{winner.call, winner.decision, winner.note, winner.edited_input};
  self->request(self->state.session, caf::infinite, record{{std::move(winner)}})
      .then(
          [self, reply, outcome](const recorded&) mutable {
            bool first = true;
            for (auto& promise : self->state.racing) {
              reply.won = first && reply.decision != core::decision::expired;
              first = false;
              promise.deliver(core::command_reply{reply});
            }
            self->send(self->state.loop, outcome);
            self->quit();
          },
          [self](const caf::error& e) {
            for (auto& promise : self->state.racing) promise.deliver(e);
            self->quit();
          });
}

}  // namespace

approval_actor::behavior_type approval(self_pointer self, std::shared_ptr<core::environment> environment, session_actor session,
                                       agent_loop_actor loop, core::approval_requested request) {
  auto& s = self->state;
  s.request = std::move(request);
  s.session = std::move(session);
  s.loop = std::move(loop);
  arm(self, *environment);
  self->set_exit_handler([self](caf::exit_msg& m) {
    for (auto& promise : self->state.racing)
      promise.deliver(to_caf({core::errc::approval_not_pending, "The run ended before this decision was stored."}));
    self->quit(std::move(m.reason));
  });

  auto expired = [self] {
    const auto& r = self->state.request;
    settle(self, {r.run, r.approval, r.call, core::decision::expired, {}, {}, {}});
  };
  return {
      [self, environment, expired](const decide& d) -> caf::result<core::command_reply> {
        auto& state = self->state;
        auto promise = self->make_response_promise<core::command_reply>();
        state.racing.push_back(promise);
        if (state.settled) return promise;
        const auto& r = state.request;
        if (environment->now() >= r.expires_at)
          expired();
        else
          settle(self, {r.run, r.approval, r.call, d.approved ? core::decision::approved : core::decision::denied, d.by, d.note,
                        d.approved ? d.edited_input : std::string{}});
        return promise;
      },
      [self, environment, expired](const expiry_tick&) {
        if (self->state.settled) return;
        if (environment->now() >= self->state.request.expires_at)
          expired();
        else
          arm(self, *environment);
      },
  };
}

}  // namespace troupe::actors
