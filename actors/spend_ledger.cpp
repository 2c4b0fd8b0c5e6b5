#include "actors/spend_ledger.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <limits>

namespace troupe::actors {

namespace {

struct utc_periods {
  std::string day;
  std::string month;
};

utc_periods periods_of(core::millis at) {
  auto date = std::chrono::year_month_day{std::chrono::floor<std::chrono::days>(std::chrono::sys_time<core::millis>{at})};
  std::array<char, 32> text{};
  auto size = std::snprintf(text.data(), text.size(), "%04d-%02u-%02u", static_cast<int>(date.year()),
                            static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  std::string day(text.data(), static_cast<std::size_t>(size));
  return {day, day.substr(0, day.size() - 3)};
}

/// Whole cents, or as many places as it takes.
std::string usd(core::micro_usd amount) {
  std::array<char, 40> text{};
  auto size = std::snprintf(text.data(), text.size(), "%.6f", amount.usd());
  std::string out(text.data(), static_cast<std::size_t>(size));
  auto cents = out.find('.') + 3;
  while (out.size() > cents && out.back() == '0') out.pop_back();
  return out;
}

}  // namespace

std::int32_t percent_of(core::micro_usd spend, core::micro_usd budget) noexcept {
  constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
  if (budget.value <= 0) return 0;
  if (spend.value > std::numeric_limits<std::int64_t>::max() / 100) return static_cast<std::int32_t>(most);
  return static_cast<std::int32_t>(std::min(spend.value * 100 / budget.value, most));
}

bool crossed_threshold(const std::vector<std::int32_t>& thresholds, std::int32_t before, std::int32_t after) noexcept {
  return std::any_of(thresholds.begin(), thresholds.end(), [&](std::int32_t t) { return before < t && after >= t; });
}

/// A budget, whose it is, and where it stands in the configuration, or in the definition of a stored agent.
struct spend_ledger::budgeted {
  const char* scope;
  std::string account;
  std::string subject;
  std::string config_path;
  std::shared_ptr<const core::budget_config> budget;  ///< never null
};

std::vector<spend_ledger::budgeted> spend_ledger::budgets_of(const core::project_id& project,
                                                             const core::agent_id& agent) const {
  std::vector<budgeted> out;
  auto p = config_->projects.find(project);
  if (p == config_->projects.end()) return out;
  auto path = "projects." + project.str();
  out.push_back({"project", project.str(), "project " + project.str(), path + ".budget", {config_, &p->second.spending}});
  // Of an agent that is not there any more too: made again, it has not got its money back.
  static const auto no_budget = std::make_shared<const core::budget_config>();
  auto found = agent.empty() ? nullptr : config_->find_agent(project, agent);
  out.push_back({"agent", project.str() + "/" + agent.str(), "agent " + agent.str(),
                 p->second.agents.contains(agent) ? path + ".agents." + agent.str() + ".budget" : "budget",
                 found ? std::shared_ptr<const core::budget_config>(found, &found->spending) : no_budget});
  return out;
}

core::micro_usd spend_ledger::period_spend::add(const std::string& now, core::micro_usd cost) {
  // A clock that went back does not give a spent period its money again.
  if (now > period) *this = {now, {}};
  if (now == period) spend += cost;
  return spend;
}

core::millis spend_ledger::horizon(core::millis now) {
  auto date = std::chrono::year_month_day{std::chrono::floor<std::chrono::days>(std::chrono::sys_time<core::millis>{now})};
  return std::chrono::sys_days{date.year() / date.month() / 1}.time_since_epoch();
}

void spend_ledger::load(const core::project_id& project, const core::agent_id& agent, core::millis at, core::micro_usd cost) {
  std::lock_guard lock(mutex_);
  auto now = periods_of(at);
  for (const auto& b : budgets_of(project, agent)) {
    auto& spent = accounts_[b.account];
    spent.day.add(now.day, cost);
    spent.month.add(now.month, cost);
  }
}

std::vector<core::cost_alert> spend_ledger::add(const core::project_id& project, const core::agent_id& agent, core::millis at,
                                                core::micro_usd cost) {
  std::lock_guard lock(mutex_);
  std::vector<core::cost_alert> out;
  auto now = periods_of(at);
  for (const auto& b : budgets_of(project, agent)) {
    auto& spent = accounts_[b.account];
    auto count = [&](period_spend& in, const std::string& period, const std::optional<core::micro_usd>& limit) {
      auto after = in.add(period, cost);
      if (!limit || in.period != period) return;
      auto percent = percent_of(after, *limit);
      if (crossed_threshold(b.budget->alerts, percent_of(after - cost, *limit), percent))
        out.push_back({b.scope, after, *limit, percent});
    };
    count(spent.day, now.day, b.budget->daily);
    count(spent.month, now.month, b.budget->monthly);
  }
  return out;
}

std::optional<std::string> spend_ledger::reached(const core::project_id& project, const core::agent_id& agent,
                                                 core::millis now) const {
  std::lock_guard lock(mutex_);
  auto periods = periods_of(now);
  for (const auto& b : budgets_of(project, agent)) {
    auto it = accounts_.find(b.account);
    auto spent = it == accounts_.end() ? account{} : it->second;
    auto is_spent = [&](const period_spend& in, const std::string& period, const std::optional<core::micro_usd>& limit,
                        const char* key) -> std::optional<std::string> {
      auto spend = in.period == period ? in.spend : core::micro_usd{};
      if (!limit || spend < *limit) return std::nullopt;
      return "The " + b.subject + " has spent its budget for " + period + " (UTC): " + usd(spend) + " of " + usd(*limit) +
             " USD (" + b.config_path + "." + key + ").";
    };
    if (auto day = is_spent(spent.day, periods.day, b.budget->daily, "daily_usd")) return day;
    if (auto month = is_spent(spent.month, periods.month, b.budget->monthly, "monthly_usd")) return month;
  }
  return std::nullopt;
}

}  // namespace troupe::actors
