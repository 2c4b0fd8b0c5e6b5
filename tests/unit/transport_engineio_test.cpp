#include "transport/socketio/engineio.hpp"

#include "tests/support/growing_limit.hpp"
#include "tests/support/running_server.hpp"
#include "tests/support/tcp_client.hpp"
#include "transport/socketio/engineio_outbox.hpp"
#include "transport/socketio/engineio_packet.hpp"

#include <catch2/catch.hpp>

#include <optional>
#include <set>
#include <string>

using namespace troupe;
using namespace troupe::testing;
using namespace troupe::transport;

namespace {

constexpr const char* handshake_path = "/engine.io/?EIO=4&transport=polling";

/// What the owner of a session hears goes to the server's event list.
struct session_owner final : peer_owner {
  session_owner(std::shared_ptr<engineio_socket> s, event_list& list) : socket(std::move(s)), events(list) {}
  void on_message(std::string_view message, bool is_text) override {
    events.add((is_text ? "text " : "binary ") + std::string(message));
    if (on_text) on_text(message);
  }
  void on_drained() override { events.add("drained"); }
  void on_closed() override {
    socket.reset();
    events.add("closed");
  }
  std::shared_ptr<engineio_socket> socket;
  event_list& events;
  std::function<void(std::string_view)> on_text;
};

struct engine_bench {
  explicit engine_bench(engineio_options options = {}) {
    server.run([&] {
      engine = engineio_server::make(server.io, options, [this](std::shared_ptr<engineio_socket> s) {
        owner = refuses ? nullptr : std::make_shared<session_owner>(std::move(s), server.events);
        return owner;
      });
      server.on_request = [this](http_request r, std::shared_ptr<http_exchange> e) {
        engine->on_request(std::move(r), std::move(e));
      };
      server.on_upgrade = [this](const http_request& r) { return engine->on_upgrade(r); };
    });
  }
  ~engine_bench() {
    server.run([&] {
      owner.reset();
      engine.reset();
    });
  }
  void with_socket(const std::function<void(engineio_socket&)>& f) {
    server.run([&] {
      if (owner && owner->socket) f(*owner->socket);
    });
  }
  std::size_t size() {
    std::size_t out = 0;
    server.run([&] { out = engine->size(); });
    return out;
  }
  std::string next() { return server.events.next(); }

  running_server server;
  std::unique_ptr<engineio_server> engine;
  std::shared_ptr<session_owner> owner;  // of the newest session
  bool refuses = false;
};

/// A client of long polling with a connection for GET and one for POST.
struct poller {
  explicit poller(engine_bench& bench) : get_line(bench.server.url()), post_line(bench.server.url()) {
    const auto answer = get_line.get(handshake_path);
    REQUIRE(answer.status == 200);
    REQUIRE(answer.body.substr(0, 8) == "0{\"sid\":");
    sid = answer.body.substr(9, answer.body.find('"', 9) - 9);
    path = std::string(handshake_path) + "&sid=" + sid;
  }
  http_answer get() { return get_line.get(path); }
  void start_get() { get_line.send("GET " + path + " HTTP/1.1\r\nHost: test\r\n\r\n"); }
  http_answer post(const std::string& body) {
    start_post(body);
    return post_line.read_answer();
  }
  void start_post(const std::string& body) {
    post_line.send("POST " + path + " HTTP/1.1\r\nHost: test\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
                   body);
  }
  [[nodiscard]] std::string websocket_path() const { return "/engine.io/?EIO=4&transport=websocket&sid=" + sid; }

  tcp_client get_line;
  tcp_client post_line;
  std::string sid;
  std::string path;
};

std::optional<std::string> decoded(std::string_view text) {
  std::string storage;
  const auto packet = decode_engineio(text, storage);
  if (!packet) return std::nullopt;
  return std::string(1, static_cast<char>(packet->type)) + (packet->is_text ? " text " : " binary ") +
         std::string(packet->data);
}

std::vector<std::string> split(std::string_view payload) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at <= payload.size();) out.emplace_back(take_engineio_packet(payload, at));
  return out;
}

}  // namespace

TEST_CASE("engine.io packets: type and data, or base64") {
  CHECK(decoded("4hello") == "4 text hello");
  CHECK(decoded("4") == "4 text ");
  CHECK(decoded("2probe") == "2 text probe");
  CHECK(decoded("6") == "6 text ");
  CHECK(decoded("bAQIDBA==") == std::string("4 binary \x01\x02\x03\x04"));
  CHECK(decoded("bAQIDBA") == std::string("4 binary \x01\x02\x03\x04"));
  CHECK(decoded("b") == "4 binary ");
  for (const char* text : {"", "7", "abc", "/", ":", "bA", "b====", "bAQ=D", "b A==", "b-_-_", "B"}) {
    CAPTURE(text);
    CHECK_FALSE(decoded(text).has_value());
  }
}

