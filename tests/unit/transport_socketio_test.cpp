#include "transport/socketio/socketio.hpp"

#include "tests/support/growing_limit.hpp"
#include "tests/support/running_server.hpp"
#include "tests/support/tcp_client.hpp"
#include "transport/socketio/socketio_decoder.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>

#include <set>
#include <string>

using namespace troupe;
using namespace troupe::testing;
using namespace troupe::transport;
namespace json = boost::json;

namespace {

struct socket_owner final : socketio_owner {
  socket_owner(std::shared_ptr<socketio_socket> s, event_list& list, std::string n)
      : socket(std::move(s)), events(list), name(std::move(n)) {}
  void on_open() override { events.add(name + " open"); }
  void on_event(socketio_event event) override {
    auto text = name + " " + event.name + " " + json::serialize(event.args);
    for (const auto& a : event.attachments) text += " +" + a;
    if (event.ack_id) text += " #" + std::to_string(*event.ack_id);
    events.add(std::move(text));
    if (event.name == "leave") socket->disconnect();
    if (event.name == "throw") throw std::runtime_error("a defect");
  }
  void on_drained() override {}
  void on_closed() override {
    socket.reset();
    events.add(name + " closed");
  }
  std::shared_ptr<socketio_socket> socket;
  event_list& events;
  std::string name;
};

struct socketio_bench {
  explicit socketio_bench(socketio_options options = {}) {
    auto open = [this](const char* name) {
      return [this, name](std::shared_ptr<socketio_socket> s, const json::object& auth) -> socketio_welcome {
        if (auth.contains("refuse")) return {nullptr, {}, "not you"};
        last = std::make_shared<socket_owner>(std::move(s), server.events, name);
        return {last, auth.contains("pid") ? "p1" : "", {}};
      };
    };
    server.run([&] {
      sockets = socketio_server::make(server.io, options, {{"/", open("main")}, {"/chat", open("chat")}, {"/x", open("x")}});
      server.on_request = [this](http_request r, std::shared_ptr<http_exchange> e) {
        sockets->on_request(std::move(r), std::move(e));
      };
      server.on_upgrade = [this](const http_request& r) { return sockets->on_upgrade(r); };
    });
  }
  ~socketio_bench() {
    server.run([&] {
      last.reset();
      sockets.reset();
    });
  }
  void with_socket(const std::function<void(socketio_socket&)>& f) {
    server.run([&] {
      if (last && last->socket) f(*last->socket);
    });
  }
  std::string next() { return server.events.next(); }

  running_server server;
  std::unique_ptr<socketio_server> sockets;
  std::shared_ptr<socket_owner> last;  // of the namespace joined last
};

struct socketio_client : tcp_client {
  explicit socketio_client(socketio_bench& bench) : tcp_client(bench.server.url()) {
    open_websocket("/socket.io/?EIO=4&transport=websocket");
    REQUIRE(read_frame().payload.substr(0, 2) == "0{");
  }
  std::string next() { return read_frame().payload; }
};

std::string again(std::string_view text) {
  auto packet = decode_socketio(text);
  return packet ? encode_socketio(*packet) : "refused";
}

}  // namespace

TEST_CASE("socket.io packets: what is decoded encodes to the same text") {
  for (const char* text :
       {"0", "0{\"token\":\"123\"}", "0/chat,", "1", "1/chat,", "2[\"a\"]", "2[1,2]", "2/chat,[\"a\",{}]", "212[\"a\"]",
        "2/chat,0[\"a\"]", "39007199254740991[]", "3/chat,7[1,\"x\",null]", "4{\"message\":\"no\"}", "4/chat,\"no\"",
        "51-[\"a\",{\"_placeholder\":true,\"num\":0}]", "510-/chat,3[\"a\"]", "62-/x,1[]", "2[\"€ 😀\"]"}) {
    CAPTURE(text);
    CHECK(again(text) == text);
  }
  CHECK(again("0/chat") == "0/chat,");
  CHECK(again("2 [ \"a\" , 1 ]") == "2[\"a\",1]");
}

