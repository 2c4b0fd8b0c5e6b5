// The run a session is in, folded from its events: what dialects, the REST reply and recovery all need to know of it.
// Pure; begins again at every run_started.
#pragma once

#include "core/event.hpp"

#include <optional>
#include <string>
#include <vector>

namespace troupe::core {

struct turn_call {
  tool_call_id id;
  std::string tool;
  std::string input;  ///< JSON text
  core::effect effect = effect::once;
  bool settled = false;
  bool ok = false;
  std::string output;
  std::int64_t ms = 0;
  std::optional<decision> decided{};             ///< what a person (or the time limit) said of it last
  std::string note{};                            ///< that came with it
  outcome_choice choice = outcome_choice::none;  ///< where its outcome was not known
  bool is_unknown = false;                       ///< its outcome is not known, and a person has not decided yet
  session_id child{};                            ///< of the sub-agent that carries it out
};

struct turn {
  run_id run;
  message_id message;
  message_id reply;  ///< the assistant message being written, or the last one
  trace_id trace;
  agent_id agent;
  std::uint64_t config_hash = 0;  ///< of the agent; 0 after a handover: not known
  std::uint32_t step = 0;
  bool active = false;
  bool step_open = false;           ///< a model call of this step has not completed
  seq_t step_text_from = 0;         ///< seq of the first text or reasoning of the open step; 0: none yet
  std::vector<turn_call> calls;     ///< of all steps, in the order asked
  std::size_t step_calls_from = 0;  ///< where those of the current step begin
  std::vector<approval_requested> open_approvals;
  std::vector<approval_endorsed> endorsements;  ///< of open approvals
  std::optional<run_stop_requested> stop{};     ///< asked for, and it has not ended yet
  token_usage tokens;
  micro_usd cost;

  void apply(const event& e);
  [[nodiscard]] turn_call* find_call(const tool_call_id& id) noexcept;
  /// Nothing goes on until a person decides: every call of the step without a result has an open approval.
  [[nodiscard]] bool is_parked() const noexcept;
};

}  // namespace troupe::core
