#include "app/scenario/stage.hpp"

#include "app/scenario/scenario.hpp"
#include "providers/scripted.hpp"

#include <algorithm>

namespace troupe::app {

using core::errc;
using core::error;

namespace {

/// More jobs than this at one moment of the clock are a livelock.
constexpr std::size_t max_jobs = 2'000'000;
constexpr std::size_t max_moments = 2'000'000;
/// Events that a client may have missed; no scenario is that long.
constexpr std::uint32_t max_missed = 1'000'000;

/// A reply that goes to `f`.
template <class T, class F>
actors::reply_to<T> to(F f) {
  return {std::make_shared<const std::function<void(core::result<T>)>>(std::move(f))};
}

}  // namespace

/// The client of the session: hears every event once, over restarts too.
class stage::client final : public actors::event_sink {
 public:
  void deliver(core::event_batch_ptr batch) noexcept override {
    if (is_cut_off_) return;
    if (is_behind_) return held_.push_back(std::move(batch));
    for (const auto& e : batch->events) hear(e);
  }
  /// From attaching until it has read what it missed, live events wait.
  void fall_behind() {
    held_.clear();
    is_behind_ = true;
  }
  void catch_up(const std::vector<core::event>& missed) {
    for (const auto& e : missed) hear(e);
    is_behind_ = false;
    for (const auto& batch : std::exchange(held_, {}))
      for (const auto& e : batch->events) hear(e);
  }
  [[nodiscard]] std::vector<core::event> take() { return std::exchange(events_, {}); }
  [[nodiscard]] core::seq_t seen() const noexcept { return seen_; }
  void cut_off(bool v) noexcept { is_cut_off_ = v; }

 private:
  void hear(const core::event& e) {
    if (!e.is_transient() && e.seq <= seen_) return;
    events_.push_back(!e.is_transient() && e.first <= seen_ ? core::tail_after(e, seen_) : e);
    if (!e.is_transient()) seen_ = e.seq;
  }

