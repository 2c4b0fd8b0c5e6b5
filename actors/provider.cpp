#include "actors/provider.hpp"

#include <algorithm>

namespace troupe::actors {

namespace {

using provider_pointer = provider_actor::stateful_pointer<provider_state>;
using std::chrono::milliseconds;
using call_map = decltype(provider_state::calls);

// No attempt of a call begins later than this after its first one (DESIGN §8).
constexpr milliseconds patience{10'000};
constexpr milliseconds patience_where_named{30'000};

/// From 0 to `most`, from the environment so that a replay takes the same.
milliseconds jitter(provider_state& s, milliseconds most) {
  return milliseconds{s.environment->random_uuid().hi % (static_cast<std::uint64_t>(most.count()) + 1)};
}

/// How long to wait before the call is tried again; nothing where it is not.
std::optional<milliseconds> pause_before_next(provider_state& s, provider_state::call& call) {
  if (call.attempt > s.options.max_retries) return std::nullopt;
  auto named = call.last->retry_after;
  call.was_given_delay = call.was_given_delay || named;
  auto left = (call.was_given_delay ? patience_where_named : patience) -
              std::max(milliseconds{0}, milliseconds{s.environment->now() - call.began_at});
  auto backoff = std::min(s.options.first_backoff * (1U << std::min(call.attempt - 1, 10U)), s.options.longest_backoff);
  auto least = named.value_or(backoff / 2);
  if (least > left) return std::nullopt;
  // Never earlier than the upstream said; calls that failed together do not come back together.
  return std::min(least + jitter(s, named ? *named / 8 : backoff / 2), left);
}

void tell_board(provider_state& s) {
  const auto now = s.health.current();
  if (!s.options.board || s.told == now) return;
  s.told = now;
  const auto* word = now == breaker::state::closed ? "closed" : now == breaker::state::open ? "open" : "half_open";
  s.options.board->set("provider", s.options.name, word, now == breaker::state::closed);
}

void start(provider_pointer self, const core::uuid& id, provider_state::call& call) {
  auto& s = self->state;
  ++call.attempt;
  if (call.attempt == 1) call.began_at = s.environment->now();
  call.is_probe = s.health.admit(s.environment->now()) == breaker::admission::probe;
  ++s.running;
  auto me = caf::actor_cast<caf::weak_actor_ptr>(self->ctrl());
  auto sink = [id, loop = call.loop, me, attempt = call.attempt, is_probe = call.is_probe, kept = call.request,
               shown = false](providers::model_output output) mutable {
    auto tell = [&](auto message) {
      if (auto strong = caf::actor_cast<provider_actor>(me)) caf::anon_send(strong, std::move(message));
    };
    if (!shown && (!output.text.empty() || !output.reasoning.empty())) {
      shown = true;
      if (is_probe) tell(model_call_answers{id});  // it may go on for minutes
    }
    if (!output.end) return caf::anon_send(loop, model_delivery{id, std::move(output), attempt});
    bool failed = output.end->error.code != core::errc::ok && output.end->retryable;
    model_call_ended ended{id, failed, failed ? output.end->error.text : std::string(), {}};
    // Tried again only while nothing was shown: clients append blindly (DESIGN §8).
    if (failed && !shown) {
      ended.untold = std::move(output.end);
    } else {
      kept->reset();
      caf::anon_send(loop, model_delivery{id, std::move(output), attempt});
    }
    tell(std::move(ended));
  };
  call.stream = s.client->start(**call.request, std::move(sink));
}

call_map::iterator forget(provider_pointer self, call_map::iterator it) {
  self->demonitor(it->second.loop.address());
  return self->state.calls.erase(it);
}

/// Its end is the loop's now.
void give_up(provider_pointer self, call_map::iterator it, providers::model_end end) {
  it->second.request->reset();
  providers::model_output output;
  output.end = std::move(end);
  caf::anon_send(it->second.loop, model_delivery{it->first, std::move(output), std::max(1U, it->second.attempt)});
  forget(self, it);
}

void refuse_call(provider_pointer self, call_map::iterator it) {
  auto& s = self->state;
  if (it->second.last) return give_up(self, it, std::move(*it->second.last));
  providers::model_end end;
  end.error = {core::errc::provider_error, s.health.refusal(s.options.name)};
  end.retryable = true;
  give_up(self, it, std::move(end));
}

void start_next(provider_pointer self) {
  auto& s = self->state;
  tell_board(s);  // everything that changes the breaker ends here
  while (!s.waiting.empty()) {
    // While it rests nobody waits: who has another provider asks that one.
    bool rests = s.health.refuses(s.environment->now());
    if (!rests && s.running >= s.options.max_concurrent) return;
    auto it = s.calls.find(*s.waiting.pop());
    if (it == s.calls.end()) continue;  // cancelled meanwhile
    if (rests)
      refuse_call(self, it);
    else
      start(self, it->first, it->second);
  }
}

void cancel(provider_pointer self, const core::uuid& id) {
  auto& s = self->state;
  auto it = s.calls.find(id);
  if (it == s.calls.end()) return;
  if (it->second.stream) {
    it->second.stream->cancel();
    --s.running;
  }
  if (it->second.is_probe) s.health.probe_lost();
  forget(self, it);
  start_next(self);
}

void on_ended(provider_pointer self, model_call_ended& m) {
  auto& s = self->state;
  auto it = s.calls.find(m.call);
  if (it == s.calls.end()) return;
  auto& call = it->second;
  call.stream.reset();
  call.is_probe = false;
  --s.running;
  if (m.failed)
    s.health.failed(s.environment->now(), m.error);
  else
    s.health.answered();
  if (!m.untold) {
    forget(self, it);
  } else {
    call.last = std::move(m.untold);
    if (auto pause = pause_before_next(s, call))
      self->delayed_send(self, *pause, retry_tick{m.call});
    else
      give_up(self, it, std::move(*call.last));
  }
  start_next(self);
}

}  // namespace

provider_actor::behavior_type provider(provider_pointer self, provider_options options,
                                       std::shared_ptr<core::environment> environment,
                                       std::shared_ptr<providers::model_client> client) {
  self->state.health = breaker(options.breaker_failures, options.breaker_open);
  self->state.options = std::move(options);
  self->state.environment = std::move(environment);
  self->state.client = std::move(client);
  tell_board(self->state);
  // A loop that ended without a word (its session left, or broke) wants no more text.
  self->set_down_handler([self](const caf::down_msg& m) {
    std::vector<core::uuid> gone;
    for (const auto& [id, call] : self->state.calls)
      if (call.loop.address() == m.source) gone.push_back(id);
    for (const auto& id : gone) cancel(self, id);
  });
  return {
      [self](const start_model& m) {
        provider_state::call call;
        call.session = m.request->session;
        call.request = std::make_shared<std::shared_ptr<const providers::model_request>>(m.request);
        call.loop = caf::actor_cast<agent_loop_actor>(m.loop);
        self->monitor(call.loop);
        self->state.waiting.push(call.session, m.call);
        self->state.calls.emplace(m.call, std::move(call));
        start_next(self);
      },
      [self](const cancel_model& m) { cancel(self, m.call); },
      [self](const model_call_answers& m) {
        if (self->state.calls.count(m.call) == 0) return;
        self->state.health.answered();
        start_next(self);
      },
      [self](model_call_ended& m) { on_ended(self, m); },
      [self](const retry_tick& m) {
        auto it = self->state.calls.find(m.call);
        if (it == self->state.calls.end()) return;  // cancelled meanwhile
        self->state.waiting.push(it->second.session, m.call, true);
        start_next(self);
      },
  };
}

}  // namespace troupe::actors
