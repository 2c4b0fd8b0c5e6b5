#include "tests/support/growing_limit.hpp"
#include "tests/support/running_server.hpp"
#include "tests/support/tcp_client.hpp"

#include <catch2/catch.hpp>

#include <thread>

using namespace troupe;
using namespace troupe::testing;

TEST_CASE("http: a kept-alive connection answers one request after another") {
  running_server server;
  tcp_client client(server.url());
  auto first = client.get("/a%20b");
  CHECK(first.status == 200);
  CHECK(first.body == "GET /a b ");
  CHECK(first.has("Content-Type: text/plain"));
  CHECK_FALSE(first.has("Connection: close"));
  client.send("POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody");
  CHECK(client.read_answer().body == "POST /p body");
  CHECK(server.instance->counters().accepted == 1);
}

TEST_CASE("http: pipelined requests are answered in order, also when the first takes longer") {
  running_server server;
  std::shared_ptr<http_exchange> waiting;
  auto echo = server.on_request;
  server.on_request = [&](http_request r, std::shared_ptr<http_exchange> e) {
    if (r.path == "/slow") {
      waiting = e;
      server.events.add("slow");
    } else {
      echo(std::move(r), e);
    }
  };
  tcp_client client(server.url());
  std::string burst = "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n";
  for (int i = 0; i < 200; ++i) burst += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n";
  client.send(burst);
  CHECK(server.events.next() == "slow");
  server.run([&] {
    http_response out;
    out.body = "slow";
    waiting->respond(out);
    waiting.reset();
  });
  CHECK(client.read_answer().body == "slow");
  for (int i = 0; i < 200; ++i) CHECK(client.read_answer().body == "GET /" + std::to_string(i) + " ");
  CHECK(server.instance->counters().writes < 20);
}

TEST_CASE("http: HTTP/1.0 closes unless it asks for keep-alive") {
  running_server server;
  tcp_client plain(server.url());
  plain.send("GET /x HTTP/1.0\r\n\r\n");
  CHECK(plain.read_answer().has("Connection: close"));
  CHECK(plain.is_at_end());
  tcp_client keeping(server.url());
  for (int i = 0; i < 2; ++i) {
    keeping.send("GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    CHECK(keeping.read_answer().has("Connection: keep-alive"));
  }
}

TEST_CASE("http: HEAD has the length but not the body") {
  running_server server;
  tcp_client client(server.url());
  client.send("HEAD /x HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(client.read_answer(false).has("Content-Length: 8\r\n"));
  CHECK(client.get("/y").body == "GET /y ");
}

TEST_CASE("http: Expect 100-continue is met before the body comes") {
  running_server server;
  tcp_client client(server.url());
  client.send("POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  CHECK(client.read_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("ok");
  CHECK(client.read_answer().body == "POST /p ok");
}

TEST_CASE("http: what is no request is answered with the error handler's words, then closed") {
  core::transport_limits limits;
  limits.max_header_bytes = 1000;
  limits.max_body_bytes = 100;
  running_server server(limits);
  const std::vector<std::pair<std::string, int>> cases{
      {"nonsense\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET /%ff HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(2000, 'x') + "\r\n\r\n", 431},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n" + std::string(101, 'x'), 413},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n" + std::string(101, 'x') + "\r\n0\r\n\r\n",
       413}};
  for (const auto& [text, status] : cases) {
    INFO(text.substr(0, 60));
    tcp_client client(server.url());
    client.send(text);
    const auto answer = client.read_answer();
    CHECK(answer.status == status);
    CHECK(answer.has("Connection: close"));
    CHECK(answer.body.find("\"code\"") != std::string::npos);
    CHECK(client.is_at_end());
  }
  CHECK(server.has_open(0));
}

TEST_CASE("http: a handler that throws or forgets its exchange answers 500") {
  running_server server;
  server.on_request = [](http_request r, std::shared_ptr<http_exchange>) {
    if (r.path == "/throw") throw std::runtime_error("defect");
  };
  tcp_client client(server.url());
  CHECK(client.get("/throw").status == 500);
  CHECK(client.get("/forget").status == 500);
  tcp_client other(server.url());
  std::thread dropping;
  server.run([&] {
    server.on_request = [&](http_request, std::shared_ptr<http_exchange> e) {
      dropping = std::thread([e]() mutable { e.reset(); });
    };
  });
  CHECK(other.get("/elsewhere").status == 500);
  dropping.join();
}

TEST_CASE("http: a header that trickles in is cut off with 408") {
  CHECK(holds_with_some_limit(100ms, [](auto limit) {  // long enough for a part of the header to come
    core::transport_limits limits;
    limits.header_timeout = limit;
    running_server server(limits);
    tcp_client client(server.url());
    client.send("GET / HTTP/1.1\r\nHo");
    return client.read_answer().status == 408 && client.is_at_end();
  }));
  core::transport_limits limits;
  limits.header_timeout = 100ms;
  running_server server(limits);
  tcp_client silent(server.url());
  CHECK(silent.is_at_end());
}

TEST_CASE("http: quiet connections and bodies that do not come are closed after the idle time") {
  core::transport_limits limits;
  limits.idle_timeout = 1000ms;
  running_server server(limits);
  tcp_client kept(server.url());
  CHECK(kept.get("/").status == 200);
  CHECK(kept.is_at_end());
  tcp_client half(server.url());
  half.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
  CHECK(half.read_answer().status == 408);
  CHECK(half.is_at_end());
}

TEST_CASE("http: a client that closes its sending half still gets its answers") {
  running_server server;
  tcp_client client(server.url());
  client.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
  client.shut_down_sending();
  CHECK(client.read_answer().body == "GET /1 ");
  CHECK(client.read_answer().body == "GET /2 ");
  CHECK(client.is_at_end());
  CHECK(server.has_open(0));
}

TEST_CASE("http: the handler hears of a client that went away, once, and may still answer") {
  running_server server;
  std::shared_ptr<http_exchange> waiting;
  server.on_request = [&](http_request, std::shared_ptr<http_exchange> e) {
    waiting = e;
    e->on_abandoned([&] { server.events.add("abandoned"); });
    server.events.add("request");
  };
  auto client = std::make_unique<tcp_client>(server.url());
  client->send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(server.events.next() == "request");
  client.reset();
  CHECK(server.events.next() == "abandoned");
  server.run([&] { waiting->respond({}); });
  CHECK(server.has_open(0));
  CHECK(server.events.is_empty());
}

TEST_CASE("http: a large answer arrives whole at a slow reader") {
  running_server server;
  const std::string big(20'000'000, 'b');
  server.on_request = [&](http_request, std::shared_ptr<http_exchange> e) {
    http_response out;
    out.body = big;
    e->respond(std::move(out));
  };
  tcp_client client(server.url(), 4096);
  CHECK(client.get("/").body == big);
  CHECK(client.get("/").body == big);
}
