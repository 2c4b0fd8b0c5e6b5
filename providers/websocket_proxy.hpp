// The way of the `websocket` kind through an HTTP proxy: a CONNECT tunnel (RFC 9110 §9.3.6), also for ws://. Which proxy, as
// libcurl decides it for the other kinds: the configured one, else the environment's. Pure values and text; sans I/O.
#pragma once

#include "core/error.hpp"
#include "providers/http_model.hpp"
#include "providers/websocket_upstream.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace troupe::providers {

struct websocket_proxy {
  std::string host;  ///< without the brackets of an IPv6 address
  std::string port;
  std::string credentials;  ///< of `Proxy-Authorization: Basic`, in base64; empty: none

  /// `http://[name:password@]host[:port]`, or without the scheme; port 1080 by default, as libcurl has it. Nothing where it is
  /// none, or one that this kind cannot use: SOCKS, or TLS to the proxy itself.
  [[nodiscard]] static std::optional<websocket_proxy> parse(std::string_view text);

  /// The request for a tunnel to that upstream.
  [[nodiscard]] std::string request_to(const websocket_url& upstream) const;
};

/// Nothing: straight to the upstream. `configured` wins; else `https_proxy` (wss) or `http_proxy` (ws), else `all_proxy`,
/// unless `no_proxy` names the host; in capitals too, but for HTTP_PROXY, which CGI programs get from strangers. An error says
/// what is wrong with which of them, and shows no password.
[[nodiscard]] core::result<std::optional<websocket_proxy>> proxy_for(const websocket_url& upstream,
                                                                     const std::string& configured,
                                                                     const environment_lookup& environment);

/// Whether `no_proxy` names the host: `*`, or a list of names and addresses; a name stands for what is below it too.
[[nodiscard]] bool is_without_proxy(std::string_view no_proxy, std::string_view host);

/// The head of the proxy's answer, bytes up to the blank line: nothing where the tunnel stands, else what the proxy said.
[[nodiscard]] std::optional<std::string> refusal_of_proxy(std::string_view head);
inline constexpr std::size_t max_proxy_head = 16 << 10;

}  // namespace troupe::providers
