#include "transport/net/http_parser.hpp"
#include "transport/net/http_response.hpp"
#include "transport/net/http_target.hpp"
#include "transport/net/listen_address.hpp"
#include "transport/net/server.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace troupe;
using namespace troupe::transport;

namespace {

std::string path_of(std::string_view target) {
  auto parsed = parse_target(target);
  return parsed ? parsed->path : "error: " + parsed.error().text;
}

bool is_refused(std::string_view target) { return parse_target(target).has_error(); }

struct parse_outcome {
  http_parser::status result;
  std::size_t consumed = 0;
  int http_status = 0;
  http_request request;
};

/// Feeds `step` new bytes at a time, as a socket might.
parse_outcome parse_request(const std::string& text, std::size_t step = 1'000'000, core::transport_limits limits = {}) {
  http_parser parser(limits);
  std::size_t begin = 0;
  std::size_t end = std::min(step, text.size());
  for (;;) {
    const auto done = parser.feed(std::string_view(text).substr(begin, end - begin));
    begin += done.consumed;
    if (done.result == http_parser::status::complete) return {done.result, begin, 0, parser.take_request()};
    if (done.result == http_parser::status::failed) return {done.result, begin, parser.why_failed().http_status, {}};
    if (done.result == http_parser::status::head_complete) continue;
    if (end == text.size()) return {done.result, begin, 0, {}};
    end = std::min(end + step, text.size());
  }
}

int refusal(const std::string& text) { return parse_request(text).http_status; }

}  // namespace

TEST_CASE("http target: paths are decoded and queries left raw") {
  CHECK(path_of("/") == "/");
  CHECK(path_of("/a%20b/%C3%BC") == "/a b/\xc3\xbc");
  CHECK(path_of("/a+b") == "/a+b");
  CHECK(path_of("*") == "*");
  auto target = parse_target("/a?x=%31&y");
  REQUIRE(target.has_value());
  CHECK(target->path == "/a");
  CHECK(target->query == "x=%31&y");
}

TEST_CASE("http target: absolute form loses its authority") {
  CHECK(path_of("http://host:1/a/b") == "/a/b");
  CHECK(path_of("HTTPS://host") == "/");
  auto target = parse_target("http://host?x=1");
  REQUIRE(target.has_value());
  CHECK(target->path == "/");
  CHECK(target->query == "x=1");
}

TEST_CASE("http target: what could mislead a route is refused") {
  CHECK(is_refused(""));
  CHECK(is_refused("a/b"));
  CHECK(is_refused("ftp://host/a"));
  CHECK(is_refused("/a#b"));
  CHECK(is_refused("/%"));
  CHECK(is_refused("/%4"));
  CHECK(is_refused("/%zz"));
  CHECK(is_refused("/a%00b"));
  CHECK(is_refused("/%ff"));
  CHECK(is_refused("/%c0%af"));
}

TEST_CASE("utf-8: overlong forms, surrogates, stray and missing bytes are invalid") {
  CHECK(is_valid_utf8(""));
  CHECK(is_valid_utf8("a\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80"));
  CHECK(is_valid_utf8("\xf4\x8f\xbf\xbf"));
  for (auto bad : {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80",
                   "\xf5", "\xc3", "\xe2\x82", "\xe2\x28\xa1"})
    CHECK_FALSE(is_valid_utf8(bad));
}

TEST_CASE("http request: query values are decoded, and the first of several wins") {
  http_request request;
  request.query = "a=1&b=x+y%26z&a=2&flag&%63=3&bad=%f&binary=%ff&e=";
  CHECK(request.query_value("a") == "1");
  CHECK(request.query_value("b") == "x y&z");
  CHECK(request.query_value("c") == "3");
  CHECK(request.query_value("flag").empty());
  CHECK(request.query_value("bad").empty());
  CHECK(request.query_value("binary").empty());
  CHECK(request.query_value("missing").empty());
  CHECK(request.has_query("flag"));
  CHECK(request.has_query("e"));
  CHECK_FALSE(request.has_query("missing"));
}

TEST_CASE("http request: header names ignore case") {
  http_request request;
  request.headers = {{"Content-Type", "a"}, {"content-type", "b"}};
  CHECK(request.header("CONTENT-TYPE") == "a");
  CHECK(request.header("Content").empty());
}

