#include "tests/support/running_server.hpp"
#include "tests/support/tcp_client.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::testing;

TEST_CASE("websocket: messages go both ways and a clean close is told once") {
  running_server server;
  server.on_accept = [](recorder& r) { r.to->send_text("welcome"); };
  auto client = std::make_unique<tcp_client>(server.url());
  client->open_websocket();
  CHECK(client->read_frame().payload == "welcome");
  client->send_text("h\xc3\xa4llo");
  client->send(masked_frame(2, std::string("\x00\xff", 2)));
  client->send_text("");
  CHECK(server.events.next() == "text h\xc3\xa4llo");
  CHECK(server.events.next() == std::string("binary \x00\xff", 9));
  CHECK(server.events.next() == "text ");
  client->send(masked_frame(8,
                            "\x03\xe8"
                            "bye"));
  CHECK(client->read_frame().close_code() == 1000);
  CHECK(client->is_at_end());
  CHECK(server.events.next() == "closed");
  client.reset();
  CHECK(server.has_open(0));
  CHECK(server.events.is_empty());
  server.run([&] { server.last.reset(); });
  CHECK(server.weak.expired());
}

TEST_CASE("websocket: the handshake's accept key is RFC 6455's example") {
  running_server server;
  tcp_client client(server.url());
  client.send(tcp_client::upgrade_request());
  const auto head = client.read_until("\r\n\r\n");
  CHECK(head.find("HTTP/1.1 101 ") == 0);
  CHECK(head.find("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n") != std::string::npos);
}

TEST_CASE("websocket: frames sent together with the request are not lost") {
  running_server server;
  tcp_client client(server.url());
  client.send(tcp_client::upgrade_request() + masked_frame(1, "early") + masked_frame(1, std::string(3000, 'e')));
  client.read_until("\r\n\r\n");
  CHECK(server.events.next() == "text early");
  CHECK(server.events.next() == "text " + std::string(3000, 'e'));
}

TEST_CASE("websocket: a refusal is a plain answer and the connection goes on") {
  running_server server;
  tcp_client client(server.url());
  client.send(tcp_client::upgrade_request("/refuse"));
  CHECK(client.read_answer().status == 403);
  client.open_websocket();
}

TEST_CASE("websocket: bad upgrade requests get 426 or 400") {
  running_server server;
  auto status_of = [&](const std::string& from, const std::string& to, bool wants_13) {
    auto text = tcp_client::upgrade_request();
    text.replace(text.find(from), from.size(), to);
    tcp_client client(server.url());
    client.send(text);
    const auto answer = client.read_answer();
    CHECK(answer.has("Sec-WebSocket-Version: 13\r\n") == wants_13);
    return answer.status;
  };
  CHECK(status_of("Version: 13", "Version: 8", true) == 426);
  CHECK(status_of("dGhlIHNhbXBsZSBub25jZQ==", "x", false) == 400);
  CHECK(status_of("HTTP/1.1", "HTTP/1.0", false) == 400);
}

TEST_CASE("websocket: an owner that throws or is missing closes with 1011") {
  running_server server;
  server.on_accept = [](recorder& r) { r.on_text = [](std::string_view) { throw std::runtime_error("defect"); }; };
  tcp_client client(server.url());
  client.open_websocket();
  client.send_text("x");
  CHECK(client.read_frame().close_code() == 1011);
  server.run([&] { server.on_accept = [](recorder&) { throw std::runtime_error("defect"); }; });
  tcp_client other(server.url());
  other.open_websocket();
  CHECK(other.read_frame().close_code() == 1011);
}

TEST_CASE("websocket: 64 frames sent in one turn leave in one system call") {
  running_server server;
  tcp_client client(server.url());
  client.open_websocket();
  const auto shared = frame("{\"type\":\"content_delta\",\"text\":\"word\"}");
  std::uint64_t before = 0;
  server.run([&] {
    before = server.instance->counters().writes;
    for (int i = 0; i < 64; ++i) server.last->to->send(shared);
    CHECK(server.last->to->queued_bytes() == 64 * shared->size());
  });
  const auto receives = client.receives();
  for (int i = 0; i < 64; ++i) CHECK(client.read_frame().payload.size() == shared->size() - 2);
  CHECK(client.receives() == receives + 1);
  server.run([] {});  // the write is counted after the client may have seen it
  CHECK(server.instance->counters().writes == before + 1);
}

