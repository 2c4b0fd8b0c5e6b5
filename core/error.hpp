// What can go wrong, in one place: `errc` names it for clients and documents, `error` adds what an operator needs.
// docs/errors.md has a row per code; a test compares the two.
#pragma once

#include <boost/system/result.hpp>

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>

namespace troupe::core {

/// The numbers are stored and sent between nodes: never renumber, only add.
enum class errc : std::uint8_t {
  ok = 0,
  parse_error = 1,
  unknown_type = 2,
  validation_error = 3,
  auth_required = 4,
  auth_failed = 5,
  forbidden = 6,
  not_found = 7,
  method_not_allowed = 8,
  busy = 9,
  approval_not_pending = 10,
  budget_exceeded = 11,
  rate_limited = 12,
  provider_error = 13,
  agent_run_failed = 14,
  iteration_limit = 15,
  payload_too_large = 16,
  unsupported_media_type = 17,
  session_closed = 18,
  storage_unavailable = 19,
  shutting_down = 20,
  timeout = 21,
  cancelled = 22,
  internal_error = 23,
  configuration_error = 24,
  idempotency_mismatch = 25,
  queue_full = 26,
  scenarios_not_configured = 27,
  scenario_run_active = 28,
  session_not_recordable = 29,
  agent_exists = 30,
  version_conflict = 31,
  agent_in_configuration = 32,
  agent_is_default = 33,
  agent_in_use = 34,
  invalid_agent = 35,
  not_an_answer = 36,
};
inline constexpr int errc_count = 37;

/// The code as clients read it, e.g. `NOT_FOUND`.
[[nodiscard]] std::string_view to_string(errc code) noexcept;
/// The inverse of `to_string`; unknown text is `internal_error`.
[[nodiscard]] errc errc_from(std::string_view text) noexcept;
/// HTTP status that carries this code (PROTOCOLS §1.6).
[[nodiscard]] int http_status(errc code) noexcept;
/// True where the same request may succeed later without being changed.
[[nodiscard]] bool is_retryable(errc code) noexcept;

struct error {
  errc code = errc::internal_error;
  /// Names the thing and the remedy; safe to show to the client that caused it.
  std::string text;

  bool operator==(const error&) const = default;
};

/// Thrown by `result<T>::value()` on an error that nobody looked at: a defect, not an expected path.
struct bad_result : std::exception {
  explicit bad_result(error e) : what_(std::string(to_string(e.code)) + ": " + e.text) {}
  [[nodiscard]] const char* what() const noexcept override { return what_.c_str(); }

 private:
  std::string what_;
};

[[noreturn]] inline void throw_exception_from_error(const error& e, const boost::source_location&) { throw bad_result(e); }

template <class T>
using result = boost::system::result<T, error>;

}  // namespace troupe::core
