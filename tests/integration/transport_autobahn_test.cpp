// The cases of the Autobahn test suite for servers (fuzzingclient), by their numbers, over raw sockets.
#include "tests/support/echo_server.hpp"

#include <catch2/catch.hpp>

#include <vector>

using namespace troupe;
using namespace troupe::testing;

namespace {

struct conversation {
  std::string name;
  std::string sent;
  std::string heard;
};

void check_all(const std::vector<conversation>& cases) {
  echo_server server;
  for (const auto& c : cases)
    for (const std::size_t chop : {std::string::npos, std::size_t{1}}) {
      if (chop == 1 && c.sent.size() > 2000) continue;
      INFO(c.name << (chop == 1 ? " in single octets" : ""));
      CHECK(talk(server, c.sent, chop) == c.heard);
    }
}

/// A frame with any first byte.
std::string raw_frame(int first_byte, std::string_view payload) {
  auto out = masked_frame(0, payload);
  out[0] = static_cast<char>(first_byte);
  return out;
}

constexpr std::string_view utf8 = "Hello-\xc2\xb5@\xc3\x9f\xc3\xb6\xc3\xa4\xc3\xbc\xc3\xa0\xc3\xa1-UTF-8!!";

}  // namespace

TEST_CASE("autobahn 1: text and binary messages of every length form come back as they were") {
  std::vector<conversation> cases;
  for (const std::size_t size : {0U, 1U, 125U, 126U, 127U, 128U, 65535U, 65536U}) {
    const std::string payload(size, '*');
    for (const int opcode : {1, 2})
      cases.push_back({"1." + std::to_string(opcode) + " of " + std::to_string(size), masked_frame(opcode, payload),
                       told({true, opcode, payload}) + ", close 1000"});
  }
  check_all(cases);
}

TEST_CASE("autobahn 2: pings are answered with their payload, pongs are ignored") {
  const std::string longest(125, '\xfe');
  const std::string bytes("\x00\xff\xfe\xfd\xfc\xfb\x00\xff", 8);
  std::string ten;
  std::string ten_pongs;
  for (int i = 0; i < 10; ++i) {
    ten += masked_frame(9, "payload-" + std::to_string(i));
    ten_pongs += "pong payload-" + std::to_string(i) + ", ";
  }
  check_all({{"2.1", masked_frame(9, ""), "pong , close 1000"},
             {"2.2", masked_frame(9, "Hello, world!"), "pong Hello, world!, close 1000"},
             {"2.3", masked_frame(9, bytes), "pong " + bytes + ", close 1000"},
             {"2.4", masked_frame(9, longest), "pong " + longest + ", close 1000"},
             {"2.5", masked_frame(9, std::string(126, '\xfe')), "close 1002"},
             {"2.7", masked_frame(10, ""), "close 1000"},
             {"2.8", masked_frame(10, "unsolicited pong payload"), "close 1000"},
             {"2.9", masked_frame(10, "unsolicited") + masked_frame(9, "ping payload"), "pong ping payload, close 1000"},
             {"2.10", ten, ten_pongs + "close 1000"}});
}

TEST_CASE("autobahn 3: reserved bits fail the connection") {
  const auto hello = masked_frame(1, "Hello");
  const auto ping = masked_frame(9, "");
  check_all({{"3.1", raw_frame(0x81 | 0x40, "x"), "close 1002"},
             {"3.2", hello + raw_frame(0x81 | 0x20, "x") + ping, "text Hello, close 1002"},
             {"3.3", hello + raw_frame(0x81 | 0x30, "x") + ping, "text Hello, close 1002"},
             {"3.4", hello + raw_frame(0x81 | 0x40, "x") + ping, "text Hello, close 1002"},
             {"3.5", raw_frame(0x82 | 0x50, std::string(8, '\xff')), "close 1002"},
             {"3.6", raw_frame(0x89 | 0x60, "x"), "close 1002"},
             {"3.7", raw_frame(0x88 | 0x70, "\x03\xe8"), "close 1002"},
             {"a continuation with RSV1", masked_frame(1, "a", false) + raw_frame(0x80 | 0x40, "b"), "close 1002"}});
}

