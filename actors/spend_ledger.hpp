// What agents and projects have spent today and this month, over all sessions: tells who crosses a threshold and who has
// reached a limit. Shared by all sessions, any thread. Filled from the store at start; the log stays the truth.
#pragma once

#include "core/config.hpp"
#include "core/event.hpp"

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace troupe::actors {

/// Rounded down; 0 of a budget of nothing.
[[nodiscard]] std::int32_t percent_of(core::micro_usd spend, core::micro_usd budget) noexcept;
[[nodiscard]] bool crossed_threshold(const std::vector<std::int32_t>& thresholds, std::int32_t before,
                                     std::int32_t after) noexcept;

class spend_ledger {
 public:
  explicit spend_ledger(core::config_ptr config) : config_(std::move(config)) {}

  /// The beginning of the month of `now`: what was spent before it is of no account.
  [[nodiscard]] static core::millis horizon(core::millis now);
  /// What was spent before this process, per day: from the store, before the first session wakes.
  void load(const core::project_id& project, const core::agent_id& agent, core::millis at, core::micro_usd cost);
  /// Counts `cost`; one alert per scope and period for the highest threshold that this crosses.
  [[nodiscard]] std::vector<core::cost_alert> add(const core::project_id& project, const core::agent_id& agent, core::millis at,
                                                  core::micro_usd cost);
  /// The limit that is reached, in words for the client; nothing where the next model call may go on.
  [[nodiscard]] std::optional<std::string> reached(const core::project_id& project, const core::agent_id& agent,
                                                   core::millis now) const;

 private:
  struct period_spend {
    std::string period;  ///< `2026-11-21` or `2026-11`
    core::micro_usd spend;

    /// Tells the sum of the period `now`, or of a later one that has begun already.
    core::micro_usd add(const std::string& now, core::micro_usd cost);
  };
  struct account {
    period_spend day;
    period_spend month;
  };

  struct budgeted;
  [[nodiscard]] std::vector<budgeted> budgets_of(const core::project_id& project, const core::agent_id& agent) const;

  core::config_ptr config_;
  mutable std::mutex mutex_;
  std::map<std::string, account> accounts_;  ///< `project` and `project/agent`
};

}  // namespace troupe::actors
