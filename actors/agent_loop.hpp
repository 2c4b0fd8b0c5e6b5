// One run of an agent: the shell around core::run_machine. Asks the model, has tools carried out, waits for people, and
// reports every fact to its session, which numbers and stores it. Ends with finish_run or when its session stops it.
#pragma once

#include "actors/model_bill.hpp"
#include "actors/services.hpp"
#include "core/history.hpp"
#include "core/run.hpp"
#include "core/turn.hpp"
#include "tools/schema.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe::actors {

/// What the model reads as the result of a call that a stop cut short.
inline constexpr std::string_view stopped_call_text = "The user stopped the run before this call had a result.";

/// What a loop starts from: a fresh run, or one that a restart interrupted (`before` says how far it had come).
struct run_order {
  std::shared_ptr<const core::agent_config> agent;
  core::session_record record;  ///< of its session, as the run begins
  directory_actor directory;    ///< the way to sessions of sub-agents
  core::principal by;           ///< who sent the message it answers
  std::uint32_t depth = 0;      ///< of the session: 0 for a person's
  core::session_id session;
  core::run_id run;
  core::trace_id trace;
  core::message_id reply;         ///< id of the first step's assistant message
  core::message_options options;  ///< of the message it answers
  core::history history;          ///< up to and including the user message
  core::turn before;              ///< nothing active: a fresh run
  std::uint32_t model_calls = 0;  ///< of the session so far
  core::micro_usd session_spend;  ///< of the session so far
};

struct agent_loop_state {
  struct question {
    core::approval_id approval;
    core::approval_kind kind = core::approval_kind::tool;
    core::approval_id origin{};  ///< not nil: a sub-agent's, asked under this id in its session
    /// Asked by the call itself while it runs, and answered to it.
    [[nodiscard]] bool is_of_invocation() const noexcept { return kind == core::approval_kind::input || !origin.is_nil(); }
  };
  struct call {
    core::tool_call asked;
    std::string input{};     ///< the arguments as the log has them; edited ones after their approval
    tools::tool_ptr tool{};  ///< null: refused already, or not there any more
    boost::json::object arguments{};
    core::session_id child{};  ///< of the sub-agent that carries it out
    std::vector<question> questions{};
    bool settled = false;
    tool_invocation_actor invocation{};
  };

  services_ptr services;
  session_actor session;
  provider_actor provider;  ///< of the call under way
  run_order order;
  core::run_machine machine{0};
  bool has_begun = false;                    ///< its tools are known
  std::vector<approval_outcome> early;       ///< decisions that came before
  std::vector<tools::tool_ptr> agent_tools;  ///< that come with the agent's configuration, not with the toolbox
  std::vector<tools::tool_ptr> toolset;      ///< what may be called in this step
  std::shared_ptr<const std::vector<providers::tool_description>> tools;  ///< … as models are told
  std::shared_ptr<const providers::model_files> files;  ///< of the history, for all steps; null until they are read

  std::optional<tools::schema> answer_schema;  ///< of the agent, where it has one
  bool was_asked_again = false;                ///< an answer of this run did not fit it
  std::size_t left_out = 0;                    ///< so many of the oldest messages are not sent: they would not fit
  std::size_t summing_up = 0;                  ///< so many messages of the history; 0: the call under way is for the answer
  std::string summary;                         ///< as far as it has come
  std::size_t choice = 0;                      ///< which model is asked: 0 the agent's own, then its fallback in order
  std::vector<std::string> tried;              ///< provider/model, each of which failed in this step

  core::message_id message;                       ///< being written in this step
  std::string text;                               ///< of it so far
  std::vector<call> calls;                        ///< of this step
  std::vector<core::tool_call_id> used_call_ids;  ///< in this run
  core::uuid model_call;                          ///< nil: none under way
  model_bill bill;                                ///< of that call

  core::message_id last_message;  ///< the last one completed
  core::token_usage tokens;
  core::micro_usd cost;
  std::vector<core::attachment> made_files;  ///< by tools of this run
};

agent_loop_actor::behavior_type agent_loop(agent_loop_actor::stateful_pointer<agent_loop_state> self, services_ptr services,
                                           session_actor session, run_order order);

}  // namespace troupe::actors