TEST_CASE("autobahn 4: reserved opcodes fail the connection") {
  const auto hello = masked_frame(1, "Hello");
  std::vector<conversation> cases;
  for (const int opcode : {3, 4, 5, 6, 7, 11, 12, 13, 14, 15}) {
    cases.push_back({"4 alone " + std::to_string(opcode), masked_frame(opcode, "x"), "close 1002"});
    cases.push_back({"4 empty " + std::to_string(opcode), masked_frame(opcode, ""), "close 1002"});
    cases.push_back({"4 behind a message " + std::to_string(opcode), hello + masked_frame(opcode, "x") + masked_frame(9, ""),
                     "text Hello, close 1002"});
  }
  check_all(cases);
}

TEST_CASE("autobahn 5: fragments become one message, and every break of their rules fails the connection") {
  const auto first = masked_frame(1, "fragment1", false);
  const auto last = masked_frame(0, "fragment2");
  const auto middle = masked_frame(0, "fragment2", false);
  const auto ping = masked_frame(9, "ping");
  check_all({{"5.1", masked_frame(9, "fragment1", false) + last, "close 1002"},
             {"5.2", masked_frame(10, "fragment1", false) + last, "close 1002"},
             {"a fragmented close", masked_frame(8, "\x03\xe8", false), "close 1002"},
             {"5.3", first + last, "text fragment1fragment2, close 1000"},
             {"5.6", first + ping + last, "pong ping, text fragment1fragment2, close 1000"},
             {"5.9", masked_frame(0, "non-continuation") + masked_frame(1, "Hello"), "close 1002"},
             {"5.12", masked_frame(0, "non-continuation", false) + masked_frame(1, "Hello"), "close 1002"},
             {"5.15", first + last + masked_frame(0, "fragment3", false) + masked_frame(1, "fragment4"),
              "text fragment1fragment2, close 1002"},
             {"5.16", masked_frame(0, "f1", false) + masked_frame(1, "f2", false) + masked_frame(0, "f3"), "close 1002"},
             {"5.18", first + masked_frame(1, "fragment2"), "close 1002"},
             {"a binary start inside a text", first + masked_frame(2, "fragment2"), "close 1002"},
             {"5.19",
              first + middle + masked_frame(9, "1") + masked_frame(0, "fragment3", false) +
                  masked_frame(0, "fragment4", false) + masked_frame(9, "2") + masked_frame(0, "fragment5"),
              "pong 1, pong 2, text fragment1fragment2fragment3fragment4fragment5, close 1000"},
             {"6.1.2", masked_frame(1, "", false) + masked_frame(0, "", false) + masked_frame(0, ""), "text , close 1000"},
             {"6.1.3", masked_frame(1, "", false) + masked_frame(0, "middle", false) + masked_frame(0, ""),
              "text middle, close 1000"},
             {"binary fragments", masked_frame(2, "\xff", false) + masked_frame(0, "\xfe"), "binary \xff\xfe, close 1000"}});
}

TEST_CASE("autobahn 6.2: text is UTF-8 wherever its fragments are cut") {
  std::vector<conversation> cases{{"6.2.1", masked_frame(1, utf8), "text " + std::string(utf8) + ", close 1000"}};
  for (std::size_t cut = 0; cut <= utf8.size(); ++cut)
    cases.push_back({"6.2.2 cut at " + std::to_string(cut),
                     masked_frame(1, utf8.substr(0, cut), false) + masked_frame(9, "") + masked_frame(0, utf8.substr(cut)),
                     "pong , text " + std::string(utf8) + ", close 1000"});
  std::string octets = masked_frame(1, "", false);
  for (const char c : utf8) octets += masked_frame(0, std::string_view(&c, 1), false);
  cases.push_back({"6.2.3", octets + masked_frame(0, ""), "text " + std::string(utf8) + ", close 1000"});
  check_all(cases);
}

