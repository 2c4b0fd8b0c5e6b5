// A WebSocket echo endpoint, and a client that writes down all it hears as one line: the bench of the protocol conformance
// tests. Text comes back as text, binary as binary. Header only; the test's thread owns it.
#pragma once

#include "tests/support/running_server.hpp"
#include "tests/support/tcp_client.hpp"

#include <array>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

namespace troupe::testing {

struct echo_owner final : peer_owner {
  explicit echo_owner(std::shared_ptr<peer> p) : to(std::move(p)) {}
  void on_message(std::string_view message, bool is_text) override {
    if (is_text)
      to->send_text(message);
    else
      to->send_binary(message);
  }
  void on_drained() override {}
  void on_closed() override { to.reset(); }
  std::shared_ptr<peer> to;
};

inline core::transport_limits echo_limits() {
  core::transport_limits limits;
  limits.max_frame_bytes = 8 << 20;
  limits.outbound_limit_bytes = 64 << 20;
  limits.permessage_deflate = true;
  return limits;
}

class echo_server : public running_server {
 public:
  explicit echo_server(core::transport_limits limits = echo_limits()) : running_server(limits) {
    run([this] {
      on_upgrade = [](const http_request&) {
        upgrade out;
        out.accept = [](std::shared_ptr<peer> p) { return std::make_shared<echo_owner>(std::move(p)); };
        return out;
      };
    });
  }
};

/// Long payloads are told by their length.
inline std::string told(const ws_frame& frame) {
  constexpr std::array<std::string_view, 11> names{"continuation", "text", "binary", "3", "4", "5", "6", "7",
                                                   "close",        "ping", "pong"};
  std::string out(names.at(static_cast<std::size_t>(frame.opcode)));
  if (!frame.fin) out += " (fragment)";
  if (frame.opcode == 8) return out + " " + std::to_string(frame.close_code());
  return out + " " + (frame.payload.size() > 200 ? std::to_string(frame.payload.size()) + " bytes" : frame.payload);
}

/// What comes until TCP ends, as `text hello, pong x, close 1000`. A Close is answered as clients do.
inline std::string hear(tcp_client& client) {
  std::string out;
  for (bool is_closed = false; !is_closed;) {
    const auto frame = client.read_frame();
    out += (out.empty() ? "" : ", ") + told(frame);
    is_closed = frame.opcode == 8;
  }
  return client.is_at_end() ? out : out + ", and something after the Close";
}

inline std::string close_frame(int code, std::string_view reason = {}) {
  std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  return masked_frame(8, payload.append(reason));
}

/// Sends `data` (in pieces of `chop` bytes) and then a Close 1000, and tells what came back.
inline std::string talk(const echo_server& server, std::string_view data, std::size_t chop = std::string::npos) {
  tcp_client client(server.url());
  client.open_websocket();
  const std::string all = std::string(data) + close_frame(1000);
  try {
    for (std::size_t at = 0; at < all.size(); at += std::min(chop, all.size() - at))
      client.send(std::string_view(all).substr(at, chop));
  } catch (const std::runtime_error&) {  // the server may have seen enough
  }
  return hear(client);
}

}  // namespace troupe::testing
