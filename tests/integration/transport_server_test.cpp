#include "tests/support/running_server.hpp"
#include "tests/support/tcp_client.hpp"

#include <ifaddrs.h>
#include <net/if.h>
#include <sys/resource.h>
#include <catch2/catch.hpp>

#include <cstring>

using namespace troupe;
using namespace troupe::testing;

namespace {

/// An IPv4 address of this machine that is not loopback, or nothing.
std::string own_address() {
  std::string out;
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return out;
  for (auto* i = all; i != nullptr && out.empty(); i = i->ifa_next) {
    if (i->ifa_addr == nullptr || i->ifa_addr->sa_family != AF_INET || (i->ifa_flags & IFF_LOOPBACK) != 0) continue;
    sockaddr_in address{};
    std::memcpy(&address, i->ifa_addr, sizeof address);
    char text[INET_ADDRSTRLEN] = {};
    if (::inet_ntop(AF_INET, &address.sin_addr, text, sizeof text) != nullptr) out = text;
  }
  ::freeifaddrs(all);
  return out;
}

}  // namespace

TEST_CASE("server: clients over max_connections are told 503") {
  core::transport_limits limits;
  limits.max_connections = 2;
  running_server server(limits);
  tcp_client a(server.url());
  tcp_client b(server.url());
  CHECK(a.get("/").status == 200);
  CHECK(b.get("/").status == 200);
  tcp_client c(server.url());
  CHECK(c.read_answer().status == 503);
  CHECK(c.is_at_end());
  CHECK(server.instance->counters().refused == 1);
}

TEST_CASE("server: loopback has no limit per address") {
  core::transport_limits limits;
  limits.connections_per_address = 1;
  running_server server(limits);
  tcp_client a(server.url());
  tcp_client b(server.url());
  CHECK(a.get("/").status == 200);
  CHECK(b.get("/").status == 200);
}

TEST_CASE("server: other addresses have a limit, and get their place back") {
  const auto address = own_address();
  if (address.empty()) {
    WARN("no interface but loopback: the limit per address is not tested");
    return;
  }
  core::transport_limits limits;
  limits.connections_per_address = 1;
  running_server server(limits, "0.0.0.0:0");
  {
    tcp_client a(server.url(), 0, address.c_str());
    CHECK(a.get("/").status == 200);
    tcp_client b(server.url(), 0, address.c_str());
    CHECK(b.read_answer().status == 429);
    CHECK(b.is_at_end());
  }
  CHECK(server.has_open(0));
  tcp_client c(server.url(), 0, address.c_str());
  CHECK(c.get("/").status == 200);
}

TEST_CASE("server: it goes on accepting after it ran out of file descriptors") {
  running_server server;
  rlimit old{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &old) == 0);
  const int next_fd = ::dup(0);
  ::close(next_fd);
  auto tight = old;
  tight.rlim_cur = static_cast<rlim_t>(next_fd) + 1;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &tight) == 0);
  tcp_client client(server.url());  // takes the last one; the kernel completes the connection by itself
  client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK_FALSE(client.is_readable_within(30ms));
  CHECK(server.instance->counters().accepted == 0);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &old) == 0);
  CHECK(client.read_answer().status == 200);
}

TEST_CASE("server: a taken port is an error that names it") {
  running_server first;
  boost::asio::io_context io;
  const auto address = first.url().substr(7);
  auto second = server::listen(io, address, {}, {});
  REQUIRE(second.has_error());
  CHECK(second.error().text.find(address) != std::string::npos);
}

TEST_CASE("server: it listens on IPv6 and on names") {
  running_server named({}, "localhost:0");
  CHECK(named.url().find("http://localhost:") == 0);
  tcp_client client(named.url());
  CHECK(client.get("/").status == 200);
  boost::asio::io_context io;
  auto v6 = server::listen(io, "[::1]:0", {}, {});
  if (v6.has_value()) CHECK((*v6)->url().find("http://[::1]:") == 0);
}

TEST_CASE("server: after stop_accepting nobody gets in, and those inside stay") {
  running_server server;
  tcp_client inside(server.url());
  CHECK(inside.get("/").status == 200);
  server.instance->stop_accepting();
  server.run([] {});
  CHECK_THROWS(tcp_client(server.url()));
  CHECK(inside.get("/").status == 200);
}

TEST_CASE("server: close_all ends WebSockets with the code, streams and idle HTTP at once, requests after their answer") {
  running_server server;
  std::shared_ptr<http_exchange> waiting;
  tcp_client socket(server.url());
  socket.open_websocket();
  tcp_client idle(server.url());
  CHECK(idle.get("/").status == 200);
  tcp_client stream(server.url());
  {
    stream_route route(server);
    stream.send("GET /s HTTP/1.1\r\nHost: x\r\n\r\n");
    stream.read_until("data: {}\n\n\r\n");
  }
  server.run([&] {
    server.on_request = [&](http_request, std::shared_ptr<http_exchange> e) {
      waiting = e;
      server.events.add("request");
    };
  });
  tcp_client busy(server.url());
  busy.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(server.events.next() == "request");

  server.instance->close_all(1012, "restart");
  const auto close = socket.read_frame();
  CHECK(close.close_code() == 1012);
  CHECK(close.payload.substr(2) == "restart");
  socket.send(masked_frame(8, close.payload));
  CHECK(socket.is_at_end());
  CHECK(idle.is_at_end());
  CHECK(stream.read_to_end() == "0\r\n\r\n");
  CHECK(server.events.next() == "closed");
  CHECK(server.events.next() == "closed");
  server.run([&] { std::exchange(waiting, nullptr)->respond({}); });
  CHECK(busy.read_answer().has("Connection: close"));
  CHECK(busy.is_at_end());
}

TEST_CASE("timers: they fire once on the io thread, and not after they are dropped") {
  running_server server;
  auto timers = make_timer_service(server.io);
  auto dropped = timers->after(20ms, [&] { server.events.add("dropped"); });
  auto kept = timers->after(
      40ms, [&] { server.events.add(server.io.get_executor().running_in_this_thread() ? "io thread" : "elsewhere"); });
  dropped.reset();
  CHECK(server.events.next() == "io thread");
  CHECK(server.events.is_empty());
}