TEST_CASE("autobahn 6.5 to 6.22: the edges of UTF-8 are valid, what lies beyond is not") {
  std::vector<conversation> cases;
  for (const auto& text :
       {std::string("\x00", 1), std::string("\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"), std::string("\x7f"),
        std::string("\xc2\x80"), std::string("\xdf\xbf"), std::string("\xe0\xa0\x80"), std::string("\xed\x9f\xbf"),
        std::string("\xee\x80\x80"), std::string("\xef\xbf\xbd"), std::string("\xef\xbf\xbe"), std::string("\xef\xbf\xbf"),
        std::string("\xf0\x90\x80\x80"), std::string("\xf0\x9f\xbf\xbf"), std::string("\xf4\x8f\xbf\xbf")})
    cases.push_back({"valid " + text, masked_frame(1, text), "text " + text + ", close 1000"});
  for (const std::string text : {"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xf4\x90\x80\x80\x65\x64\x69\x74\x65\x64",
                                 "\xf8\x88\x80\x80\x80",
                                 "\xfc\x84\x80\x80\x80\x80",
                                 "\xf7\xbf\xbf\xbf",
                                 "\xfb\xbf\xbf\xbf\xbf",
                                 "\xfd\xbf\xbf\xbf\xbf\xbf",
                                 "\xf4\x90\x80\x80",
                                 "\x80",
                                 "\xbf",
                                 "\x80\xbf",
                                 "\x80\xbf\x80\xbf\x80\xbf\x80\xbf",
                                 "\xc0 \xc1 ",
                                 "\xe0 \xe1 ",
                                 "\xf0 \xf1 ",
                                 "\xf5 ",
                                 "\xc0",
                                 "\xe0\x80",
                                 "\xf0\x80\x80",
                                 "\xdf",
                                 "\xef\xbf",
                                 "\xf7\xbf\xbf",
                                 "\xfe",
                                 "\xff",
                                 "\xfe\xfe\xff\xff",
                                 "\xc0\xaf",
                                 "\xe0\x80\xaf",
                                 "\xf0\x80\x80\xaf",
                                 "\xc1\xbf",
                                 "\xe0\x9f\xbf",
                                 "\xf0\x8f\xbf\xbf",
                                 "\xc0\x80",
                                 "\xe0\x80\x80",
                                 "\xed\xa0\x80",
                                 "\xed\xad\xbf",
                                 "\xed\xae\x80",
                                 "\xed\xaf\xbf",
                                 "\xed\xb0\x80",
                                 "\xed\xbf\xbf",
                                 "\xed\xa0\x80\xed\xb0\x80",
                                 "good \xe2\x82"})
    cases.push_back({"invalid " + text, masked_frame(1, text), "close 1007"});
  check_all(cases);
}

TEST_CASE("autobahn 6.4: invalid text fails at its first wrong octet, before the message or even the frame is complete") {
  echo_server server;
  const std::string good = "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5";
  struct early {
    std::string sent;
    std::string next;
  };
  const std::vector<early> cases{
      {masked_frame(1, good, false), masked_frame(0, "\xf4\x90\x80\x80", false)},
      {masked_frame(1, good + "\xf4", false), masked_frame(0, "\x90", false)},
      {masked_frame(1, good, false) + masked_frame(0, "\xed", false), masked_frame(0, "\xa0", false)},
      // One frame in pieces, cut off behind the wrong octet, with more announced.
      {masked_frame(1, good + "\xf4\x90\x80\x80 edited").substr(0, 6 + good.size() + 1),
       masked_frame(1, good + "\xf4\x90\x80\x80 edited").substr(6 + good.size() + 1, 1)}};
  for (const auto& c : cases) {
    tcp_client client(server.url());
    client.open_websocket();
    client.send(c.sent + (c.sent[0] == '\x81' ? "" : masked_frame(9, "still good")));
    if (c.sent[0] != '\x81') CHECK(told(client.read_frame()) == "pong still good");
    client.send(c.next);
    CHECK(hear(client) == "close 1007");
  }
}

TEST_CASE("autobahn 7.1 and 7.3: after a Close nothing is read, and a Close is answered with its code") {
  const std::string longest(123, '*');
  check_all({{"7.1.1", masked_frame(1, "Hello World!"), "text Hello World!, close 1000"},
             {"7.1.2", close_frame(1000), "close 1000"},
             {"7.1.3", close_frame(1000) + masked_frame(9, "after"), "close 1000"},
             {"7.1.4", close_frame(1000) + masked_frame(1, "after"), "close 1000"},
             {"7.1.5", masked_frame(1, "fragment1", false) + close_frame(1000) + masked_frame(0, "fragment2"), "close 1000"},
             {"7.1.6", masked_frame(1, std::string(256 << 10, '*')) + close_frame(1000) + masked_frame(9, "after"),
              "text 262144 bytes, close 1000"},
             {"7.3.1", masked_frame(8, ""), "close 0"},
             {"7.3.2", masked_frame(8, "a"), "close 1002"},
             {"7.3.3", close_frame(1000), "close 1000"},
             {"7.3.4", close_frame(1000, "Hello World!"), "close 1000"},
             {"7.3.5", close_frame(1000, longest), "close 1000"},
             {"7.3.6", close_frame(1000, longest + "*"), "close 1002"},
             {"7.5.1", close_frame(1000, "\xce\xba\xe1\xbd\xb9\xf4\x90\x80\x80\x65"), "close 1007"}});
}

