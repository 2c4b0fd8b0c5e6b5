#include "tests/support/running_server.hpp"
#include "tests/support/tcp_client.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::testing;

TEST_CASE("event stream: chunks, headers and the regular end") {
  running_server server;
  stream_route route(server);
  tcp_client client(server.url());
  client.send("GET /s HTTP/1.1\r\nHost: x\r\n\r\n");
  const auto head = client.read_until("\r\n\r\n");
  for (auto field : {"HTTP/1.1 200 OK\r\n", "Content-Type: text/event-stream\r\n", "Cache-Control: no-cache\r\n",
                     "X-Accel-Buffering: no\r\n", "Transfer-Encoding: chunked\r\n", "X-Extra: 1\r\n"})
    CHECK(head.find(field) != std::string::npos);
  server.run([&] {
    CHECK(server.last->to->frames_as() == framing::sse);
    server.last->to->send_text("more");
    server.last->to->close(1000, "");
  });
  CHECK(client.read_to_end() == "1d\r\nid: 1\nevent: hello\ndata: {}\n\n\r\n1b\r\nevent: message\ndata: more\n\n\r\n0\r\n\r\n");
  CHECK(server.events.next() == "closed");
}

TEST_CASE("event stream: HTTP/1.0 gets no chunks, HEAD no body") {
  running_server server;
  stream_route route(server);
  tcp_client old(server.url());
  old.send("GET /s HTTP/1.0\r\n\r\n");
  CHECK(old.read_until("\r\n\r\n").find("chunked") == std::string::npos);
  CHECK(old.read_until("\n\n") == "id: 1\nevent: hello\ndata: {}\n\n");
  server.run([&] { server.last->to->close(1000, ""); });
  CHECK(old.read_to_end().empty());
  tcp_client head(server.url());
  head.send("HEAD /s HTTP/1.1\r\nHost: x\r\n\r\n");
  head.read_until("\r\n\r\n");
  CHECK(head.is_at_end());
}

TEST_CASE("event stream: a client that leaves is noticed, drop ends without the last chunk") {
  running_server server;
  stream_route route(server);
  {
    tcp_client client(server.url());
    client.send("GET /s HTTP/1.1\r\nHost: x\r\n\r\n");
    client.read_until("data: {}\n\n\r\n");
  }
  CHECK(server.events.next() == "closed");
  tcp_client dropped(server.url());
  dropped.send("GET /s HTTP/1.1\r\nHost: x\r\n\r\n");
  dropped.read_until("data: {}\n\n\r\n");
  server.run([&] { server.last->to->drop(); });
  CHECK(dropped.read_to_end().empty());
  CHECK(server.events.next() == "closed");
}

TEST_CASE("event stream: comments keep a quiet stream alive") {
  core::transport_limits limits;
  limits.idle_timeout = 500ms;
  running_server server(limits);
  stream_route route(server);
  tcp_client client(server.url());
  client.send("GET /s HTTP/1.1\r\nHost: x\r\n\r\n");
  for (int i = 0; i < 3; ++i) client.read_until("e\r\n: keep-alive\n\n\r\n");
}

TEST_CASE("event stream: a Content-Type of its own takes the place of ours, and then no comments are sent") {
  core::transport_limits limits;
  limits.idle_timeout = 500ms;
  running_server server(limits);
  auto own = std::make_shared<recorder>(server.events);
  auto commented = std::make_shared<recorder>(server.events);
  server.on_request = [&](http_request request, std::shared_ptr<http_exchange> e) {
    if (request.path == "/own")
      own->to = e->start_stream(own, {{"content-type", "application/json"}});
    else
      commented->to = e->start_stream(commented);
  };
  tcp_client client(server.url());
  client.send("GET /own HTTP/1.1\r\nHost: x\r\n\r\n");
  const auto head = client.read_until("\r\n\r\n");
  CHECK(head.find("content-type: application/json\r\n") != std::string::npos);
  CHECK(head.find("text/event-stream") == std::string::npos);
  tcp_client other(server.url());
  other.send("GET /s HTTP/1.1\r\nHost: x\r\n\r\n");
  for (int i = 0; i < 3; ++i) other.read_until("e\r\n: keep-alive\n\n\r\n");
  server.run([&] { own->to->close(1000, ""); });
  CHECK(client.read_to_end() == "0\r\n\r\n");
}

TEST_CASE("event stream: it can start after the handler returned, and not for a client that left") {
  running_server server;
  std::shared_ptr<http_exchange> waiting;
  server.on_request = [&](http_request, std::shared_ptr<http_exchange> e) {
    waiting = e;
    server.events.add("request");
  };
  auto client = std::make_unique<tcp_client>(server.url());
  client->send("GET /s HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(server.events.next() == "request");
  auto owner = std::make_shared<recorder>(server.events);
  server.run([&] {
    owner->to = std::exchange(waiting, nullptr)->start_stream(owner);
    owner->to->send_text("x");
  });
  client->read_until("data: x\n\n");
  client.reset();
  CHECK(server.events.next() == "closed");

  client = std::make_unique<tcp_client>(server.url());
  client->send("GET /s HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(server.events.next() == "request");
  server.run([&] { waiting->on_abandoned([&] { server.events.add("abandoned"); }); });
  client.reset();
  CHECK(server.events.next() == "abandoned");
  server.run([&] {
    owner->to = std::exchange(waiting, nullptr)->start_stream(owner);
    owner->to->send_text("x");
  });
  CHECK(server.events.next() == "closed");
  CHECK(server.has_open(0));
}
