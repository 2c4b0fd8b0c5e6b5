#include "transport/net/framing.hpp"

#include "transport/net/outbox.hpp"
#include "transport/net/sse_connection.hpp"

#include <sys/socket.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <string>

using namespace troupe::transport;

namespace {

std::string header_of(std::size_t payload_size) {
  std::string out;
  append_websocket_text(out, std::string(payload_size, 'x'));
  CHECK(out.substr(out.size() - payload_size) == std::string(payload_size, 'x'));
  return out.substr(0, out.size() - payload_size);
}

bytes piece(std::string text) { return std::make_shared<const std::string>(std::move(text)); }

struct socket_pair {
  socket_pair() { REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0); }
  ~socket_pair() {
    ::close(fds[0]);
    if (fds[1] >= 0) ::close(fds[1]);
  }
  std::string read(std::size_t most) {
    std::string out(most, '\0');
    const auto n = ::recv(fds[1], out.data(), most, MSG_DONTWAIT);
    out.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return out;
  }
  int fds[2] = {-1, -1};
};

}  // namespace

TEST_CASE("framing: a text frame carries its length in 7, 16 or 64 bits") {
  CHECK(header_of(0) == std::string("\x81\x00", 2));
  CHECK(header_of(125) == "\x81\x7d");
  CHECK(header_of(126) == std::string("\x81\x7e\x00\x7e", 4));
  CHECK(header_of(65535) == "\x81\x7e\xff\xff");
  CHECK(header_of(65536) == std::string("\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00", 10));
}

TEST_CASE("framing: frames are appended behind what is there") {
  std::string out;
  append_websocket_text(out, "a");
  append_websocket_text(out, "bc");
  CHECK(out == std::string("\x81\x01"
                           "a"
                           "\x81\x02"
                           "bc"));
}

TEST_CASE("framing: an event is one chunk whose size fits") {
  std::string out;
  append_sse_event(out, 7, "content_delta", "{\"a\":1}");
  const std::string body = "id: 7\nevent: content_delta\ndata: {\"a\":1}\n\n";
  CHECK(out == "2a\r\n" + body + "\r\n");
  CHECK(body.size() == 0x2a);
}

TEST_CASE("framing: an event without a number has no id line") {
  std::string out;
  append_sse_event(out, 0, "ping", "{}");
  CHECK(out == "16\r\nevent: ping\ndata: {}\n\n\r\n");
}

TEST_CASE("framing: the largest sequence number fits") {
  std::string out;
  append_sse_event(out, UINT64_MAX, "e", "d");
  CHECK(out.find("id: 18446744073709551615\n") != std::string::npos);
}

TEST_CASE("framing: a comment is one chunk") {
  std::string out;
  append_sse_comment(out, "keep-alive");
  CHECK(out == "e\r\n: keep-alive\n\n\r\n");
}

TEST_CASE("framing: chunks can be taken off again, and broken ones end the text") {
  std::string out;
  append_sse_event(out, 1, "a", "x");
  append_sse_comment(out, "c");
  CHECK(without_chunks(out) == "id: 1\nevent: a\ndata: x\n\n: c\n\n");
  CHECK(without_chunks("5\r\nab") == "");
  CHECK(without_chunks("zz") == "");
  CHECK(without_chunks("") == "");
}

TEST_CASE("outbox: thousands of pieces leave in order with few system calls") {
  socket_pair pair;
  outbox out;
  std::string expected;
  for (int i = 0; i < 2000; ++i) {
    out.push(piece(std::to_string(i) + ","));
    expected += std::to_string(i) + ",";
  }
  CHECK(out.size() == expected.size());
  const auto written = out.write_to(pair.fds[0]);
  CHECK(written.result == outbox::outcome::empty);
  CHECK(written.bytes == expected.size());
  CHECK(written.calls == 2);
  CHECK(out.empty());
  CHECK(pair.read(100'000) == expected);
}

TEST_CASE("outbox: a full socket keeps the rest, half-sent pieces included") {
  socket_pair pair;
  outbox out;
  std::string expected;
  for (int i = 0; i < 300; ++i) {
    const std::string text(10'000, static_cast<char>('a' + i % 26));
    out.push(piece(text));
    expected += text;
  }
  std::string got;
  int rounds = 0;
  while (!out.empty() && rounds < 1000) {
    const auto written = out.write_to(pair.fds[0]);
    REQUIRE(written.result != outbox::outcome::failed);
    for (auto part = pair.read(70'000); !part.empty(); part = pair.read(70'000)) got += part;
    ++rounds;
  }
  for (auto part = pair.read(70'000); !part.empty(); part = pair.read(70'000)) got += part;
  CHECK(rounds > 1);
  CHECK(got == expected);
}

TEST_CASE("outbox: discarding keeps the rest of the piece that has begun to leave") {
  socket_pair pair;
  outbox out;
  const std::string big(4'000'000, 'b');
  out.push(piece(big));
  out.push(piece("lost"));
  CHECK(out.write_to(pair.fds[0]).result == outbox::outcome::blocked);
  out.discard_unsent();
  out.push(piece("!"));
  std::string got;
  while (!out.empty()) {
    for (auto part = pair.read(500'000); !part.empty(); part = pair.read(500'000)) got += part;
    REQUIRE(out.write_to(pair.fds[0]).result != outbox::outcome::failed);
  }
  for (auto part = pair.read(500'000); !part.empty(); part = pair.read(500'000)) got += part;
  CHECK(got == big + "!");
}

TEST_CASE("outbox: nothing is accepted after sealing, and a closed socket is a failure") {
  socket_pair pair;
  outbox out;
  out.push(piece("a"));
  out.seal();
  out.push(piece("b"));
  CHECK(out.size() == 1);
  ::close(pair.fds[1]);
  pair.fds[1] = -1;
  CHECK(out.write_to(pair.fds[0]).result == outbox::outcome::failed);
}
