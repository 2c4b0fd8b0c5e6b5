// The agent loop's inside, shared by its source files: agent_loop.cpp (life), agent_loop_model.cpp (what the model is asked
// and answers), agent_loop_tools.cpp (calls begin), agent_loop_results.cpp (they end), agent_loop_questions.cpp (people),
// agent_loop_resume.cpp (after a restart), agent_loop_agents.cpp. A handle to the actor's state; its thread only.
#pragma once

#include "actors/agent_loop.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe::actors {

/// What the model reads as the result of a call that was not allowed.
[[nodiscard]] std::string refusal_text(core::decision said, const std::string& note);
/// … and of one whose outcome a person told; or nobody did.
[[nodiscard]] core::tool_completed result_of_choice(core::outcome_choice said, const std::string& note);

struct agent_loop_core {
  using payloads = std::vector<core::event_payload>;
  using self_pointer = agent_loop_actor::stateful_pointer<agent_loop_state>;

  self_pointer self;
  agent_loop_state& s = self->state;

  [[nodiscard]] core::millis now() const { return s.services->environment->now(); }
  [[nodiscard]] agent_loop_actor me() const { return agent_loop_actor{self}; }

  void remember(const payloads& facts) {
    for (const auto& f : facts) s.order.history.apply({0, 0, core::millis{0}, f});
  }
  /// Nobody waits for these facts.
  void tell(payloads facts) {
    remember(facts);
    caf::anon_send(s.session, record{std::move(facts)});
  }
  /// `then` runs once the facts are on disk. A store that fails ends the loop; the session starts again from its log.
  template <class Then>
  void tell_and(payloads facts, Then then) {
    remember(facts);
    self->request(s.session, caf::infinite, record{std::move(facts)})
        .then([then = std::move(then)](const recorded&) mutable { then(); }, [me = self](const caf::error&) { me->quit(); });
  }
  void finish(payloads facts);

  // ---- life ----
  /// What the configuration of the current agent does not allow to begin with. Again after another agent took over.
  [[nodiscard]] std::optional<core::error> prepare();
  /// The calls of the step that a restart interrupted, as the log has them.
  void adopt_calls();
  void wait_for_tools();
  void on_tools_ready();
  void begin();
  void resume_tools();
  void resume_call(std::size_t i, const core::turn_call& was, payloads& facts, std::vector<std::size_t>& again);
  void go_on(core::run_phase phase);
  void close_open(payloads& facts, const std::string& why, const std::string& by = {});
  void fail(core::error error, payloads facts = {});
  void on_stop(const stop_run& m);

  // ---- model ----
  void call_model();
  void read_files(std::vector<core::file_id> left, std::shared_ptr<providers::model_files> found);
  void ask_model();
  /// Sees to it that the request fits the model; false where it went another way (a summary first, or the end).
  [[nodiscard]] bool fit_context();
  void send_request();
  [[nodiscard]] bool take_next_choice();
  [[nodiscard]] std::shared_ptr<providers::model_request> answer_request() const;
  [[nodiscard]] std::shared_ptr<providers::model_request> summary_request() const;
  void on_output(model_delivery& m);
  void on_end(providers::model_end& end);
  void on_failed_call(providers::model_end& end);
  void on_summary(const providers::model_end& end);
  void on_refused_answer(const std::string& defect, payloads facts);
  void make_call_ids_unique(std::vector<core::tool_call>& calls);
  /// Of the call under way or just over (model_bill).
  void add_usage(const std::optional<core::token_usage>& usage, bool is_whole, payloads& facts);
  [[nodiscard]] const core::provider_id& provider() const;
  [[nodiscard]] const std::string& model() const;
  [[nodiscard]] const std::optional<core::token_price>& price() const;
  [[nodiscard]] std::uint32_t max_output() const;
  /// How the answer misses the agent's response_schema; empty where it does not.
  [[nodiscard]] std::string defect_of_answer(const std::string& text) const;
  /// What the model is told of the answer that its history ends with; empty where it ends otherwise.
  [[nodiscard]] std::string repair_note() const;

  // ---- tools ----
  /// What may be called now: sources of tools come, go and change.
  void select_tools();
  [[nodiscard]] tools::tool_ptr find_tool(const std::string& name) const;
  void start_calls(std::vector<core::tool_call> asked, payloads facts);
  void dispatch(const std::vector<std::size_t>& refused);
  void run_call(std::size_t i);
  [[nodiscard]] std::optional<std::size_t> find_open(const core::tool_call_id& id) const;

  // ---- their results ----
  /// `before` comes first, in the same group of facts. What was still asked for the call is closed.
  void settle(std::size_t i, core::tool_completed result, payloads before = {});
  void settle(std::size_t i, bool ok, std::string output) {
    settle(i, {s.order.run, s.calls[i].asked.id, s.calls[i].asked.tool, ok, std::move(output), 0});
  }
  void on_progress(tool_output& m);
  void on_result(tool_outcome& m);
  void keep_files(tool_outcome m);
  void complete(std::size_t i, tool_outcome& m, payloads files, const std::string& file_lines);
  void read_output(std::size_t i);

  // ---- people ----
  [[nodiscard]] core::approval_requested question_about(const agent_loop_state::call& call, core::approval_kind kind) const;
  /// The call's outcome is not known: a person is asked.
  void ask_about_outcome(agent_loop_state::call& call, payloads& facts) const;
  void close_questions(agent_loop_state::call& call, core::decision as, const std::string& why, const std::string& by,
                       payloads& facts) const;
  void on_question(tool_question& m);
  void on_decision(approval_outcome& m);
  void run_approved(std::size_t i, const core::approval_decided& said);

  // ---- other agents (agent_loop_agents.cpp) ----
  /// Carries out `delegate` and `handoff`. A delegation becomes the call's `invocation`; its questions come as tool_question,
  /// one or several at a time, and their decisions go to it as tool_answer, with `approval` as it is in the child's session. A
  /// decision made there settles the mirror by `decide_approval{approval = the child's}`: the session knows it by that too.
  /// After a restart mirrors stay open, and are taken up again when the delegation asks the same.
  void run_agent_tool(std::size_t i);
  void hand_over(std::size_t i, std::shared_ptr<const core::agent_config> next);
};

}  // namespace troupe::actors
