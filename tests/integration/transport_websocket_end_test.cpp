#include "tests/support/growing_limit.hpp"
#include "tests/support/running_server.hpp"
#include "tests/support/tcp_client.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::testing;

TEST_CASE("websocket: close sends what is queued, then waits for the peer's Close and delivers nothing more") {
  running_server server;
  tcp_client client(server.url());
  client.open_websocket();
  server.run([&] {
    server.last->to->send_text("last words");
    server.last->to->close(4000, "enough");
    server.last->to->send_text("too late");
    server.last->to->close(4001, "again");
  });
  CHECK(client.read_frame().payload == "last words");
  const auto close = client.read_frame();
  CHECK(close.close_code() == 4000);
  CHECK(close.payload.substr(2) == "enough");
  client.send_text("ignored");
  CHECK(server.events.is_empty());
  client.send(masked_frame(8, close.payload));
  CHECK(client.is_at_end());
  CHECK(server.events.next() == "closed");
  CHECK(server.events.is_empty());
}

TEST_CASE("websocket: a peer that never answers a Close is cut off, but not within two seconds") {
  running_server server;
  tcp_client client(server.url());
  client.open_websocket();
  const auto begin = std::chrono::steady_clock::now();
  server.run([&] { server.last->to->close(1000, std::string(500, 'r')); });
  CHECK(client.read_frame().payload.size() == 125);
  CHECK(server.events.next() == "closed");
  CHECK(client.is_at_end());
  const auto took = std::chrono::steady_clock::now() - begin;
  CHECK(took > 1900ms);
}

TEST_CASE("websocket: drop sends what is queued and ends TCP without a Close frame") {
  running_server server;
  tcp_client client(server.url());
  client.open_websocket();
  server.run([&] {
    for (int i = 0; i < 3; ++i) server.last->to->send_text("queued");
    server.last->to->drop();
    server.last->to->send_text("too late");
  });
  for (int i = 0; i < 3; ++i) CHECK(client.read_frame().payload == "queued");
  CHECK(client.is_at_end());
  CHECK(server.events.next() == "closed");
}

TEST_CASE("websocket: close and drop from inside on_message are safe") {
  running_server server;
  server.on_accept = [](recorder& r) {
    r.on_text = [&r](std::string_view text) {
      const std::string before(text);
      if (text == "close")
        r.to->close(1000, "");
      else
        r.to->drop();
      CHECK(text == before);
    };
  };
  for (const std::string how : {"close", "drop"}) {
    tcp_client client(server.url());
    client.open_websocket();
    client.send(masked_frame(1, how) + masked_frame(1, "another message behind it"));
    if (how == "close") {
      CHECK(client.read_frame().close_code() == 1000);
      client.send(masked_frame(8, "\x03\xe8"));
    }
    CHECK(client.is_at_end());
    CHECK(server.events.next() == "closed");
  }
}

TEST_CASE("websocket: a vanished client closes its owner") {
  running_server server;
  {
    tcp_client client(server.url());
    client.open_websocket();
  }
  CHECK(server.events.next() == "closed");
  tcp_client reset(server.url());
  {
    tcp_client inner(server.url());
    inner.open_websocket();
    inner.reset_on_close();
  }
  CHECK(server.events.next() == "closed");
}

TEST_CASE("websocket: pings keep a quiet client that answers, and a dead one is closed") {
  CHECK(holds_with_some_limit(400ms, [](auto limit) {  // long enough for the pongs to come
    core::transport_limits limits;
    limits.idle_timeout = limit;
    running_server server(limits);
    tcp_client client(server.url());
    client.open_websocket();
    for (int i = 0; i < 3; ++i) {
      const auto ping = client.read_frame();
      if (ping.opcode != 9) return false;
      client.send(masked_frame(10, ping.payload));
    }
    return server.events.is_empty() && client.read_frame().opcode == 9 && client.is_at_end() &&
           server.events.next() == "closed";
  }));
}

TEST_CASE("websocket: a paused peer delivers nothing until it goes on, and loses nothing") {
  running_server server;
  tcp_client client(server.url());
  client.open_websocket();
  server.run([&] { server.last->to->pause_reading(true); });
  for (int i = 0; i < 50; ++i) client.send_text(std::to_string(i));
  tcp_client other(server.url());
  CHECK(other.get("/").status == 200);
  CHECK(server.events.is_empty());
  server.run([&] { server.last->to->pause_reading(false); });
  for (int i = 0; i < 50; ++i) CHECK(server.events.next() == "text " + std::to_string(i));
}