TEST_CASE("engine.io packets: binary of every length survives base64") {
  std::string data;
  for (int i = 0; i < 300; ++i) {
    std::string text;
    append_engineio_binary(text, data);
    CHECK(text.size() % 4 == 1);
    CHECK(decoded(text) == "4 binary " + data);
    data.push_back(static_cast<char>(i * 7));
  }
}

TEST_CASE("engine.io payloads: packets between separators") {
  CHECK(split("4a") == std::vector<std::string>{"4a"});
  CHECK(split("4a\x1e"
              "4b\x1e"
              "3") == std::vector<std::string>{"4a", "4b", "3"});
  CHECK(split("") == std::vector<std::string>{""});
  CHECK(split("4a\x1e") == std::vector<std::string>{"4a", ""});
}

TEST_CASE("engine.io frames: text frames are unwrapped whatever their length") {
  for (std::size_t size : {0U, 1U, 125U, 126U, 65535U, 65536U}) {
    std::string frames;
    append_websocket_text(frames, std::string(size, 'x'));
    append_websocket_text(frames, "4end");
    std::size_t at = 0;
    CHECK(take_websocket_text(frames, at) == std::string(size, 'x'));
    CHECK(take_websocket_text(frames, at) == "4end");
    CHECK(at == frames.size());
    CHECK_FALSE(take_websocket_text(frames, at).has_value());
  }
}

TEST_CASE("engine.io frames: what is not a whole text frame ends the unwrapping") {
  using namespace std::string_literals;
  for (const auto& frames : {""s, "\x81"s, "\x81\x05"s + "four", "\x82\x01x"s, "\x01\x01x"s, "\x81\x81"s + "maskx",
                             "\x81\x7e\x00"s, "\x81\x7f\xff\xff\xff\xff\xff\xff\xff\xff"s}) {
    std::size_t at = 0;
    CHECK_FALSE(take_websocket_text(frames, at).has_value());
    CHECK(at == 0);
  }
}

TEST_CASE("engine.io handshake: exactly the five fields") {
  CHECK(engineio_handshake("x_-", true, {}) ==
        R"(0{"sid":"x_-","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000})");
  CHECK(engineio_handshake("x", false, {}).find(R"("upgrades":[])") != std::string::npos);
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) ids.insert(random_engineio_id());
  CHECK(ids.size() == 1000);
  CHECK(ids.begin()->size() == 22);
}

TEST_CASE("engine.io outbox: payloads keep the order and their limit") {
  engineio_outbox out;
  std::string frames;
  append_websocket_text(frames, "4one");
  append_websocket_text(frames, "4two");
  out.push_packet("2");
  out.push_framed(std::make_shared<const std::string>(frames));
  out.push_binary("\x01\x02\x03");
  SECTION("all at once") {
    CHECK(out.take_payload(1000) ==
          "2\x1e"
          "4one\x1e"
          "4two\x1e"
          "bAQID");
    CHECK(out.empty());
    CHECK(out.size() == 0);
  }
  SECTION("a packet at a time, between the frames of one piece too") {
    CHECK(out.take_payload(6) ==
          "2\x1e"
          "4one");
    CHECK(out.take_payload(1) == "4two");
    CHECK_FALSE(out.empty());
    CHECK(out.take_payload(4) == "bAQID");
    CHECK(out.empty());
    CHECK(out.size() == 0);
  }
}

TEST_CASE("engine.io polling: messages both ways, frames unwrapped") {
  engine_bench bench;
  poller client(bench);
  CHECK(client
            .post("4hello\x1e"
                  "bAQID")
            .body == "ok");
  CHECK(bench.next() == "text hello");
  CHECK(bench.next() == "binary \x01\x02\x03");
  bench.with_socket([](engineio_socket& s) {
    s.send(frame("4one"));
    s.send_text("two");
    s.send_binary("\x01\x02\x03");
  });
  const auto answer = client.get();
  CHECK(answer.has("text/plain; charset=UTF-8"));
  CHECK(answer.body ==
        "4one\x1e"
        "4two\x1e"
        "bAQID");
}

TEST_CASE("engine.io polling: all that is sent in one turn is one answer") {
  engine_bench bench;
  poller client(bench);
  client.start_get();
  CHECK(client.post("4x").status == 200);  // a round trip, so that the GET waits
  bench.with_socket([](engineio_socket& s) {
    s.send_text("a");
    s.send_text("b");
  });
  CHECK(client.get_line.read_answer().body ==
        "4a\x1e"
        "4b");
}

