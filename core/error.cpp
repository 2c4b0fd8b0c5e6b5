#include "core/error.hpp"

#include <array>

namespace troupe::core {

namespace {

struct row {
  errc code;
  std::string_view text;
  int status;
  bool retryable;
};

constexpr std::array<row, errc_count> table{{
    {errc::ok, "OK", 200, false},
    {errc::parse_error, "PARSE_ERROR", 400, false},
    {errc::unknown_type, "UNKNOWN_TYPE", 400, false},
    {errc::validation_error, "VALIDATION_ERROR", 400, false},
    {errc::auth_required, "AUTH_REQUIRED", 401, false},
    {errc::auth_failed, "AUTH_FAILED", 401, false},
    {errc::forbidden, "FORBIDDEN", 403, false},
    {errc::not_found, "NOT_FOUND", 404, false},
    {errc::method_not_allowed, "METHOD_NOT_ALLOWED", 405, false},
    {errc::busy, "BUSY", 409, true},
    {errc::approval_not_pending, "APPROVAL_NOT_PENDING", 409, false},
    {errc::budget_exceeded, "BUDGET_EXCEEDED", 429, false},
    {errc::rate_limited, "RATE_LIMITED", 429, true},
    {errc::provider_error, "PROVIDER_ERROR", 502, true},
    {errc::agent_run_failed, "AGENT_RUN_FAILED", 500, false},
    {errc::iteration_limit, "ITERATION_LIMIT", 500, false},
    {errc::payload_too_large, "PAYLOAD_TOO_LARGE", 413, false},
    {errc::unsupported_media_type, "UNSUPPORTED_MEDIA_TYPE", 415, false},
    {errc::session_closed, "SESSION_CLOSED", 409, false},
    {errc::storage_unavailable, "STORAGE_UNAVAILABLE", 503, true},
    {errc::shutting_down, "SHUTTING_DOWN", 503, true},
    {errc::timeout, "TIMEOUT", 504, true},
    {errc::cancelled, "CANCELLED", 409, false},
    {errc::internal_error, "INTERNAL_ERROR", 500, false},
    {errc::configuration_error, "CONFIGURATION_ERROR", 500, false},
    {errc::idempotency_mismatch, "IDEMPOTENCY_MISMATCH", 422, false},
    {errc::queue_full, "QUEUE_FULL", 429, true},
    {errc::scenarios_not_configured, "SCENARIOS_NOT_CONFIGURED", 404, false},
    {errc::scenario_run_active, "SCENARIO_RUN_ACTIVE", 409, true},
    {errc::session_not_recordable, "SESSION_NOT_RECORDABLE", 409, false},
    {errc::agent_exists, "AGENT_EXISTS", 409, false},
    {errc::version_conflict, "VERSION_CONFLICT", 409, false},
    {errc::agent_in_configuration, "AGENT_IN_CONFIGURATION", 409, false},
    {errc::agent_is_default, "AGENT_IS_DEFAULT", 409, false},
    {errc::agent_in_use, "AGENT_IN_USE", 409, false},
    {errc::invalid_agent, "INVALID_AGENT", 422, false},
    {errc::not_an_answer, "NOT_AN_ANSWER", 422, false},
}};

constexpr bool in_order() {
  for (std::size_t i = 0; i < table.size(); ++i)
    if (static_cast<std::size_t>(table[i].code) != i) return false;
  return true;
}
static_assert(in_order(), "errc rows must stand in the order of their numbers");

const row& row_of(errc code) noexcept {
  auto i = static_cast<std::size_t>(code);
  return table[i < table.size() ? i : static_cast<std::size_t>(errc::internal_error)];
}

}  // namespace

std::string_view to_string(errc code) noexcept { return row_of(code).text; }

errc errc_from(std::string_view text) noexcept {
  for (const auto& r : table)
    if (r.text == text) return r.code;
  return errc::internal_error;
}

int http_status(errc code) noexcept { return row_of(code).status; }

bool is_retryable(errc code) noexcept { return row_of(code).retryable; }

}  // namespace troupe::core
