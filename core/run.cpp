#include "core/run.hpp"

#include <algorithm>

namespace troupe::core {

std::string_view to_string(run_phase p) noexcept {
  constexpr std::array<std::string_view, 7> names{"idle",      "calling_model", "running_tools", "parked",
                                                  "completed", "failed",        "cancelled"};
  return names[static_cast<std::size_t>(p) % names.size()];
}

std::optional<run_phase> next_phase(run_phase from, run_trigger on) noexcept {
  for (const auto& t : run_transitions)
    if (t.from == from && t.on == on) return t.to;
  return std::nullopt;
}

run_phase run_machine::take(run_trigger on) noexcept {
  if (auto next = next_phase(phase_, on)) {
    phase_ = *next;
    if (phase_ == run_phase::calling_model) {
      ++step_;
      calls_.clear();
    }
  }
  return phase_;
}

run_phase run_machine::look_at_calls() {
  if (phase_ != run_phase::running_tools) return phase_;
  auto is = [](call_state s) { return [s](call_state c) { return c == s; }; };
  if (std::all_of(calls_.begin(), calls_.end(), is(call_state::settled)))
    return take(step_ >= max_steps_ ? run_trigger::steps_spent : run_trigger::all_settled);
  if (std::none_of(calls_.begin(), calls_.end(), is(call_state::started))) return take(run_trigger::all_wait);
  return phase_;
}

run_phase run_machine::begin() noexcept { return take(step_ >= max_steps_ ? run_trigger::steps_spent : run_trigger::begin); }

run_phase run_machine::resume_calls(std::vector<call_state> calls) {
  if (phase_ != run_phase::idle) return phase_;
  calls_ = std::move(calls);
  take(run_trigger::model_asked);
  return look_at_calls();
}

run_phase run_machine::model_ended(std::size_t calls) {
  if (phase_ != run_phase::calling_model) return phase_;
  if (calls == 0) return take(run_trigger::model_answered);
  calls_.assign(calls, call_state::started);
  return take(run_trigger::model_asked);
}

run_phase run_machine::ask_again() noexcept {
  return take(step_ >= max_steps_ ? run_trigger::model_broke : run_trigger::asked_again);
}

run_phase run_machine::model_failed() noexcept { return take(run_trigger::model_broke); }

run_phase run_machine::call_waits(std::size_t index) {
  if (phase_ == run_phase::running_tools && index < calls_.size() && calls_[index] == call_state::started) {
    calls_[index] = call_state::waiting;
    return look_at_calls();
  }
  return phase_;
}

run_phase run_machine::call_released(std::size_t index) {
  if (index < calls_.size() && calls_[index] == call_state::waiting) {
    calls_[index] = call_state::started;
    take(run_trigger::decided);
  }
  return phase_;
}

run_phase run_machine::call_settled(std::size_t index) {
  if (index < calls_.size() && calls_[index] != call_state::settled &&
      (phase_ == run_phase::running_tools || phase_ == run_phase::parked)) {
    calls_[index] = call_state::settled;
    if (phase_ == run_phase::parked) take(run_trigger::decided);
    return look_at_calls();
  }
  return phase_;
}

run_phase run_machine::stop() noexcept { return take(run_trigger::stop); }

}  // namespace troupe::core
