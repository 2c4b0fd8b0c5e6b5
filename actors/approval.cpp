#include "actors/approval.hpp"

#include <algorithm>

namespace troupe::actors {

namespace {

using approval_pointer = approval_actor::stateful_pointer<approval_state>;
using payloads = std::vector<core::event_payload>;

// A pending delayed message keeps its receiver's memory: look at the clock in short steps instead of once in a day.
constexpr std::chrono::milliseconds longest_nap{60'000};

struct approval_core {
  approval_pointer self;
  approval_state& s = self->state;

  [[nodiscard]] const core::approval_requested& request() const { return s.order.request; }
  [[nodiscard]] bool is_too_late() const { return s.environment->now() >= request().expires_at; }

  void arm() {
    auto left = request().expires_at - s.environment->now();
    self->delayed_send(self, std::clamp(std::chrono::milliseconds{left}, std::chrono::milliseconds{1}, longest_nap),
                       expiry_tick{});
  }

  /// Stores the decision, then tells everybody who waits for it.
  void settle(settlement winner) {
    s.settled = true;
    const auto& d = winner.decided;
    core::approval_settled reply{d.approval, d.decision, d.by, d.note, true, false, d.choice};
    approval_outcome outcome{d};
    payloads facts;
    facts.emplace_back(std::move(winner.decided));
    if (winner.grant) {
      winner.grant->grant = s.environment->make<core::grant_id>();
      facts.emplace_back(std::move(*winner.grant));
    }
    self->request(s.session, caf::infinite, record{std::move(facts)})
        .then(
            [me = self, reply, outcome = std::move(outcome)](const recorded&) mutable {
              bool first = true;
              for (auto& promise : me->state.racing) {
                reply.won = first && reply.decision != core::decision::expired;
                first = false;
                promise.deliver(core::command_reply{reply});
              }
              me->send(me->state.loop, std::move(outcome));
              me->quit();
            },
            [me = self](const caf::error& e) {
              for (auto& promise : me->state.racing) promise.deliver(e);
              me->quit();
            });
  }
  void expire() { settle({expiry_of(request()), {}}); }

  /// An approval of several that are needed. Answered once it is on disk.
  void endorse(const core::approval_decided& d, caf::typed_response_promise<core::command_reply> promise) {
    core::approval_settled reply{d.approval, d.decision, d.by, d.note, true, true};
    core::approval_endorsed fact;
    fact.run = d.run;
    fact.approval = d.approval;
    fact.call = d.call;
    fact.by = d.by;
    fact.note = d.note;
    fact.edited_input = d.edited_input;
    fact.arguments_hash = d.arguments_hash;
    auto n = ++s.endorsements;
    s.endorsing.emplace(n, std::move(promise));
    self->request(s.session, caf::infinite, record{{std::move(fact)}})
        .then(
            [me = self, n, reply](const recorded&) {
              me->state.endorsing.at(n).deliver(core::command_reply{reply});
              me->state.endorsing.erase(n);
            },
            [me = self, n](const caf::error& e) {
              me->state.endorsing.at(n).deliver(e);
              me->state.endorsing.erase(n);
            });
  }

  caf::result<core::command_reply> on_decide(const decide& m) {
    auto promise = self->make_response_promise<core::command_reply>();
    if (!s.settled && is_too_late()) expire();
    if (s.settled) {
      s.racing.push_back(promise);
      return promise;
    }
    auto settled = settlement_of(request(), s.now_proposed, m.what, m.by, s.order.find_tool, s.environment->now());
    if (!settled) {
      promise.deliver(to_caf(settled.error()));
      return promise;
    }
    const auto& d = settled->decided;
    if (d.decision == core::decision::approved && request().deciders > 1) {
      bool counts = s.now_proposed.endorse(d.by, d.edited_input, d.arguments_hash);
      if (s.now_proposed.by.size() < request().deciders) {
        if (counts)
          endorse(d, promise);
        else
          promise.deliver(core::command_reply{core::approval_settled{d.approval, d.decision, d.by, d.note, true, true}});
        return promise;
      }
    }
    s.racing.push_back(promise);
    settle(std::move(*settled));
    return promise;
  }
};

}  // namespace

approval_actor::behavior_type approval(approval_pointer self, std::shared_ptr<core::environment> environment,
                                       session_actor session, agent_loop_actor loop, approval_order order) {
  auto& s = self->state;
  s.environment = std::move(environment);
  s.session = std::move(session);
  s.loop = std::move(loop);
  s.order = std::move(order);
  s.now_proposed = proposal::of(s.order.request);
  for (const auto& e : s.order.endorsements) s.now_proposed.endorse(e);
  approval_core{self}.arm();
  self->set_exit_handler([self](caf::exit_msg& m) {
    auto why = to_caf({core::errc::approval_not_pending, "The run ended before this decision was stored."});
    for (auto& promise : self->state.racing) promise.deliver(why);
    for (auto& [n, promise] : self->state.endorsing) promise.deliver(why);
    self->quit(std::move(m.reason));
  });
  return {
      [self](const decide& m) { return approval_core{self}.on_decide(m); },
      [self](const expiry_tick&) {
        approval_core me{self};
        if (me.s.settled) return;
        if (me.is_too_late())
          me.expire();
        else
          me.arm();
      },
  };
}

}  // namespace troupe::actors
