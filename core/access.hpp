// Who asks and what they may do: principals, scopes, the visibility of sessions (PROTOCOLS, head). Pure; the transport makes
// principals of credentials, the session checks them at every command, feeds at every delivery.
#pragma once

#include "core/event.hpp"
#include "core/records.hpp"

#include <cstdint>
#include <string>

namespace troupe::core {

/// Bits of `principal::scopes`.
namespace scope {
inline constexpr std::uint8_t chat = 1;
inline constexpr std::uint8_t approve = 2;
inline constexpr std::uint8_t read = 4;
inline constexpr std::uint8_t admin = 8;  ///< sees and may do everything
inline constexpr std::uint8_t all = chat | approve | read | admin;
inline constexpr std::uint8_t user = chat | approve | read;
}  // namespace scope

/// The default is the anonymous owner of a server without auth, who may do everything.
struct principal {
  std::string id;
  std::string name;  ///< shown to others
  std::uint8_t scopes = scope::all;
  millis expires_at{0};  ///< 0: never

  /// Somebody without valid credentials where they are required.
  [[nodiscard]] static principal nobody() { return {{}, {}, 0, millis{0}}; }

  [[nodiscard]] bool may(std::uint8_t needed) const noexcept {
    return (scopes & scope::admin) != 0 || (scopes & needed) == needed;
  }
  [[nodiscard]] bool is_expired(millis now) const noexcept { return expires_at.count() != 0 && now >= expires_at; }
};

/// Owner, participants and admins see a session.
[[nodiscard]] bool may_see(const principal& who, const session_record& session) noexcept;

}  // namespace troupe::core
