#include "tools/http/address_rules.hpp"

#include <netinet/in.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace troupe::tools {

namespace {

template <std::size_t N>
struct block {
  std::array<std::uint8_t, N> prefix;
  unsigned bits;

  [[nodiscard]] bool holds(const std::array<std::uint8_t, N>& address) const noexcept {
    for (unsigned i = 0; i < bits / 8; ++i)
      if (address[i] != prefix[i]) return false;
    if (bits % 8 == 0) return true;
    auto mask = static_cast<std::uint8_t>(0xFF00U >> (bits % 8));
    return (address[bits / 8] & mask) == prefix[bits / 8];
  }
};

template <class Blocks, class Address>
bool any_holds(const Blocks& blocks, const Address& address) noexcept {
  return std::any_of(blocks.begin(), blocks.end(), [&](const auto& b) { return b.holds(address); });
}

constexpr std::array closed_ipv4{
    block<4>{{0}, 8},                  // this network (RFC 791)
    block<4>{{10}, 8},                 // private (RFC 1918)
    block<4>{{100, 64}, 10},           // shared by carriers (RFC 6598)
    block<4>{{127}, 8},                // loopback (RFC 1122)
    block<4>{{168, 63, 129, 16}, 32},  // not IANA's: a public address that stands for the host in one cloud
    block<4>{{169, 254}, 16},          // link-local (RFC 3927), where clouds keep their metadata
    block<4>{{172, 16}, 12},           // private (RFC 1918)
    block<4>{{192, 0, 0}, 24},         // protocol assignments (RFC 6890)
    block<4>{{192, 0, 2}, 24},         // documentation (RFC 5737)
    block<4>{{192, 88, 99}, 24},       // 6to4 relays, deprecated (RFC 7526)
    block<4>{{192, 168}, 16},          // private (RFC 1918)
    block<4>{{198, 18}, 15},           // benchmarking (RFC 2544)
    block<4>{{198, 51, 100}, 24},      // documentation (RFC 5737)
    block<4>{{203, 0, 113}, 24},       // documentation (RFC 5737)
    block<4>{{224}, 4},                // multicast (RFC 1112)
    block<4>{{240}, 4},                // reserved (RFC 1112), broadcast
};

/// IPv6 forms with an IPv4 address in them, and where it is.
struct carrier {
  block<16> form;
  std::size_t at;
};
constexpr std::array carriers{
    carrier{{{}, 96}, 12},                                          // ::a.b.c.d (RFC 4291 §2.5.5.1), with :: and ::1
    carrier{{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF}, 96}, 12},  // ::ffff:a.b.c.d (RFC 4291 §2.5.5.2)
    carrier{{{0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF}, 96}, 12},        // ::ffff:0:a.b.c.d (RFC 2765)
    carrier{{{0, 0x64, 0xFF, 0x9B}, 96}, 12},                       // NAT64 (RFC 6052)
    carrier{{{0x20, 0x02}, 16}, 2},                                 // 6to4 (RFC 3056)
};
constexpr block<16> teredo{{0x20, 0x01}, 32};  // RFC 4380: the server's address, and the client's with its bits turned over

constexpr block<16> global_unicast{{0x20}, 3};  // nothing else is given out (IANA's IPv6 address space)
constexpr std::array closed_ipv6{
    block<16>{{0x20, 0x01}, 23},              // protocol assignments (RFC 2928): benchmarking, ORCHID and others
    block<16>{{0x20, 0x01, 0x0D, 0xB8}, 32},  // documentation (RFC 3849)
    block<16>{{0x3F, 0xFF}, 20},              // documentation (RFC 9637)
};

ipv4_bytes part(const ipv6_bytes& address, std::size_t at) noexcept {
  return {address[at], address[at + 1], address[at + 2], address[at + 3]};
}

}  // namespace

bool is_public(const ipv4_bytes& address) noexcept { return !any_holds(closed_ipv4, address); }

bool is_public(const ipv6_bytes& address) noexcept {
  for (const auto& c : carriers)
    if (c.form.holds(address)) return is_public(part(address, c.at));
  if (teredo.holds(address)) {
    auto client = part(address, 12);
    for (auto& byte : client) byte = static_cast<std::uint8_t>(~byte);
    return is_public(part(address, 4)) && is_public(client);
  }
  return global_unicast.holds(address) && !any_holds(closed_ipv6, address);
}

bool is_public(const sockaddr& address) noexcept {
  if (address.sa_family == AF_INET) {
    sockaddr_in in;
    std::memcpy(&in, &address, sizeof in);
    ipv4_bytes bytes;
    std::memcpy(bytes.data(), &in.sin_addr, bytes.size());
    return is_public(bytes);
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 in;
    std::memcpy(&in, &address, sizeof in);
    ipv6_bytes bytes;
    std::memcpy(bytes.data(), &in.sin6_addr, bytes.size());
    return is_public(bytes);
  }
  return false;
}

}  // namespace troupe::tools
