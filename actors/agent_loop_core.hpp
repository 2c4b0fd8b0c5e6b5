// The agent loop's inside, shared by its source files: agent_loop.cpp (life), agent_loop_model.cpp (what the model is asked
// and answers), agent_loop_tools.cpp. A handle to the actor's state; runs on the actor's thread only.
#pragma once

#include "actors/agent_loop.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe::actors {

/// What the model reads as the result of a call that was not allowed.
[[nodiscard]] std::string refusal_text(core::decision said, const std::string& note);

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
  void begin();
  void resume_tools();
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
  void on_end(providers::model_end& end, std::uint32_t attempts);
  void on_failed_call(providers::model_end& end, std::uint32_t attempts);
  void on_summary(const providers::model_end& end, std::uint32_t attempts);
  void on_refused_answer(const std::string& defect, payloads facts);
  void make_call_ids_unique(std::vector<core::tool_call>& calls);
  void add_usage(const providers::model_end& end, std::uint32_t attempts, payloads& facts);
  [[nodiscard]] const core::provider_id& provider() const;
  [[nodiscard]] const std::string& model() const;
  [[nodiscard]] const std::optional<core::token_price>& price() const;
  [[nodiscard]] std::uint32_t max_output() const;
  /// How the answer misses the agent's response_schema; empty where it does not.
  [[nodiscard]] std::string defect_of_answer(const std::string& text) const;
  /// What the model is told of the answer that its history ends with; empty where it ends otherwise.
  [[nodiscard]] std::string repair_note() const;

  // ---- tools ----
  [[nodiscard]] bool needs_approval(const tools::tool& tool) const;
  [[nodiscard]] bool may_use(const std::string& tool) const;
  void start_calls(std::vector<core::tool_call> asked, payloads facts);
  void dispatch(const std::vector<std::size_t>& refused);
  void run_call(std::size_t i);
  [[nodiscard]] std::optional<std::size_t> find_open(const core::tool_call_id& id) const;
  void settle(std::size_t i, core::tool_completed result);
  void on_result(tool_outcome& m);
  void on_decision(const approval_outcome& m);
};

}  // namespace troupe::actors