  std::vector<core::event> events_;
  std::vector<core::event_batch_ptr> held_;
  core::seq_t seen_ = 0;
  bool is_behind_ = false;
  bool is_cut_off_ = false;
};

stage::settings::settings() {
  set("scheduler.policy", caf::atom("testing"));
  set("logger.inline-output", true);
  set("logger.console", caf::atom("none"));
}

core::result<std::unique_ptr<stage>> stage::open(core::config_ptr config, stage_parts parts) {
  std::unique_ptr<stage> out(new stage);
  out->config_ = std::move(config);
  out->parts_ = std::move(parts);
  out->session_ = {core::uuid_of_name("scenario")};
  auto folder = temporary_folder::make("troupe-replay");
  if (!folder) return folder.error();
  out->workspaces_ = std::move(*folder);
  auto store = storage::store::open_in_memory();
  if (!store) return store.error();
  out->gate_ = std::make_unique<crash_gate>(std::move(*store));
  auto tools = out->parts_.calls ? recorded_toolbox(out->parts_.calls) : tools::builtin_tools();
  if (!tools) return tools.error();
  out->tools_ = std::make_shared<const tools::toolbox>(std::move(*tools));
  out->client_ = std::make_shared<client>();
  if (auto started = out->start(); !started) return started.error();
  core::open_session opening{{std::string(scenario_project)}, {std::string(scenario_agent)}, "scenario", {}, {}};
  if (auto sent = out->send({}, std::move(opening)); !sent) return sent.error();
  if (!out->last_reply()) return error{errc::internal_error, "opening the session got no answer"};
  if (!*out->last_reply()) return out->last_reply()->error();
  (void)out->take_events();
  return out;
}

stage::~stage() { (void)stop(); }

caf::scheduler::test_coordinator& stage::scheduler() const {
  return dynamic_cast<caf::scheduler::test_coordinator&>(process_->system.scheduler());
}

core::result<void> stage::start() {
  gate_->revive();
  ++starts_;
  process_ = std::make_unique<process>();
  scheduler().clock().current_time += std::chrono::hours(1);  // CAF takes 0 for "no time"
  actor_stack_parts parts;
  parts.config = config_;
  parts.environment = environment_;
  parts.tools = tools_;
  parts.workspaces = workspaces_.path();
  parts.run_blocking = [this](std::function<void()> f) { run_blocking(std::move(f)); };
  parts.store = gate_.get();
  parts.detached = false;
  for (const auto& [id, provider] : config_->providers) {
    if (parts_.recording) {
      parts.clients.emplace(id, providers::make_recorded(parts_.recording, timers_));
      continue;
    }
    auto made = providers::make_scripted(provider, timers_);
    if (!made) return made.error();
    parts.clients.emplace(id, std::move(*made));
  }
  auto queries = gate_->open_queries();
  if (!queries) return queries.error();
  auto in_flight = (*queries)->sessions_in_flight();
  auto stack = actor_stack::start(process_->system, std::move(parts));
  if (!stack) return stack.error();
  process_->stack = std::move(*stack);
  process_->listener = process_->stack->spawn_listener();
  attach();
  process_->stack->resume(in_flight);
  return run_until_idle();
}

void stage::attach() {
  // As a transport does it: from the log up to where the sink begins.
  client_->fall_behind();
  auto take = [c = client_](core::result<actors::event_page> page) {
    c->catch_up(page ? page->events : std::vector<core::event>{});
  };
  auto read = [this, take, listener = process_->listener](core::result<actors::attached> a) {
    if (!a || a->published <= client_->seen()) return client_->catch_up({});
    caf::anon_send(listener, actors::read_events{session_, client_->seen(), a->published, max_missed},
                   to<actors::event_page>(take));
  };
  caf::anon_send(process_->listener, actors::attach{session_, client_, false}, to<actors::attached>(read));
}

core::result<void> stage::stop() {
  if (!process_) return {};
  // What the process had in hand is gone with it.
  pauses_.clear();
  work_.drop_all();
  timers_.drop_all();
  process_->listener = nullptr;
  if (process_->stack) {
    process_->stack->stop([this] {
      while (scheduler().try_run_once()) continue;
    });
    process_->stack = nullptr;
  }
  work_.drop_all();
  timers_.drop_all();
  if (process_->system.registry().running() == 0) {
    process_ = nullptr;
    return {};
  }
  // Its actor system would wait for ever: better to leak it and say so.
  auto survivors = process_->system.registry().running();
  process_->system.await_actors_before_shutdown(false);
  (void)process_.release();
  return error{errc::internal_error, std::to_string(survivors) + " actors did not end when the server stopped"};
}

core::result<void> stage::restart() {
  if (auto stopped = stop(); !stopped) return stopped;
  return start();
}

core::result<void> stage::crash() {
  gate_->die();
  return settle();
}

std::shared_ptr<const std::optional<stage::reply>> stage::post(core::principal by, core::command command) {
  reply_ = std::make_shared<std::optional<reply>>();
  auto done = [where = reply_](reply r) { *where = std::move(r); };
  caf::anon_send(process_->listener, actors::submit{session_, std::move(by), std::move(command)},
                 to<core::command_reply>(std::move(done)));
  return reply_;
}

bool stage::run_some(std::size_t jobs) {
  for (; jobs > 0; --jobs)
    if (!scheduler().try_run_once() && !work_.run_one()) return false;
  return true;
}

void stage::elapse(std::chrono::milliseconds by) {
  environment_->set_now(environment_->now() + by);
  scheduler().clock().advance_time(by);
}

core::result<void> stage::send(core::principal by, core::command command) {
  (void)post(std::move(by), std::move(command));
  return settle();
}

core::result<void> stage::settle() {
  auto idle = run_until_idle();
  if (!idle || !gate_->is_dead()) return idle;
  client_->cut_off(true);  // nobody hears more of a dead process
  auto stopped = stop();
  client_->cut_off(false);
  if (!stopped) return stopped;
  return start();
}

core::result<void> stage::run_until_idle() {
  for (std::size_t jobs = 0; jobs < max_jobs; ++jobs) {
    if (gate_->is_dead()) return {};
    if (!scheduler().try_run_once() && !work_.run_one()) return {};
  }
  return error{errc::internal_error,
               "the actors do not come to rest: more than " + std::to_string(max_jobs) + " jobs at one moment"};
}

core::result<void> stage::advance(std::chrono::milliseconds by) {
  auto until = environment_->now() + by;
  for (std::size_t moments = 0; moments < max_moments; ++moments) {
    auto moved = move_time(until);
    if (!moved) return moved.error();
    if (!*moved) return {};
  }
  return error{errc::internal_error, "more than " + std::to_string(max_moments) + " timers in one advance"};
}

core::result<std::optional<std::chrono::milliseconds>> stage::advance_to_next(std::chrono::milliseconds most) {
  auto from = environment_->now();
  auto moved = move_time(from + most);
  if (!moved) return moved.error();
  std::optional<std::chrono::milliseconds> out;
  if (*moved) out = environment_->now() - from;
  return out;
}

core::result<bool> stage::move_time(core::millis until) {
  auto& clock = scheduler().clock();
  auto due = timers_.next_due();
  bool is_timer = due.has_value();
  if (const auto& schedule = clock.schedule(); !schedule.empty()) {
    auto in = std::chrono::ceil<std::chrono::milliseconds>(schedule.begin()->first - clock.now());
    auto caf_due = environment_->now() + std::max(in, std::chrono::milliseconds{0});
    if (!due || caf_due < *due) {
      due = caf_due;
      is_timer = false;
    }
  }
  auto next = due && *due <= until ? *due : until;
  auto step = next - environment_->now();
  if (on_time_ && step.count() > 0) on_time_(step);
  environment_->set_now(next);
  // Of equals the timer is first: what an upstream says comes before what waits for it.
  if (is_timer && next == due) {
    clock.current_time += step;
    timers_.fire_next();
  } else {
    clock.advance_time(step);
  }
  if (auto idle = settle(); !idle) return idle.error();
  return due && *due <= until;
}

void stage::run_blocking(std::function<void()> f) {
  work_.add([this, f = std::move(f)] {
    try {
      f();
    } catch (const tool_pause& pause) {
      if (pause.never) return;
      pauses_.push_back(timers_.after(pause.left, [this, f] { run_blocking(f); }));
    }
  });
}

std::vector<core::event> stage::take_events() { return client_->take(); }

}  // namespace troupe::app
