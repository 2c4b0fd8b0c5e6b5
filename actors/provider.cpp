#include "actors/provider.hpp"

#include <algorithm>

namespace troupe::actors {

namespace {

using self_pointer = provider_actor::stateful_pointer<provider_state>;

/// An upstream that asks for more patience than this is answered with its error.
constexpr std::chrono::milliseconds longest_named_delay{30'000};

void start_next(self_pointer self);

void start(self_pointer self, const core::uuid& id, provider_state::call& call) {
  ++call.attempt;
  ++self->state.running;
  bool last_attempt = call.attempt > self->state.options.max_retries;
  // Retried only while nothing was shown: clients append blindly (DESIGN §8).
  auto sink = [id, loop = call.loop, me = caf::actor_cast<caf::weak_actor_ptr>(self->ctrl()), attempt = call.attempt,
               last_attempt, kept = call.request, shown = false](providers::model_output output) mutable {
    shown = shown || !output.text.empty() || !output.reasoning.empty();
    std::optional<model_call_ended> ended;
    if (output.end) {
      bool failed = output.end->error.code != core::errc::ok;
      bool retry = failed && output.end->retryable && !shown && !last_attempt &&
                   output.end->retry_after.value_or(longest_named_delay) <= longest_named_delay;
      ended = model_call_ended{id, failed, retry, output.end->retry_after};
    }
    if (ended && !ended->retry) kept->reset();
    if (!ended || !ended->retry) caf::anon_send(loop, model_delivery{id, std::move(output), attempt});
    if (ended)
      if (auto strong = caf::actor_cast<provider_actor>(me)) caf::anon_send(strong, *ended);
  };
  call.stream = self->state.client->start(**call.request, std::move(sink));
}

void start_next(self_pointer self) {
  auto& s = self->state;
  while (!s.waiting.empty() && s.running < s.options.max_concurrent) {
    auto id = s.waiting.front();
    s.waiting.pop_front();
    if (auto it = s.calls.find(id); it != s.calls.end()) start(self, id, it->second);
  }
}

void finish(self_pointer self, const core::uuid& id) {
  auto& s = self->state;
  auto it = s.calls.find(id);
  if (it == s.calls.end()) return;
  if (it->second.stream) {
    it->second.stream->cancel();
    --s.running;
  }
  self->demonitor(it->second.loop.address());
  s.calls.erase(it);
  start_next(self);
}

}  // namespace

provider_actor::behavior_type provider(self_pointer self, provider_options options,
                                       std::shared_ptr<providers::model_client> client) {
  self->state.options = options;
  self->state.client = std::move(client);
  // A loop that ended without a word (its session left, or broke) wants no more text.
  self->set_down_handler([self](const caf::down_msg& m) {
    std::vector<core::uuid> gone;
    for (const auto& [id, call] : self->state.calls)
      if (call.loop.address() == m.source) gone.push_back(id);
    for (const auto& id : gone) finish(self, id);
  });
  return {
      [self](const start_model& m) {
        auto& s = self->state;
        s.calls.emplace(m.call,
                        provider_state::call{std::make_shared<std::shared_ptr<const providers::model_request>>(m.request),
                                             caf::actor_cast<agent_loop_actor>(m.loop), nullptr, 0});
        s.waiting.push_back(m.call);
        self->monitor(s.calls.at(m.call).loop);
        start_next(self);
      },
      [self](const cancel_model& m) { finish(self, m.call); },
      [self](const model_call_ended& m) {
        auto& s = self->state;
        auto it = s.calls.find(m.call);
        if (it == s.calls.end()) return;
        if (!m.retry) return finish(self, m.call);
        it->second.stream.reset();
        --s.running;
        auto backoff = s.options.first_backoff * (1U << std::min(it->second.attempt - 1, 10U));
        self->delayed_send(self, m.retry_after.value_or(std::min(backoff, s.options.longest_backoff)), retry_tick{m.call});
        start_next(self);
      },
      [self](const retry_tick& m) {
        if (self->state.calls.count(m.call) == 0) return;  // cancelled meanwhile
        self->state.waiting.push_back(m.call);
        start_next(self);
      },
  };
}

}  // namespace troupe::actors
