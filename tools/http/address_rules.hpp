// Which addresses are out in the internet, for tools that may reach nothing else. The facts are IANA's special-purpose address
// registries for IPv4 and IPv6; where they and caution differ, caution wins. Pure functions, any thread.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>

namespace troupe::tools {

using ipv4_bytes = std::array<std::uint8_t, 4>;  ///< network order
using ipv6_bytes = std::array<std::uint8_t, 16>;

/// False for what is private, local, shared, reserved, for documentation, multicast, or a cloud's own.
[[nodiscard]] bool is_public(const ipv4_bytes& address) noexcept;
/// Forms that carry an IPv4 address (mapped, compatible, translated, NAT64, 6to4, Teredo) are as public as that is.
[[nodiscard]] bool is_public(const ipv6_bytes& address) noexcept;
/// False for other families than these two.
[[nodiscard]] bool is_public(const sockaddr& address) noexcept;

}  // namespace troupe::tools
