#include "core/event.hpp"

#include <algorithm>
#include <array>
#include <numeric>

namespace troupe::core {

namespace {

constexpr std::array<std::string_view, std::variant_size_v<event_payload>> kind_names{
    "session_created",  "message_added",   "run_queued",           "run_started",        "step_started",
    "text_delta",       "reasoning_delta", "message_superseded",   "message_completed",  "tool_started",
    "tool_progress",    "tool_completed",  "tool_outcome_unknown", "approval_requested", "approval_decided",
    "usage_recorded",   "cost_alert",      "run_completed",        "run_failed",         "run_cancelled",
    "run_dequeued",     "session_updated", "session_closed",       "message_edited",     "queue_reordered",
    "reaction_changed", "file_added",      "history_cleared",      "history_compacted",  "approval_endorsed",
    "grant_given",      "grant_revoked",   "agent_changed",        "run_stop_requested", "message_feedback",
    "typing_changed",   "presence_changed"};

constexpr std::array<std::string_view, 4> role_names{"system", "user", "assistant", "tool"};
constexpr std::array<std::string_view, 3> effect_names{"read_only", "idempotent", "once"};
constexpr std::array<std::string_view, 3> approval_kind_names{"tool", "outcome_unknown", "input"};
constexpr std::array<std::string_view, 3> decision_names{"approved", "denied", "expired"};
constexpr std::array<std::string_view, 4> session_status_names{"active", "paused", "closed", "deleted"};
constexpr std::array<std::string_view, 4> finish_reason_names{"stop", "length", "tool_calls", "content_filter"};
constexpr std::array<std::string_view, 3> rating_names{"none", "up", "down"};
constexpr std::array<std::string_view, 4> outcome_choice_names{"none", "retry", "done", "failed"};
constexpr std::array<std::string_view, 3> grant_scope_names{"session", "agent", "project"};

template <class E, std::size_t N>
std::optional<E> find(const std::array<std::string_view, N>& names, std::string_view text) noexcept {
  auto it = std::find(names.begin(), names.end(), text);
  if (it == names.end()) return std::nullopt;
  return static_cast<E>(it - names.begin());
}

template <class E, std::size_t N>
std::string_view name(const std::array<std::string_view, N>& names, E v) noexcept {
  return names[static_cast<std::size_t>(v) % N];
}

}  // namespace

void text_pieces::drop_front(std::size_t n) {
  n = std::min(n, lengths.size());
  auto cut = lengths.begin() + static_cast<std::ptrdiff_t>(n);
  text.erase(0, std::accumulate(lengths.begin(), cut, std::size_t{0}));
  lengths.erase(lengths.begin(), cut);
}

void text_pieces::keep_front(std::size_t n) {
  n = std::min(n, lengths.size());
  auto cut = lengths.begin() + static_cast<std::ptrdiff_t>(n);
  text.resize(std::accumulate(lengths.begin(), cut, std::size_t{0}));
  lengths.resize(n);
}

std::string_view kind_of(const event_payload& payload) noexcept { return kind_names[payload.index()]; }

bool is_durable_before_visible(const event_payload& payload) noexcept {
  return !(std::holds_alternative<text_delta>(payload) || std::holds_alternative<reasoning_delta>(payload) ||
           std::holds_alternative<tool_progress>(payload) || std::holds_alternative<typing_changed>(payload) ||
           std::holds_alternative<presence_changed>(payload));
}

event tail_after(const event& e, seq_t seq) {
  event out = e;
  if (seq < e.first) return out;
  auto skip = static_cast<std::size_t>(seq - e.first + 1);
  if (auto* d = std::get_if<text_delta>(&out.payload)) d->pieces.drop_front(skip);
  if (auto* d = std::get_if<reasoning_delta>(&out.payload)) d->pieces.drop_front(skip);
  out.first = seq + 1;
  return out;
}

event head_upto(const event& e, seq_t seq) {
  event out = e;
  if (seq >= e.seq) return out;
  auto keep = static_cast<std::size_t>(seq - e.first + 1);
  if (auto* d = std::get_if<text_delta>(&out.payload)) d->pieces.keep_front(keep);
  if (auto* d = std::get_if<reasoning_delta>(&out.payload)) d->pieces.keep_front(keep);
  out.seq = seq;
  return out;
}

std::string_view to_string(role v) noexcept { return name(role_names, v); }
std::string_view to_string(effect v) noexcept { return name(effect_names, v); }
std::string_view to_string(approval_kind v) noexcept { return name(approval_kind_names, v); }
std::string_view to_string(decision v) noexcept { return name(decision_names, v); }
std::string_view to_string(session_status v) noexcept { return name(session_status_names, v); }
std::string_view to_string(finish_reason v) noexcept { return name(finish_reason_names, v); }
std::string_view to_string(rating v) noexcept { return name(rating_names, v); }
std::string_view to_string(outcome_choice v) noexcept { return name(outcome_choice_names, v); }
std::string_view to_string(grant_scope v) noexcept { return name(grant_scope_names, v); }

std::optional<role> role_from(std::string_view t) noexcept { return find<role>(role_names, t); }
std::optional<effect> effect_from(std::string_view t) noexcept { return find<effect>(effect_names, t); }
std::optional<approval_kind> approval_kind_from(std::string_view t) noexcept {
  return find<approval_kind>(approval_kind_names, t);
}
std::optional<decision> decision_from(std::string_view t) noexcept { return find<decision>(decision_names, t); }
std::optional<session_status> session_status_from(std::string_view t) noexcept {
  return find<session_status>(session_status_names, t);
}
std::optional<finish_reason> finish_reason_from(std::string_view t) noexcept {
  return find<finish_reason>(finish_reason_names, t);
}
std::optional<rating> rating_from(std::string_view t) noexcept { return find<rating>(rating_names, t); }
std::optional<outcome_choice> outcome_choice_from(std::string_view t) noexcept {
  return find<outcome_choice>(outcome_choice_names, t);
}
std::optional<grant_scope> grant_scope_from(std::string_view t) noexcept { return find<grant_scope>(grant_scope_names, t); }

}  // namespace troupe::core
