#include "app/record/recorded_agent.hpp"

#include <boost/json/array.hpp>

#include <algorithm>

namespace troupe::app {

namespace json = boost::json;

namespace {

std::uint32_t max_steps_of(const core::agent_config* known, const std::vector<log_entry>& log) {
  if (known) return known->limits.max_steps;
  auto out = core::agent_limits{}.max_steps;
  for (const auto& x : log) {
    if (const auto* step = x.event.as<core::step_started>()) out = std::max(out, step->step);
    if (const auto* f = x.event.as<core::run_failed>(); f && f->code == core::errc::iteration_limit) out = f->steps;
  }
  return out;
}

}  // namespace

json::object recorded_agent(const core::agent_config* known, const std::vector<log_entry>& log, const agent_findings& found) {
  const core::agent_limits usual;
  json::object limits;
  if (auto max_steps = max_steps_of(known, log); max_steps != usual.max_steps) limits["max_steps"] = max_steps;
  auto max_queue = known ? known->limits.max_queue : found.full_at.value_or(usual.max_queue);
  if (max_queue != usual.max_queue) limits["max_queue"] = max_queue;
  if (known && known->limits.budget) limits["budget_usd"] = known->limits.budget->usd();
  if (known && known->limits.max_output_tokens != usual.max_output_tokens)
    limits["max_output_tokens"] = known->limits.max_output_tokens;
  auto timeout = found.approval_timeout_ms;
  if (timeout != 0 && timeout != usual.approval_timeout.count()) limits["approval_timeout_ms"] = timeout;
  auto tool_ms = std::max<std::int64_t>(known ? known->limits.tool_timeout.count() : 0, found.longest_call_ms + 1'000);
  if (tool_ms > usual.tool_timeout.count()) limits["tool_timeout_ms"] = std::min<std::int64_t>(tool_ms, 24 * 3'600'000);
  json::object out;
  if (!limits.empty()) out["limits"] = std::move(limits);
  if (known && known->alerts != core::agent_config{}.alerts)
    out["alerts"] = json::array(known->alerts.begin(), known->alerts.end());
  return out;
}

}  // namespace troupe::app
