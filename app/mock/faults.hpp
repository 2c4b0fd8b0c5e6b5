// What `troupe mock-model` does wrong on purpose (docs/scenarios.md, "A model for other clients"): the words of the command
// line and of the header X-Troupe-Fault, which request gets which of them, and their effect on the bytes of an answer.
// Sans I/O; used on the io thread only.
#pragma once

#include "core/error.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::app {

enum class fault_kind : std::uint8_t { latency, stall, cut, garbage, status, retry_after };

struct mock_fault {
  fault_kind kind = fault_kind::latency;
  std::int64_t amount = 0;             ///< milliseconds, bytes of the body, an HTTP status, or seconds
  std::optional<std::uint32_t> times;  ///< how many requests it is for; absent: all

  bool operator==(const mock_fault&) const = default;
};

inline constexpr std::size_t max_faults = 16;
inline constexpr std::int64_t default_retry_after = 1;  ///< seconds

/// `WORD:AMOUNT[:TIMES]`. A `validation_error` names the part that is wrong and what fits there.
[[nodiscard]] core::result<mock_fault> parse_fault(std::string_view text);
/// Several with commas between them, for one request: without TIMES. `none` is no fault.
[[nodiscard]] core::result<std::vector<mock_fault>> parse_fault_list(std::string_view text);

/// What happens to one answer.
struct fault_plan {
  std::chrono::milliseconds latency{0};
  std::optional<int> status;  ///< an error in the place of the answer
  std::chrono::seconds retry_after{default_retry_after};
  std::optional<std::size_t> stall_after;    ///< so many bytes of the body, then silence
  std::optional<std::size_t> cut_after;      ///< … then the connection ends
  std::optional<std::size_t> garbage_after;  ///< … then noise instead of the rest
};
[[nodiscard]] fault_plan plan_of(const std::vector<mock_fault>& faults);

/// Deals faults out to requests in the order they come.
class fault_source {
 public:
  explicit fault_source(std::vector<mock_fault> faults) : faults_(std::move(faults)) {}
  /// For the next request. Of several faults of a kind the first counts that is not used up; an error status leaves the
  /// faults of a body for later.
  [[nodiscard]] fault_plan next();

 private:
  std::vector<mock_fault> faults_;
};

/// Applies a plan to the body of one answer, piece by piece.
class body_filter {
 public:
  enum class verdict : std::uint8_t { go_on, cut, stall };

  explicit body_filter(const fault_plan& plan) noexcept : plan_(plan) {}
  /// Makes of the next bytes what is to be sent. Nothing may follow a `cut` or a `stall`.
  [[nodiscard]] verdict pass(std::string& bytes);

 private:
  fault_plan plan_;
  std::size_t passed_ = 0;
};

}  // namespace troupe::app
