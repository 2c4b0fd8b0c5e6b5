// The tools of a recording: their calls, what they answered and when, and what people were asked about them. Owned by the
// writer of a recording.
#pragma once

#include "app/record/recording_steps.hpp"
#include "core/config.hpp"
#include "tools/tool.hpp"

#include <map>
#include <set>

namespace troupe::app {

class call_book {
 public:
  /// `known` has the tools' schemas, `agent` is as it was; either may be null.
  call_book(recording_steps& steps, const tools::toolbox* known, const core::agent_config* agent)
      : steps_(steps), known_(known), agent_(agent) {}

  /// `is_unknown`: the agent had no such tool, and replay refuses the call by itself.
  void started(const core::tool_started& t, bool is_unknown);
  void asked(const core::approval_requested& a, const core::event& e);
  /// When its question expires, by the clock of the replay.
  [[nodiscard]] core::millis deadline(const core::approval_id& approval) { return deadlines_[approval]; }
  /// Other arguments than the model's, of a call that waits for a person.
  void edited(const core::tool_call_id& call, const std::string& input);
  void decided(const core::approval_decided& a);
  /// `closes`: it ended because its run did.
  void completed(const core::tool_completed& t, const core::event& e, bool closes);
  /// Only a crash leaves an outcome unknown.
  void lost(const core::tool_outcome_unknown& t, const core::event& e);

  [[nodiscard]] bool has_crashed() const noexcept { return crashed_at_.count() != 0; }
  /// Two people had to approve a call.
  [[nodiscard]] bool needs_two() const noexcept { return needs_two_; }
  /// How long questions wait; 0: nobody was asked.
  [[nodiscard]] std::int64_t timeout_ms() const noexcept { return timeout_ms_; }
  [[nodiscard]] std::int64_t longest_call_ms() const noexcept { return longest_call_ms_; }
  /// JSON texts.
  [[nodiscard]] std::vector<std::string> tools() const;
  [[nodiscard]] const std::vector<std::string>& results() const noexcept { return results_; }

 private:
  struct open_call {
    std::string tool;
    std::string input;
    core::millis begun{0};
    std::size_t order = 0;
    bool is_dispatched = true;
  };

  [[nodiscard]] std::int64_t approval_timeout(const core::approval_requested& a, const core::event& e);
  void run_again(const std::string& call);
  [[nodiscard]] std::string lost_result(const std::string& call) const;

  recording_steps& steps_;
  const tools::toolbox* known_;
  const core::agent_config* agent_;
  std::map<std::string, boost::json::object> tools_;
  std::map<std::string, open_call> calls_;
  std::map<core::approval_id, core::millis> deadlines_;
  std::set<std::string> unknown_;  ///< calls whose outcome is
  std::vector<std::string> results_;
  std::size_t dispatched_ = 0;
  core::millis last_result_{-1};
  std::size_t last_order_ = 0;
  core::millis crashed_at_{0};  ///< as recorded
  std::int64_t longest_call_ms_ = 0;
  std::int64_t timeout_ms_ = 0;
  bool needs_two_ = false;
};

}  // namespace troupe::app
