// What may and may not become a WebSocket (RFC 6455 §4.2), and requests that two readers could understand in two ways
// (RFC 9112), over raw sockets: the status, and that the connection ends.
#include "tests/support/echo_server.hpp"

#include <catch2/catch.hpp>

#include <vector>

using namespace troupe;
using namespace troupe::testing;

namespace {

const std::string key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const std::string version = "Sec-WebSocket-Version: 13\r\n";
const std::string tokens = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
const std::string host = "Host: a\r\n";
const std::string get = "GET /echo HTTP/1.1\r\n";

struct handshake {
  std::string request;
  int status;
  std::string header;  ///< of the answer
};

}  // namespace

TEST_CASE("handshake: what RFC 6455 allows is accepted") {
  echo_server server;
  for (const std::string& request :
       {get + host + tokens + version + key,
        get + host + "connection: keep-alive, UPGRADE\r\nUPGRADE: WebSocket\r\n" + version + key,
        get + host + "Connection: keep-alive\r\nConnection: foo, Upgrade\r\nUpgrade: websocket\r\n" + version + key,
        get + host + "Connection: Upgrade\r\nUpgrade: h2c, websocket\r\n" + version + key,
        get + host + tokens + version + key + "Origin: http://a\r\nSec-WebSocket-Protocol: chat, superchat\r\n",
        get + host + tokens + version + key + "Content-Length: 0\r\n"}) {
    INFO(request);
    tcp_client client(server.url());
    client.send(request + "\r\n");
    const auto head = client.read_until("\r\n\r\n");
    CHECK(head.find("HTTP/1.1 101 ") == 0);
    CHECK(head.find("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n") != head.npos);
    CHECK(head.find("Upgrade: websocket\r\n") != head.npos);
    CHECK(head.find("Connection: Upgrade\r\n") != head.npos);
    // Of the protocols offered none is selected, and no extension where none was offered.
    CHECK(head.find("Sec-WebSocket-Protocol") == head.npos);
    CHECK(head.find("Sec-WebSocket-Extensions") == head.npos);
    client.send_text("works");
    CHECK(client.read_frame().payload == "works");
  }
}

TEST_CASE("handshake: everything else is refused with its status, and the connection ends") {
  echo_server server;
  const std::string good = host + tokens + version + key;
  const std::vector<handshake> cases{
      {"GET /echo HTTP/1.0\r\n" + good, 400, ""},
      {get + tokens + version + key, 400, ""},
      {get + good + "Host: b\r\n", 400, ""},
      {get + good + host, 400, ""},
      {get + host + tokens + key, 426, "Sec-WebSocket-Version: 13\r\n"},
      {get + host + tokens + key + "Sec-WebSocket-Version: 8\r\n", 426, "Sec-WebSocket-Version: 13\r\n"},
      {get + host + tokens + key + "Sec-WebSocket-Version: 14\r\n", 426, "Sec-WebSocket-Version: 13\r\n"},
      {get + host + tokens + key + "Sec-WebSocket-Version: \r\n", 426, "Sec-WebSocket-Version: 13\r\n"},
      {get + good + version, 426, "Sec-WebSocket-Version: 13\r\n"},
      {get + host + tokens + version, 400, ""},
      {get + host + tokens + version + "Sec-WebSocket-Key: \r\n", 400, ""},
      {get + host + tokens + version + "Sec-WebSocket-Key: dGhlIHNhbXBsZQ==\r\n", 400, ""},
      {get + host + tokens + version + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZSBh\r\n", 400, ""},
      {get + host + tokens + version + "Sec-WebSocket-Key: dGhl-HNhbXBsZSBub25jZQ==\r\n", 400, ""},
      {get + good + key, 400, ""},
      {get + host + "Upgrade: websocket\r\n" + version + key, 400, ""},
      {get + host + "Connection: keep-alive\r\nUpgrade: websocket\r\n" + version + key, 400, ""},
      {get + host + "Connection: Upgraded\r\nUpgrade: websocket\r\n" + version + key, 400, ""},
      {get + host + "Connection: Upgrade\r\n" + version + key, 400, ""},
      {get + host + "Connection: Upgrade\r\nUpgrade: websockets\r\n" + version + key, 400, ""},
      {"POST /echo HTTP/1.1\r\n" + good, 405, "Allow: GET\r\n"},
      {"PUT /echo HTTP/1.1\r\n" + good + "Content-Length: 2\r\n", 405, "Allow: GET\r\n"},
      {get + good + "Content-Length: 5\r\n", 400, ""},
      {get + good + "Transfer-Encoding: chunked\r\n", 400, ""}};
  for (const auto& c : cases) {
    INFO(c.request);
    tcp_client client(server.url());
    client.send(c.request + "\r\n");
    const auto answer = client.read_answer();
    CHECK(answer.status == c.status);
    CHECK(answer.has(c.header));
    CHECK(answer.has("Connection: close\r\n"));
    CHECK(client.is_at_end());
  }
}

TEST_CASE("smuggling: an unclear request is refused, and what stands behind it is never read as a request") {
  running_server server;
  const std::string post = "POST /first HTTP/1.1\r\nHost: a\r\n";
  const std::string chunked = post + "Transfer-Encoding: chunked\r\n";
  for (const std::string& request :
       {post + "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        chunked + "Content-Length: 6\r\n\r\n0\r\n\r\n", post + "Content-Length: 4\r\nContent-Length: 0\r\n\r\nbody",
        post + "Content-Length : 4\r\n\r\nbody", post + "Content-Length: 4\n\r\nbody", chunked + "\r\n4;x\nbody\r\n0\r\n\r\n",
        chunked + "\r\n 4\r\nbody\r\n0\r\n\r\n", chunked + "\r\n4 \r\nbody\r\n0\r\n\r\n", chunked + "\r\n4\r\nbody0\r\n\r\n",
        chunked + "\r\n-4\r\nbody\r\n0\r\n\r\n", post + "X-Folded: a\r\n Content-Length: 4\r\n\r\nbody",
        post + "X-Bare: a\rContent-Length: 4\r\n\r\nbody", std::string("GET /first HTTP/1.1\nHost: a\n\n")}) {
    INFO(request);
    tcp_client client(server.url());
    client.send(request + "GET /second HTTP/1.1\r\nHost: a\r\n\r\n");
    const auto answer = client.read_answer();
    CHECK(answer.status == 400);
    CHECK(client.is_at_end());
  }
}
