// What is known of one model call for its bill, by the actor that asked: of runs (agent_loop) and of titles (title_writer).
#pragma once

#include "actors/messages.hpp"
#include "core/event.hpp"

#include <optional>
#include <string>

namespace troupe::actors {

struct model_bill {
  core::millis started_at{0};
  core::millis first_delta_at{0};            ///< 0: no text has come
  std::optional<core::token_usage> counted;  ///< by the upstream so far
  std::uint32_t attempts = 0;                ///< as far as it was heard of

  void hear(const model_delivery& m, core::millis now) {
    attempts = m.attempt;
    if (m.output.usage) counted = m.output.usage;
    if (first_delta_at.count() == 0 && !(m.output.text.empty() && m.output.reasoning.empty())) first_delta_at = now;
  }

  /// `usage` is paid for. Estimated: where there is none, or the call was given up before its end (not `is_whole`).
  [[nodiscard]] core::usage_recorded record(const core::run_id& run, std::uint32_t step, const core::provider_id& provider,
                                            const std::string& model, const std::optional<core::token_price>& price,
                                            const std::optional<core::token_usage>& usage, bool is_whole) const {
    auto tokens = usage.value_or(core::token_usage{});
    auto cost = price ? core::cost_of(tokens, *price) : core::micro_usd{};
    return {run, step, provider.str(), model, tokens, cost, !usage || !is_whole, started_at, first_delta_at, attempts};
  }
};

}  // namespace troupe::actors
