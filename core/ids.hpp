// Strong identifiers. Ids that the server makes are 128-bit (`uuid_id`); ids that people or models choose are text
// (`name_id`). Two ids of different things never compare or convert into each other. Plain values, any thread.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::core {

/// A 128-bit value written in the canonical 8-4-4-4-12 form (RFC 9562 §4).
struct uuid {
  std::uint64_t hi = 0;
  std::uint64_t lo = 0;

  auto operator<=>(const uuid&) const = default;
  [[nodiscard]] bool is_nil() const noexcept { return hi == 0 && lo == 0; }
  [[nodiscard]] std::string str() const;
  /// 32 lower-case hex digits without dashes.
  [[nodiscard]] std::string hex() const;
  /// Accepts the canonical form only, either case.
  [[nodiscard]] static std::optional<uuid> parse(std::string_view text) noexcept;
};

/// The same text always gives the same uuid (version 8, a 122-bit FNV-1a hash): clients name their own conversations.
[[nodiscard]] uuid uuid_of_name(std::string_view text) noexcept;

template <class Tag>
struct uuid_id {
  uuid value;

  auto operator<=>(const uuid_id&) const = default;
  [[nodiscard]] bool is_nil() const noexcept { return value.is_nil(); }
  [[nodiscard]] std::string str() const { return value.str(); }
  [[nodiscard]] static std::optional<uuid_id> parse(std::string_view text) noexcept {
    if (auto parsed = uuid::parse(text)) return uuid_id{*parsed};
    return std::nullopt;
  }
};

template <class Tag>
struct name_id {
  std::string value;

  auto operator<=>(const name_id&) const = default;
  [[nodiscard]] bool empty() const noexcept { return value.empty(); }
  [[nodiscard]] const std::string& str() const noexcept { return value; }
};

using session_id = uuid_id<struct session_tag>;
using run_id = uuid_id<struct run_tag>;
using message_id = uuid_id<struct message_tag>;
using approval_id = uuid_id<struct approval_tag>;
using file_id = uuid_id<struct file_tag>;
using grant_id = uuid_id<struct grant_tag>;
/// W3C trace context id, written as 32 hex digits (`value.hex()`).
using trace_id = uuid_id<struct trace_tag>;

using project_id = name_id<struct project_tag>;
using agent_id = name_id<struct agent_tag>;
using provider_id = name_id<struct provider_tag>;
/// Chosen by the model; unique within its message only.
using tool_call_id = name_id<struct tool_call_tag>;

/// Position in a session's log, from 1. 0 means "before the first event" and, on an event, "transient".
using seq_t = std::uint64_t;

}  // namespace troupe::core

template <>
struct std::hash<troupe::core::uuid> {
  std::size_t operator()(const troupe::core::uuid& id) const noexcept {
    return static_cast<std::size_t>(id.hi * 0x9E3779B97F4A7C15ULL ^ id.lo);
  }
};

template <class Tag>
struct std::hash<troupe::core::uuid_id<Tag>> {
  std::size_t operator()(const troupe::core::uuid_id<Tag>& id) const noexcept {
    return std::hash<troupe::core::uuid>{}(id.value);
  }
};

template <class Tag>
struct std::hash<troupe::core::name_id<Tag>> {
  std::size_t operator()(const troupe::core::name_id<Tag>& id) const noexcept { return std::hash<std::string>{}(id.value); }
};
