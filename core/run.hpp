// The run state machine: what the agent loop does next. Pure: no clock, no actors, no I/O. The shell
// (actors/agent_loop.cpp) feeds it what happened and carries out what it answers.
#pragma once

#include "core/event.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace troupe::core {

enum class run_phase : std::uint8_t { idle, calling_model, running_tools, parked, completed, failed, cancelled };
enum class run_trigger : std::uint8_t {
  begin,           ///< the run starts, or starts its interrupted step again
  model_answered,  ///< the upstream's end marker came and no tool is asked for
  model_asked,     ///< it came with tool calls
  asked_again,     ///< the answer does not fit what was asked for: the model is told so, in a new step
  model_broke,     ///< the call failed for good, or there is no money for it
  all_wait,        ///< every call without a result waits for a person
  decided,         ///< a person (or the clock) settled an approval
  all_settled,     ///< every call has its result
  steps_spent,     ///< … but the run may not call the model again
  stop,            ///< a client cancels
};

struct run_transition {
  run_phase from;
  run_trigger on;
  run_phase to;
};

/// The whole machine. What is not here does not happen (`run_machine` ignores it).
inline constexpr std::array run_transitions{
    run_transition{run_phase::idle, run_trigger::begin, run_phase::calling_model},
    run_transition{run_phase::idle, run_trigger::model_asked, run_phase::running_tools},  // resumed between call and result
    run_transition{run_phase::idle, run_trigger::steps_spent, run_phase::failed},
    run_transition{run_phase::idle, run_trigger::stop, run_phase::cancelled},
    run_transition{run_phase::calling_model, run_trigger::model_answered, run_phase::completed},
    run_transition{run_phase::calling_model, run_trigger::model_asked, run_phase::running_tools},
    run_transition{run_phase::calling_model, run_trigger::asked_again, run_phase::calling_model},
    run_transition{run_phase::calling_model, run_trigger::model_broke, run_phase::failed},
    run_transition{run_phase::calling_model, run_trigger::stop, run_phase::cancelled},
    run_transition{run_phase::running_tools, run_trigger::all_wait, run_phase::parked},
    run_transition{run_phase::running_tools, run_trigger::all_settled, run_phase::calling_model},
    run_transition{run_phase::running_tools, run_trigger::steps_spent, run_phase::failed},
    run_transition{run_phase::running_tools, run_trigger::stop, run_phase::cancelled},
    run_transition{run_phase::parked, run_trigger::decided, run_phase::running_tools},
    run_transition{run_phase::parked, run_trigger::stop, run_phase::cancelled},
};

[[nodiscard]] std::string_view to_string(run_phase p) noexcept;
[[nodiscard]] std::optional<run_phase> next_phase(run_phase from, run_trigger on) noexcept;

enum class call_state : std::uint8_t { started, waiting, settled };

class run_machine {
 public:
  /// `steps_done` is above 0 when a run goes on after a restart.
  explicit run_machine(std::uint32_t max_steps, std::uint32_t steps_done = 0) noexcept
      : max_steps_(max_steps), step_(steps_done) {}

  [[nodiscard]] run_phase phase() const noexcept { return phase_; }
  /// The current step, 1-based; 0 before the first.
  [[nodiscard]] std::uint32_t step() const noexcept { return step_; }
  [[nodiscard]] bool is_over() const noexcept {
    return phase_ == run_phase::completed || phase_ == run_phase::failed || phase_ == run_phase::cancelled;
  }
  [[nodiscard]] const std::vector<call_state>& calls() const noexcept { return calls_; }

  /// Each input answers the phase after it; an input that does not fit the phase changes nothing.
  run_phase begin() noexcept;
  /// The step that was under way goes on with its calls as they were found.
  run_phase resume_calls(std::vector<call_state> calls);
  run_phase model_ended(std::size_t calls);
  /// The answer cannot be used: a new step asks again, or the run fails where it has no step left.
  run_phase ask_again() noexcept;
  run_phase model_failed() noexcept;
  /// Call `index` asks a person.
  run_phase call_waits(std::size_t index);
  /// Its approval was given: it runs.
  run_phase call_released(std::size_t index);
  /// It has its result. The phase becomes calling_model (a new step) after the last one.
  run_phase call_settled(std::size_t index);
  run_phase stop() noexcept;

 private:
  run_phase take(run_trigger on) noexcept;
  run_phase look_at_calls();

  std::uint32_t max_steps_;
  std::uint32_t step_;
  run_phase phase_ = run_phase::idle;
  std::vector<call_state> calls_;
};

}  // namespace troupe::core