TEST_CASE("websocket: a slow reader over the limit is closed with 1013 while its neighbour is served") {
  core::transport_limits limits;
  limits.outbound_limit_bytes = 200'000;
  running_server server(limits);
  std::vector<std::shared_ptr<peer>> peers;
  server.on_accept = [&](recorder& r) { peers.push_back(r.to); };
  tcp_client slow(server.url(), 4096);
  slow.open_websocket();
  tcp_client neighbour(server.url());
  neighbour.open_websocket();
  const auto big = frame(std::string(60'000, 's'));
  bool is_over = false;
  for (int i = 0; i < 200 && !is_over; ++i) {
    server.run([&] {
      const auto before = peers[0]->queued_bytes();
      peers[0]->send(big);
      peers[1]->send(frame(std::to_string(i)));
      // It takes nothing more: the client has two seconds to read what is on the way, and the reason.
      is_over = peers[0]->queued_bytes() == before;
    });
    REQUIRE(neighbour.read_frame().payload == std::to_string(i));
  }
  CHECK(is_over);
  // The slow one wakes up: whole frames, then the reason.
  int frames = 0;
  for (;;) {
    const auto got = slow.read_frame();
    if (got.opcode == 8) {
      CHECK(got.close_code() == 1013);
      break;
    }
    REQUIRE(got.payload.size() == 60'000);
    ++frames;
  }
  CHECK(frames < 200);
  slow.send(masked_frame(8, "\x03\xf5"));
  CHECK(server.events.next() == "closed");
  neighbour.send_text("still here");
  CHECK(server.events.next() == "text still here");
  server.run([&] { peers.clear(); });
}

TEST_CASE("websocket: pings from a client that reads no pongs do not fill the memory") {
  core::transport_limits limits;
  limits.outbound_limit_bytes = 100'000;
  running_server server(limits);
  tcp_client client(server.url(), 4096);
  client.open_websocket();
  std::string pings;
  for (int i = 0; i < 2000; ++i) pings += masked_frame(9, std::string(100, 'p'));
  // A closed connection may still take and drop bytes for a moment, or refuse them: either way it must have been closed.
  try {
    for (int i = 0; i < 500; ++i) client.send(pings);
  } catch (const std::runtime_error&) {
  }
  CHECK(server.events.next() == "closed");
}

TEST_CASE("websocket: a reader that stops is closed after slow_client_timeout, below the byte limit too") {
  core::transport_limits limits;
  limits.slow_client_timeout = 200ms;
  limits.outbound_limit_bytes = 100 << 20;
  running_server server(limits);
  tcp_client slow(server.url(), 4096);
  slow.open_websocket();
  server.run([&] {
    for (int i = 0; i < 100; ++i) server.last->to->send(frame(std::string(100'000, 's')));
    CHECK(server.last->to->is_congested());
  });
  CHECK(server.events.next() == "closed");
  CHECK(server.has_open(0));
}

TEST_CASE("websocket: on_drained follows congestion") {
  running_server server;
  tcp_client client(server.url());
  client.open_websocket();
  server.run([&] {
    for (int i = 0; i < 30; ++i) server.last->to->send(frame(std::string(100'000, 's')));
    CHECK(server.last->to->is_congested());
  });
  for (int i = 0; i < 30; ++i) CHECK(client.read_frame().payload.size() == 100'000);
  CHECK(server.events.next() == "drained");
  server.run([&] {
    CHECK_FALSE(server.last->to->is_congested());
    server.last->to->send_text("small");
  });
  CHECK(client.read_frame().payload == "small");
  CHECK(server.events.is_empty());
}

TEST_CASE("websocket: a peer outlives its connection and the server harmlessly") {
  std::shared_ptr<peer> kept;
  boost::asio::io_context* io = nullptr;
  auto server = std::make_unique<running_server>();
  io = &server->io;
  server->on_accept = [&](recorder& r) { kept = r.to; };
  tcp_client client(server->url());
  client.open_websocket();
  server->run([&] { server->instance.reset(); });
  CHECK(server->events.next() == "closed");
  server->run([&] {
    kept->send_text("x");
    kept->close(1000, "");
    kept->drop();
    kept->pause_reading(true);
    kept->pause_reading(false);
    CHECK_FALSE(kept->is_congested());
    CHECK(kept->queued_bytes() == 0);
  });
  kept->post([&] { server->events.add("posted"); });
  CHECK(server->events.next() == "posted");
  CHECK(io != nullptr);
  kept.reset();
}