TEST_CASE("http parser: any split of the bytes gives the same request") {
  const std::string text =
      "POST /a%20b?q=1 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n";
  for (std::size_t step : {1U, 2U, 3U, 7U, 1000U}) {
    auto got = parse_request(text + "GET", step);
    CHECK(got.result == http_parser::status::complete);
    CHECK(got.consumed == text.size());
    CHECK(got.request.method == "POST");
    CHECK(got.request.path == "/a b");
    CHECK(got.request.query == "q=1");
    CHECK(got.request.body == "abcde");
    CHECK(got.request.header("host") == "h");
  }
}

TEST_CASE("http parser: requests that are unclear about themselves are refused") {
  CHECK(refusal("GET / HTTP/1.1\r\n\r\n") == 400);
  CHECK(refusal("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n") == 400);
  CHECK(refusal("GET / HTTP/1.0\r\n\r\n") == 0);
  CHECK(refusal("get / HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  CHECK(refusal("GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  CHECK(refusal("GET / HTTP/2.0\r\nHost: a\r\n\r\n") == 505);
  CHECK(refusal("nonsense\r\n\r\n") == 400);
  CHECK(refusal("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") == 400);
  CHECK(refusal("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd") == 400);
  CHECK(refusal("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n") == 400);
  CHECK(refusal("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n") == 501);
  CHECK(refusal("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n") == 501);
  CHECK(refusal("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") == 400);
  CHECK(refusal("POST / HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\nContent-Length: 1\r\n\r\na") == 417);
  CHECK(refusal("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n") == 400);
}

TEST_CASE("http parser: what two readers could understand in two ways is refused at any pace") {
  const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n";
  const std::string post = "POST / HTTP/1.1\r\nHost: a\r\n";
  const std::string chunked = post + "Transfer-Encoding: chunked\r\n\r\n";
  const std::vector<std::string> cases{post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
                                       post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                                       post + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
                                       post + "Content-Length: 1, 2\r\n\r\nab",
                                       post + "Content-Length: +1\r\n\r\na",
                                       post + "Content-Length: 0x1\r\n\r\na",
                                       post + "Content-Length: 99999999999999999999999\r\n\r\na",
                                       post + "Content-Length: \r\n\r\na",
                                       get + "X-A: one\r\n two\r\n\r\n",
                                       get + "X-A: one\r\n\ttwo\r\n\r\n",
                                       "GET / HTTP/1.1\r\n Host: a\r\nHost: b\r\n\r\n",
                                       get + "X-A : one\r\n\r\n",
                                       get + "X-A\t: one\r\n\r\n",
                                       get + ": one\r\n\r\n",
                                       get + "X-A one\r\n\r\n",
                                       get + "X-A: one\n\r\n",
                                       get + "X-A: one\nX-B: two\r\n\r\n",
                                       get + "X-A: one\rX-B: two\r\n\r\n",
                                       get + std::string("X-A: one\0two\r\n\r\n", 16),
                                       "GET / HTTP/1.1\nHost: a\n\n",
                                       "GET / HTTP/1.1\rHost: a\r\r",
                                       "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",

                                       "G@T / HTTP/1.1\r\nHost: a\r\n\r\n",
                                       chunked + "+3\r\nabc\r\n0\r\n\r\n",
                                       chunked + "0x3\r\nabc\r\n0\r\n\r\n",
                                       chunked + "-1\r\nabc\r\n0\r\n\r\n",
                                       chunked + " 3\r\nabc\r\n0\r\n\r\n",
                                       chunked + "\r\nabc\r\n0\r\n\r\n",
                                       chunked + "3\nabc\r\n0\r\n\r\n",
                                       chunked + "3\r\nabcd\r\n0\r\n\r\n",
                                       chunked + "3\r\nabc\n0\r\n\r\n",
                                       chunked + "fffffffffffffffff\r\nabc\r\n0\r\n\r\n"};
  for (const auto& text : cases)
    for (std::size_t step : {1U, 100'000U}) {
      INFO(text << " in steps of " << step);
      const int status = parse_request(text, step).http_status;
      CHECK(status == 400);
    }
  CHECK(refusal("GET / HTTP/1.1 \r\nHost: a\r\n\r\n") == 505);
  CHECK(refusal("GET / HTTP/01.1\r\nHost: a\r\n\r\n") == 505);
}

TEST_CASE("http parser: the limits hold whatever the pace of the bytes") {
  core::transport_limits limits;
  limits.max_header_bytes = 400;
  limits.max_body_bytes = 10;
  std::string many = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 40; ++i) many += "X-" + std::to_string(i) + ": some value\r\n";
  for (std::size_t step : {1U, 50U, 100'000U}) {
    CHECK(parse_request(many + "\r\n", step, limits).http_status == 431);
    CHECK(parse_request("GET /" + std::string(500, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", step, limits).http_status == 431);
    CHECK(parse_request("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n", step, limits).http_status == 413);
    CHECK(
        parse_request("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n6\r\nabcdef\r\n0\r\n\r\n",
                      step, limits)
            .http_status == 413);
  }
}

TEST_CASE("http parser: only complete WebSocket upgrades get through") {
  auto upgrade = [](const std::string& version, const std::string& key, const std::string& rest = {},
                    const std::string& line = "GET / HTTP/1.1") {
    return line + "\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: " + version +
           "\r\nSec-WebSocket-Key: " + key + "\r\n" + rest + "\r\n";
  };
  const std::string key = "dGhlIHNhbXBsZSBub25jZQ==";
  CHECK(parse_request(upgrade("13", key)).result == http_parser::status::complete);
  CHECK(refusal(upgrade("8", key)) == 426);
  CHECK(refusal(upgrade("13", "short")) == 400);
  CHECK(refusal(upgrade("13", "dGhlIHNhbXBsZSBub25j!Q==")) == 400);
  CHECK(refusal(upgrade("13", key, "Content-Length: 3\r\n")) == 400);
  CHECK(refusal(upgrade("13", key, {}, "GET / HTTP/1.0")) == 400);
  CHECK(refusal(upgrade("13", key, {}, "POST / HTTP/1.1")) == 405);
  const std::string fields = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key + "\r\n";
  const std::string line = "GET / HTTP/1.1\r\nHost: a\r\n";
  CHECK(parse_request(line + "Connection: keep-alive\r\nConnection: foo, uPGRADE\r\nUpgrade: WebSocket\r\n" + fields + "\r\n")
            .result == http_parser::status::complete);
  CHECK(refusal(line + "Upgrade: websocket\r\n" + fields + "\r\n") == 400);
  CHECK(refusal(line + "Connection: close\r\nUpgrade: websocket\r\n" + fields + "\r\n") == 400);
  CHECK(refusal(line + "Connection: Upgrade\r\n" + fields + "\r\n") == 400);
  CHECK(refusal(line + "Connection: Upgrade\r\nUpgrade: h2c\r\n" + fields + "\r\n") == 400);
  const std::string upgrades = line + "Connection: Upgrade\r\nUpgrade: websocket\r\n";
  CHECK(refusal(upgrades + "Sec-WebSocket-Version: 13\r\n\r\n") == 400);
  CHECK(refusal(upgrades + "Sec-WebSocket-Key: " + key + "\r\n\r\n") == 426);
  CHECK(refusal(upgrades + fields + "Sec-WebSocket-Key: " + key + "\r\n\r\n") == 400);
  CHECK(refusal(upgrades + fields + "Host: b\r\n\r\n") == 400);
  CHECK(refusal("GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" + fields + "\r\n") == 400);
  CHECK(refusal(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n\r\n") ==
        0);
}

TEST_CASE("http response: fields that would split it or contradict its framing are left out") {
  http_response response;
  response.body = "{}";
  response.headers = {{"X-Good", "1"}, {"X-Bad", "1\r\nSet-Cookie: x"}, {"Bad Name", "1"}, {"content-length", "99"}};
  const auto head = response_head(response, {true, true, false});
  CHECK(head == "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nX-Good: 1\r\n\r\n");
}

TEST_CASE("http response: connection and length follow the request and the status") {
  http_response response;
  response.status = 204;
  CHECK(response_head(response, {true, false, false}) == "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
  response.status = 99;
  CHECK(response_head(response, {false, true, false}).find("HTTP/1.1 500 ") == 0);
  CHECK(response_head(response, {false, true, false}).find("Connection: keep-alive\r\n") != std::string::npos);
}

TEST_CASE("listen address: host and port are told apart, and mistakes named") {
  auto v4 = resolve_listen_address("127.0.0.1:80");
  REQUIRE(v4.has_value());
  CHECK(v4->endpoint.port() == 80);
  auto v6 = resolve_listen_address("[::1]:8080");
  REQUIRE(v6.has_value());
  CHECK(v6->endpoint.address().is_v6());
  CHECK(v6->host == "[::1]");
  auto named = resolve_listen_address("localhost:0");
  REQUIRE(named.has_value());
  CHECK(named->endpoint.address().is_loopback());
  for (auto bad :
       {"", "8080", ":8080", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "::1:80", "[nonsense]:1", "host name:1"}) {
    auto result = resolve_listen_address(bad);
    REQUIRE(result.has_error());
    CHECK(result.error().code == core::errc::configuration_error);
    CHECK(result.error().text.find("listen " + std::string(bad)) == 0);
  }
}