TEST_CASE("engine.io polling: a reader that pauses gets the rest later, and a second POST then ends the session") {
  engine_bench bench;
  poller client(bench);
  bench.server.run([&] {
    bench.owner->on_text = [&](std::string_view message) {
      if (message == "stop") bench.owner->socket->pause_reading(true);
    };
  });
  client.start_post(
      "4a\x1e"
      "4stop\x1e"
      "4b");
  CHECK(bench.next() == "text a");
  CHECK(bench.next() == "text stop");
  bench.with_socket([](engineio_socket&) {});
  CHECK(bench.server.events.is_empty());
  SECTION("later") {
    bench.with_socket([](engineio_socket& s) { s.pause_reading(false); });
    CHECK(bench.next() == "text b");
    CHECK(client.post_line.read_answer().body == "ok");
  }
  SECTION("a second POST") {
    tcp_client other(bench.server.url());
    other.send("POST " + client.path + " HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\n4c");
    CHECK(other.read_answer().status == 400);
    CHECK(client.post_line.read_answer().status == 400);
    CHECK(bench.next() == "closed");
    CHECK(bench.size() == 0);
  }
}

TEST_CASE("engine.io polling: congestion, draining and the limit") {
  engineio_options options;
  options.high_water_bytes = 1000;
  options.outbound_limit_bytes = 10'000;
  engine_bench bench(options);
  poller client(bench);
  bool is_congested = false;
  bench.with_socket([&](engineio_socket& s) {
    s.send_text(std::string(2000, 'x'));
    is_congested = s.is_congested();
  });
  CHECK(is_congested);
  SECTION("a GET drains it") {
    CHECK(client.get().body.size() == 2001);
    CHECK(bench.next() == "drained");
    bench.with_socket([&](engineio_socket& s) { is_congested = s.is_congested(); });
    CHECK_FALSE(is_congested);
  }
  SECTION("more than the limit ends the session, not from inside the call") {
    bool was_told = true;
    bench.with_socket([&](engineio_socket& s) {
      s.send_text(std::string(20'000, 'x'));
      was_told = !bench.server.events.is_empty();
    });
    CHECK_FALSE(was_told);
    CHECK(bench.next() == "closed");
    CHECK(client.get().status == 400);
  }
}

TEST_CASE("engine.io polling: too long above the high-water mark ends the session") {
  engineio_options options;
  options.high_water_bytes = 1000;
  options.drop_timeout = 50ms;
  engine_bench bench(options);
  poller client(bench);
  bench.with_socket([](engineio_socket& s) { s.send_text(std::string(2000, 'x')); });
  CHECK(bench.next() == "closed");
  CHECK(client.get().status == 400);
}

TEST_CASE("engine.io polling: an abandoned GET ends the session") {
  engine_bench bench;
  {
    poller client(bench);
    client.start_get();
  }
  CHECK(bench.next() == "closed");
  CHECK(bench.size() == 0);
}

TEST_CASE("engine.io close: what is queued still reaches the next GET, then the close packet") {
  engine_bench bench;
  poller client(bench);
  bench.with_socket([](engineio_socket& s) {
    s.send_text("goodbye");
    s.close(1000, "");
    s.send_text("never");
  });
  CHECK(bench.next() == "closed");
  CHECK(client.post("4late").status == 400);
  CHECK(client.get().body ==
        "4goodbye\x1e"
        "1");
  CHECK(client.get().status == 400);
  CHECK(bench.size() == 0);
  CHECK(bench.server.events.is_empty());
}

TEST_CASE("engine.io close: close_all ends every transport") {
  engine_bench bench;
  poller client(bench);
  client.start_get();
  tcp_client socket(bench.server.url());
  socket.open_websocket("/engine.io/?EIO=4&transport=websocket");
  CHECK(socket.read_frame().payload.substr(0, 2) == "0{");
  CHECK(client.post("4x").status == 200);
  CHECK(bench.next() == "text x");
  bench.server.run([&] { bench.engine->close_all(); });
  CHECK(client.get_line.read_answer().body == "1");
  CHECK(socket.read_frame().close_code() == 1012);
  CHECK(bench.next() == "closed");
  CHECK(bench.next() == "closed");
  CHECK(bench.size() == 0);
}

TEST_CASE("engine.io close: destroying the server tells every owner and every client") {
  engine_bench bench;
  poller client(bench);
  poller waiting(bench);
  waiting.start_get();
  tcp_client socket(bench.server.url());
  socket.open_websocket("/engine.io/?EIO=4&transport=websocket");
  CHECK(socket.read_frame().opcode == 1);
  CHECK(waiting.post("4x").status == 200);
  CHECK(bench.next() == "text x");
  bench.server.run([&] {
    bench.engine.reset();
    bench.server.on_request = [](http_request, std::shared_ptr<http_exchange> e) { e->respond({}); };
  });
  for (int i = 0; i < 3; ++i) CHECK(bench.next() == "closed");
  CHECK(waiting.get_line.read_answer().body == "1");
  CHECK(socket.read_frame().close_code() == 1001);
}

TEST_CASE("engine.io accept: without an owner the session is closed at once") {
  engine_bench bench;
  bench.server.run([&] { bench.refuses = true; });
  poller client(bench);
  CHECK(client.get().status == 400);
  tcp_client socket(bench.server.url());
  socket.open_websocket("/engine.io/?EIO=4&transport=websocket");
  CHECK(socket.read_frame().opcode == 1);
  CHECK(socket.read_frame().close_code() == 1011);
  CHECK(bench.size() == 0);
}

TEST_CASE("engine.io accept: one session too many is refused with 503") {
  engineio_options options;
  options.max_sessions = 1;
  engine_bench bench(options);
  poller first(bench);
  tcp_client line(bench.server.url());
  CHECK(line.get(handshake_path).status == 503);
  line.send(tcp_client::upgrade_request("/engine.io/?EIO=4&transport=websocket"));
  CHECK(line.read_answer().status == 503);
}

TEST_CASE("engine.io heartbeat: a session without pongs ends, one with pongs goes on") {
  CHECK(holds_with_some_limit(400ms, [](auto limit) {  // long enough for the pongs to come
    engineio_options options;
    options.ping_interval = 40ms;
    options.ping_timeout = limit;
    engine_bench bench(options);
    poller client(bench);
    for (int i = 0; i < 3; ++i)
      if (client.get().body != "2" || client.post("3").body != "ok") return false;
    return client.get().body == "2" && client.get().body == "1" && bench.next() == "closed";
  }));
}

TEST_CASE("engine.io upgrade: what was queued and framed before arrives once and in order") {
  engine_bench bench;
  poller client(bench);
  bench.with_socket([](engineio_socket& s) { s.send(frame("4a")); });
  tcp_client socket(bench.server.url());
  socket.open_websocket(client.websocket_path());
  socket.send_text("2probe");
  CHECK(socket.read_frame().payload == "3probe");
  bench.with_socket([](engineio_socket& s) {
    s.send_binary("b");
    s.send_text("c");
  });
  socket.send(masked_frame(1, "5") + masked_frame(1, "4mine"));
  CHECK(bench.next() == "text mine");
  bench.with_socket([](engineio_socket& s) { s.send_text("d"); });
  CHECK(socket.read_frame().payload == "4a");
  const auto binary = socket.read_frame();
  CHECK(binary.opcode == 2);
  CHECK(binary.payload == "b");
  CHECK(socket.read_frame().payload == "4c");
  CHECK(socket.read_frame().payload == "4d");
  CHECK(client.get().status == 400);
  socket.send(masked_frame(8, "\x03\xe8"));
  CHECK(bench.next() == "closed");
}

TEST_CASE("engine.io upgrade: a client that does not poll because it moves is not given up as slow") {
  engineio_options options;
  options.high_water_bytes = 1000;
  options.drop_timeout = 50ms;
  engine_bench bench(options);
  poller moving(bench);
  tcp_client socket(bench.server.url());
  socket.open_websocket(moving.websocket_path());
  socket.send_text("2probe");
  CHECK(socket.read_frame().payload == "3probe");
  bench.with_socket([](engineio_socket& s) { s.send_text(std::string(2000, 'x')); });
  // Another one gets as much later and does not read: when that is given up, the first one's time would be over too.
  poller slow(bench);
  bench.with_socket([](engineio_socket& s) { s.send_text(std::string(2000, 'x')); });
  CHECK(bench.next() == "closed");
  CHECK(slow.get().status == 400);
  socket.send_text("5");
  CHECK(socket.read_frame().payload.size() == 2001);
}

TEST_CASE("engine.io upgrade: the session ends with its client whatever it was doing") {
  engine_bench bench;
  {
    poller client(bench);
    tcp_client socket(bench.server.url());
    socket.open_websocket(client.websocket_path());
    socket.send_text("2probe");
    CHECK(socket.read_frame().payload == "3probe");
    CHECK(client.post("1").body == "ok");
    CHECK(socket.read_frame().opcode == 8);
  }
  CHECK(bench.next() == "closed");
  CHECK(bench.server.has_open(0));
}