TEST_CASE("autobahn 7.7, 7.9 and 7.13: codes that may be sent are answered, the others fail the connection") {
  std::vector<conversation> cases;
  for (const int code : {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999})
    cases.push_back({std::to_string(code), close_frame(code), "close " + std::to_string(code)});
  for (const int code : {0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535})
    cases.push_back({std::to_string(code), close_frame(code), "close 1002"});
  check_all(cases);
}

TEST_CASE("websocket frames: what RFC 6455 section 5.2 forbids about lengths and masks fails the connection") {
  using std::string_literals::operator""s;
  const std::string mask(4, 'm');
  check_all({{"no mask", masked_frame(1, "x", true, false), "close 1002"},
             {"a ping without a mask", masked_frame(9, "x", true, false), "close 1002"},
             {"5 bytes with a 16-bit length", "\x81\xfe\x00\x05"s + mask + "hello", "close 1002"},
             {"125 bytes with a 16-bit length", "\x82\xfe\x00\x7d"s + mask + std::string(125, 'x'), "close 1002"},
             {"5 bytes with a 64-bit length", "\x81\xff\x00\x00\x00\x00\x00\x00\x00\x05"s + mask + "hello", "close 1002"},
             {"65535 bytes with a 64-bit length", "\x82\xff\x00\x00\x00\x00\x00\x00\xff\xff"s + mask, "close 1002"},
             {"the top bit of a 64-bit length", "\x82\xff\x80\x00\x00\x00\x00\x00\x00\x00"s + mask, "close 1002"},
             {"8 MiB and a byte", "\x82\xff\x00\x00\x00\x00\x00\x80\x00\x01"s + mask, "close 1009"},
             {"all a length can say", "\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff"s + mask, "close 1009"}});
}

TEST_CASE("autobahn 9: messages up to 8 MiB come back, whole, in fragments and in chops") {
  echo_server server;
  for (const std::size_t size : {std::size_t{64} << 10, std::size_t{1} << 20, std::size_t{8} << 20}) {
    std::string payload(size, '*');
    for (std::size_t i = 0; i < size; i += 997) payload[i] = static_cast<char>('a' + i % 26);
    for (const int opcode : {1, 2})
      for (const std::size_t fragment : {size, std::size_t{4096}, std::size_t{256} << 10}) {
        INFO("9." << opcode << " of " << size << " in fragments of " << fragment);
        std::string sent;
        for (std::size_t at = 0; at < size; at += fragment)
          sent += masked_frame(at == 0 ? opcode : 0, std::string_view(payload).substr(at, fragment), at + fragment >= size);
        tcp_client client(server.url());
        client.open_websocket();
        client.send(sent);
        const auto back = client.read_frame();
        CHECK(back.opcode == opcode);
        CHECK(back.payload == payload);
      }
  }
  for (const std::size_t chop : {64U, 256U, 2048U}) {
    INFO("9.5 and 9.6 in chops of " << chop);
    CHECK(talk(server, masked_frame(1, std::string(1 << 20, 'x')), chop) == "text 1048576 bytes, close 1000");
  }
}

TEST_CASE("autobahn 9.7 and 10: many small messages, and one fragmented with the longest frames, keep their order") {
  echo_server server;
  tcp_client client(server.url());
  client.open_websocket();
  std::string burst;
  for (int i = 0; i < 1000; ++i) burst += masked_frame(1 + i % 2, std::to_string(i));
  client.send(burst);
  for (int i = 0; i < 1000; ++i) REQUIRE(told(client.read_frame()) == told({true, 1 + i % 2, std::to_string(i)}));
  std::string fragmented;
  for (int i = 0; i < 51; ++i) fragmented += masked_frame(i == 0 ? 1 : 0, std::string(1300, '*'), i == 50);
  client.send(fragmented);
  CHECK(client.read_frame().payload == std::string(51 * 1300, '*'));
}