TEST_CASE("websocket: all connections of one turn are flushed with one call each") {
  running_server server;
  std::vector<std::unique_ptr<tcp_client>> clients;
  std::vector<std::shared_ptr<peer>> peers;
  server.on_accept = [&](recorder& r) { peers.push_back(r.to); };
  for (int i = 0; i < 10; ++i) {
    clients.push_back(std::make_unique<tcp_client>(server.url()));
    clients.back()->open_websocket();
  }
  server.run([] {});
  const auto before = server.instance->counters().writes;
  server.run([&] {
    for (int round = 0; round < 20; ++round)
      for (auto& p : peers) p->send(frame(std::to_string(round)));
  });
  for (auto& c : clients)
    for (int round = 0; round < 20; ++round) CHECK(c->read_frame().payload == std::to_string(round));
  server.run([&] { peers.clear(); });
  CHECK(server.instance->counters().writes == before + 10);
}

TEST_CASE("websocket: pongs keep their place among the frames of a burst") {
  running_server server;
  server.on_accept = [](recorder& r) {
    r.on_text = [&r](std::string_view text) {
      for (int i = 0; i < 10; ++i) r.to->send(frame(std::string(text) + std::to_string(i)));
    };
  };
  tcp_client client(server.url());
  client.open_websocket();
  std::string burst;
  for (int i = 0; i < 20; ++i) burst += masked_frame(1, "m") + masked_frame(9, "ping" + std::to_string(i));
  client.send(burst);
  int pongs = 0;
  int texts = 0;
  while (pongs < 20 || texts < 200) {
    const auto got = client.read_frame();
    if (got.opcode == 10) {
      CHECK(got.payload == "ping" + std::to_string(pongs));
      CHECK(texts == (pongs + 1) * 10);
      ++pongs;
    } else {
      REQUIRE(got.opcode == 1);
      CHECK(got.payload == "m" + std::to_string(texts % 10));
      ++texts;
    }
  }
}

TEST_CASE("websocket: fragments with a ping between them make one message") {
  running_server server;
  tcp_client client(server.url());
  client.open_websocket();
  client.send(masked_frame(1, "one ", false) + masked_frame(9, "p") + masked_frame(0, "two \xe2", false) +
              masked_frame(0, "\x82\xac", true));
  CHECK(server.events.next() == "text one two \xe2\x82\xac");
  CHECK(client.read_frame().opcode == 10);
}

TEST_CASE("websocket: a message in single bytes and a large one both arrive") {
  core::transport_limits limits;
  running_server server(limits);
  tcp_client client(server.url());
  client.open_websocket();
  for (char c : masked_frame(1, "drip")) client.send(std::string_view(&c, 1));
  CHECK(server.events.next() == "text drip");
  const std::string big(limits.max_frame_bytes, 'b');
  client.send_text(big);
  CHECK(server.events.next() == "text " + big);
  client.send_text("small again");
  CHECK(server.events.next() == "text small again");
}

TEST_CASE("websocket: protocol violations are closed with their code") {
  core::transport_limits limits;
  limits.max_frame_bytes = 1000;
  running_server server(limits);
  const std::vector<std::pair<std::string, int>> cases{
      {masked_frame(1, "\xff\xfe"), 1007},
      {masked_frame(1, "\xed\xa0\x80"), 1007},
      {masked_frame(1, "x", true, false), 1002},
      {masked_frame(3, "x"), 1002},
      {masked_frame(0, "x"), 1002},
      {masked_frame(9, std::string(126, 'p')), 1002},
      {masked_frame(1, std::string(1001, 'x')), 1009},
      {masked_frame(1, std::string(600, 'x'), false) + masked_frame(0, std::string(600, 'x')), 1009}};
  for (const auto& [data, code] : cases) {
    INFO(code << " " << data.size());
    tcp_client client(server.url());
    client.open_websocket();
    client.send(data);
    CHECK(client.read_frame().close_code() == code);
    CHECK(client.is_at_end());
    CHECK(server.events.next() == "closed");
  }
  CHECK(server.has_open(0));
}