TEST_CASE("socket.io packets: what the reference refuses is refused") {
  for (const char* text : {"",
                           "7",
                           "abc",
                           "-1",
                           "2",
                           "2{}",
                           "2[]",
                           "2[null]",
                           "2[true]",
                           "2[[\"a\"]]",
                           "2[{}]",
                           "2\"a\"",
                           "2[\"a\"",
                           "2[\"a\"]x",
                           "2abc[\"a\"]",
                           "2[\"connect\"]",
                           "2[\"connect_error\"]",
                           "2[\"disconnect\"]",
                           "2[\"disconnecting\"]",
                           "2[\"newListener\"]",
                           "2[\"removeListener\"]",
                           "51-[\"connect\"]",
                           "0[]",
                           "0null",
                           "0\"x\"",
                           "1{}",
                           "1[]",
                           "3",
                           "3{}",
                           "3null",
                           "41[]",
                           "4[]",
                           "5[\"a\"]",
                           "5-[\"a\"]",
                           "50-[\"a\"]",
                           "5x-[\"a\"]",
                           "51[\"a\"]",
                           "5-1-[\"a\"]",
                           "51.5-[\"a\"]",
                           "599999999999-[\"a\"]",
                           "61-",
                           "61-{}",
                           "29007199254740992[\"a\"]",
                           "299999999999999999999999[\"a\"]",
                           "2/chat[\"a\"]",
                           "2[NaN]",
                           "2['a']"}) {
    CAPTURE(text);
    const auto packet = decode_socketio(text);
    REQUIRE_FALSE(packet.has_value());
    CHECK(packet.error().code == core::errc::parse_error);
  }
  CHECK_FALSE(decode_socketio("2[\"a\"," + std::string(100'000, '[')).has_value());
}

TEST_CASE("socket.io packets: an event written by hand is the one that is encoded") {
  for (const char* nsp : {"/", "/chat"}) {
    std::string out;
    append_socketio_event(out, nsp, "na\"me", R"({"a":1})");
    CHECK(out == encode_socketio({.nsp = nsp, .id = {}, .data = json::parse(R"(["na\"me",{"a":1}])")}));
    out.clear();
    append_socketio_event(out, nsp, "name", "");
    CHECK(out == encode_socketio({.nsp = nsp, .id = {}, .data = json::array{"name"}}));
  }
}

TEST_CASE("socket.io decoder: attachments follow their packet") {
  socketio_decoder decoder(2, 100);
  const auto first = decoder.add_text(R"(52-["a",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}])");
  REQUIRE(first.has_value());
  CHECK_FALSE(first->has_value());
  CHECK_FALSE(decoder.add_binary("one")->has_value());
  const auto whole = decoder.add_binary("two");
  REQUIRE(whole.has_value());
  REQUIRE(whole->has_value());
  CHECK((*whole)->attachments == std::vector<std::string>{"one", "two"});
  CHECK(decoder.add_text("2[\"b\"]")->has_value());
}

TEST_CASE("socket.io decoder: what does not fit together is refused") {
  socketio_decoder decoder(2, 100);
  CHECK_FALSE(decoder.add_binary("x").has_value());
  CHECK_FALSE(decoder.add_text("53-[\"a\"]").has_value());
  CHECK_FALSE(decoder.add_text("2[\"" + std::string(100, 'x') + "\"]").has_value());
  for (const char* num : {"1", "-1", "0.5", "\"0\"", "null", "18446744073709551615"}) {
    CAPTURE(num);
    CHECK_FALSE(decoder.add_text(R"(51-["a",[{"x":{"_placeholder":true,"num":)" + std::string(num) + "}}]]").has_value());
  }
  REQUIRE(decoder.add_text("52-[\"a\"]").has_value());
  SECTION("text in between") { CHECK_FALSE(decoder.add_text("2[\"b\"]").has_value()); }
  SECTION("too much together") {
    CHECK(decoder.add_binary(std::string(90, 'x')).has_value());
    CHECK_FALSE(decoder.add_binary("xxx").has_value());
  }
}

TEST_CASE("socket.io: namespaces, events, acknowledgements and binary") {
  socketio_bench bench;
  socketio_client client(bench);
  client.send_text("40/chat,{\"pid\":1}");
  const auto welcome = client.next();
  CHECK(welcome.substr(0, 16) == "40/chat,{\"sid\":\"");
  CHECK(welcome.find("\",\"pid\":\"p1\"}") != std::string::npos);
  CHECK(bench.next() == "chat open");
  client.send_text("42/chat,7[\"hi\",1]");
  CHECK(bench.next() == "chat hi [1] #7");
  client.send(masked_frame(1, "451-/chat,[\"bin\",{\"_placeholder\":true,\"num\":0}]") + masked_frame(2, "data"));
  CHECK(bench.next() == "chat bin [{\"_placeholder\":true,\"num\":0}] +data");
  client.send_text("43/chat,1[\"ignored\"]");
  bench.with_socket([](socketio_socket& s) {
    s.acknowledge(7, {1, "two"});
    s.send(frame("42/chat,[\"framed\"]"));
    s.send_text("2/chat,[\"text\"]");
    s.emit("bin", {json::object{{"_placeholder", true}, {"num", 0}}}, {"data"});
  });
  CHECK(client.next() == "43/chat,7[1,\"two\"]");
  CHECK(client.next() == "42/chat,[\"framed\"]");
  CHECK(client.next() == "42/chat,[\"text\"]");
  CHECK(client.next() == "451-/chat,[\"bin\",{\"_placeholder\":true,\"num\":0}]");
  const auto attachment = client.read_frame();
  CHECK(attachment.opcode == 2);
  CHECK(attachment.payload == "data");
  client.send_text("41/chat,");
  CHECK(bench.next() == "chat closed");
}

TEST_CASE("socket.io: a namespace refuses with its own words, an unknown one with the reference's") {
  socketio_options options;
  options.max_namespaces = 2;
  socketio_bench bench(options);
  socketio_client client(bench);
  client.send_text("40{\"refuse\":true}");
  CHECK(client.next() == "44{\"message\":\"not you\"}");
  client.send_text("40/nowhere,");
  CHECK(client.next() == "44/nowhere,{\"message\":\"Invalid namespace\"}");
  for (const char* nsp : {"40", "40/chat,"}) {
    client.send_text(nsp);
    CHECK(client.next().substr(0, 2) == "40");
  }
  client.send_text("40/x,");
  CHECK(client.next() == "44/x,{\"message\":\"Too many namespaces\"}");
}

TEST_CASE("socket.io: what breaks the protocol closes the connection and every namespace hears of it") {
  socketio_bench bench;
  const char* packet = GENERATE("42{}", "4abc", "40", "44{}", "42/x,[\"a\"]", "41/x,", "451-[\"a\"]");
  CAPTURE(packet);
  socketio_client client(bench);
  client.send(masked_frame(1, "40") + masked_frame(1, "40/chat,"));
  CHECK(bench.next() == "main open");
  CHECK(bench.next() == "chat open");
  client.send(masked_frame(1, packet) + masked_frame(1, "42[\"never\"]"));
  CHECK(bench.next() == "main closed");
  CHECK(bench.next() == "chat closed");
  CHECK(bench.server.events.is_empty());
}

TEST_CASE("socket.io: a namespace that dismisses a client says so, and what was under way is ignored") {
  socketio_bench bench;
  socketio_client client(bench);
  client.send(masked_frame(1, "40") + masked_frame(1, "40/chat,"));
  CHECK(client.next().substr(0, 3) == "40{");
  CHECK(client.next().substr(0, 7) == "40/chat");
  client.send(masked_frame(1, "42/chat,[\"leave\"]") + masked_frame(1, "42/chat,[\"late\"]") +
              masked_frame(1, "42[\"still\"]"));
  CHECK(client.next() == "41/chat,");
  CHECK(bench.next() == "main open");
  CHECK(bench.next() == "chat open");
  CHECK(bench.next() == "chat leave []");
  std::set<std::string> rest{bench.next(), bench.next()};
  CHECK(rest == std::set<std::string>{"chat closed", "main still []"});
  client.send_text("40/chat,");
  CHECK(client.next().substr(0, 7) == "40/chat");
  CHECK(bench.next() == "chat open");
}

TEST_CASE("socket.io: close ends the connection without a DISCONNECT packet") {
  socketio_bench bench;
  socketio_client client(bench);
  client.send_text("40");
  CHECK(client.next().substr(0, 2) == "40");
  bench.with_socket([](socketio_socket& s) { s.close(1012, "restart"); });
  const auto last = client.read_frame();
  CHECK(last.opcode == 8);
  CHECK(last.close_code() == 1012);
  CHECK(bench.next() == "main open");
  CHECK(bench.next() == "main closed");
}

TEST_CASE("socket.io: an owner that throws ends with its own connection") {
  socketio_bench bench;
  socketio_client client(bench);
  socketio_client other(bench);
  for (auto* c : {&client, &other}) {
    c->send_text("40");
    CHECK(c->next().substr(0, 2) == "40");
    CHECK(bench.next() == "main open");
  }
  client.send_text("42[\"throw\"]");
  CHECK(client.read_frame().close_code() == 1011);
  CHECK(bench.next() == "main throw []");
  CHECK(bench.next() == "main closed");
  other.send_text("42[\"fine\"]");
  CHECK(bench.next() == "main fine []");
}

TEST_CASE("socket.io: without a CONNECT in time the connection is closed") {
  CHECK(holds_with_some_limit(100ms, [](auto limit) {  // long enough for both to say what they say
    socketio_options options;
    options.connect_timeout = limit;
    socketio_bench bench(options);
    socketio_client joined(bench);
    joined.send_text("40");
    if (joined.next().substr(0, 2) != "40" || bench.next() != "main open") return false;
    socketio_client idle(bench);
    idle.send_text("40/nowhere,");
    if (idle.next().substr(0, 2) != "44" || idle.read_frame().opcode != 8) return false;
    joined.send_text("42[\"here\"]");
    return bench.next() == "main here []";
  }));
}

TEST_CASE("socket.io: destroying the server tells every namespace") {
  socketio_bench bench;
  socketio_client client(bench);
  client.send(masked_frame(1, "40") + masked_frame(1, "40/chat,"));
  CHECK(bench.next() == "main open");
  CHECK(bench.next() == "chat open");
  bench.server.run([&] {
    bench.sockets.reset();
    bench.server.on_upgrade = [](const http_request&) { return upgrade{}; };
  });
  CHECK(bench.next() == "main closed");
  CHECK(bench.next() == "chat closed");
}
