// Tokens and money. Amounts are integer micro-dollars; prices are integer nano-dollars per token, which is exactly
// "US dollars per million tokens" times 1000. Pure values.
#pragma once

#include <compare>
#include <cstdint>

namespace troupe::core {

struct micro_usd {
  std::int64_t value = 0;

  auto operator<=>(const micro_usd&) const = default;
  micro_usd& operator+=(micro_usd other) noexcept {
    value += other.value;
    return *this;
  }
  friend micro_usd operator+(micro_usd a, micro_usd b) noexcept { return {a.value + b.value}; }
  friend micro_usd operator-(micro_usd a, micro_usd b) noexcept { return {a.value - b.value}; }
  [[nodiscard]] double usd() const noexcept { return static_cast<double>(value) / 1e6; }
  /// Rounds half away from zero.
  [[nodiscard]] static micro_usd from_usd(double usd) noexcept {
    return {static_cast<std::int64_t>(usd * 1e6 + (usd < 0 ? -0.5 : 0.5))};
  }
};

/// `prompt` includes the cached tokens, as OpenAI counts (INTEROP §2, §3).
struct token_usage {
  std::int64_t prompt = 0;
  std::int64_t cached_prompt = 0;
  std::int64_t completion = 0;

  bool operator==(const token_usage&) const = default;
  [[nodiscard]] std::int64_t total() const noexcept { return prompt + completion; }
  token_usage& operator+=(const token_usage& other) noexcept {
    prompt += other.prompt;
    cached_prompt += other.cached_prompt;
    completion += other.completion;
    return *this;
  }
};

struct token_price {
  std::int64_t input_nano = 0;
  std::int64_t cached_input_nano = 0;
  std::int64_t output_nano = 0;

  bool operator==(const token_price&) const = default;
};

/// Rounded up to a whole micro-dollar once per call, so that sums of rows equal totals. Negative counts cost nothing.
[[nodiscard]] inline micro_usd cost_of(const token_usage& usage, const token_price& price) noexcept {
  auto at_least_0 = [](std::int64_t v) { return v < 0 ? std::int64_t{0} : v; };
  auto cached = at_least_0(usage.cached_prompt < usage.prompt ? usage.cached_prompt : usage.prompt);
  auto fresh = at_least_0(usage.prompt) - cached;
  auto nano = fresh * price.input_nano + cached * price.cached_input_nano + at_least_0(usage.completion) * price.output_nano;
  return {(nano + 999) / 1000};
}

}  // namespace troupe::core
