// `http_request` against real servers that answer well, badly, endlessly or not at all.
#include "tests/support/growing_limit.hpp"
#include "tests/support/http_tool_bench.hpp"
#include "tests/support/tls_server.hpp"

#include <cstdlib>

using namespace troupe;
using namespace troupe::testing;
using namespace std::string_literals;

namespace {

/// Answers each request with what `answer` makes of it.
struct answering_server {
  using function = std::function<std::string(const std::string& request)>;
  std::mutex mutex;
  std::vector<std::string> requests;
  function answer;
  raw_http_server server;

  explicit answering_server(function f)
      : answer(std::move(f)), server([this](raw_connection& c) {
          auto request = c.read_request();
          std::string reply;
          {
            std::lock_guard lock(mutex);
            requests.push_back(request);
            reply = answer(request);
          }
          c.send(reply);
        }) {}
  explicit answering_server(std::string always) : answering_server([always](const std::string&) { return always; }) {}

  [[nodiscard]] std::string url(const std::string& path = "/") const { return "http://127.0.0.1:" + port_of(server) + path; }
  std::string last() {
    std::lock_guard lock(mutex);
    return requests.empty() ? std::string() : requests.back();
  }
  std::size_t count() {
    std::lock_guard lock(mutex);
    return requests.size();
  }
};

std::string redirect(const std::string& status, const std::string& location) {
  return http_response(status, "Location: " + location + "\r\n", "see there");
}

/// What a model hears of a server that does as told.
tools::tool_result hears(const raw_http_server::serve_function& serve, std::uint32_t output_bytes = 1 << 20) {
  raw_http_server server(serve);
  http_tool_world world(server);
  world.config.output_bytes = output_bytes;
  return world.get(server.base_url());
}
tools::tool_result hears(const std::string& bytes, std::uint32_t output_bytes = 1 << 20) {
  return hears(
      [&](raw_connection& c) {
        c.read_request();
        c.send(bytes);
      },
      output_bytes);
}

/// `x` and 258 more of it for each of `runs`, as a deflate stream (RFC 1951) with fixed codes.
std::string deflated_run(std::size_t runs) {
  std::string out;
  unsigned held = 0, bits = 0;
  auto add = [&](bool bit) {
    held |= static_cast<unsigned>(bit) << bits;
    if (++bits < 8) return;
    out += static_cast<char>(held);
    held = bits = 0;
  };
  auto code = [&](unsigned value, unsigned length) {
    for (unsigned i = length; i-- > 0;) add(((value >> i) & 1U) != 0);
  };
  code(0b110, 3);        // the last block, with fixed codes
  code(0x30U + 'x', 8);  // a literal
  for (std::size_t i = 0; i < runs; ++i) {
    code(0b11000101, 8);  // length 258
    code(0, 5);           // distance 1
  }
  code(0, 7);  // end of block
  while (bits != 0) add(false);
  return out;
}

}  // namespace

TEST_CASE("http_request: method, headers and body go out as asked") {
  answering_server to(http_response("200 OK", "Content-Type: text/plain\r\n", "hello"));
  http_tool_world world(to.server);
  auto ask = [&](const std::string& more) {
    auto result = world.call(R"({"url":")" + to.url("/a?b=c#d") + "\"" + more + "}");
    INFO(result.output);
    CHECK(result.ok);
    return to.last();
  };
  CHECK_THAT(ask(""), Catch::StartsWith("GET /a?b=c HTTP/1.1\r\n") && Catch::Contains("User-Agent: troupe\r\n") &&
                          Catch::Contains("Accept-Encoding: gzip, deflate\r\n") && !Catch::Contains("Content-Type"));
  for (std::string method : {"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "POST", "PATCH"})
    CHECK_THAT(ask(R"(,"method":")" + method + "\""),
               Catch::StartsWith(method + " /a?b=c HTTP/1.1\r\n") && !Catch::Contains("Content-Type"));
  CHECK_THAT(ask(R"(,"method":"PUT")"), Catch::Contains("Content-Length: 0\r\n"));
  CHECK_THAT(ask(R"(,"method":"POST","body":"gr\u00fc\u00df")"),
             Catch::Contains("Content-Type: text/plain; charset=utf-8\r\n") && Catch::EndsWith("\r\n\r\ngr\xC3\xBC\xC3\x9F"));
  CHECK_THAT(ask(R"(,"method":"PATCH","body":{"a":[1,null]})"),
             Catch::Contains("Content-Type: application/json\r\n") && Catch::EndsWith("\r\n\r\n{\"a\":[1,null]}"));
  CHECK_THAT(ask(R"(,"method":"DELETE","body":"x","headers":{"content-type":"a/b","X-A":"1","X-B":""})"),
             Catch::Contains("content-type: a/b\r\n") && Catch::Contains("X-A: 1\r\n") && Catch::Contains("X-B:\r\n") &&
                 !Catch::Contains("text/plain"));
  CHECK_THAT(ask(R"(,"method":"POST","body":")" + std::string(1'000'000, 'x') + "\""),
             Catch::Contains("Content-Length: 1000000\r\n"));

  auto refused = [&](const std::string& more) { return world.call(R"({"url":")" + to.url() + "\"" + more + "}").output; };
  auto before = to.count();
  CHECK_THAT(refused(R"(,"body":"x")"), Catch::Contains("a GET request has no body"));
  CHECK_THAT(refused(R"(,"headers":{"Host":"other"})"), Catch::Contains("`Host` belongs to the connection"));
  CHECK(to.count() == before);
}

TEST_CASE("http_request: the model reads status, headers and text, also of a refusal") {
  CHECK(hears(http_response("200 OK", "Content-Type: text/plain\r\nSet-Cookie: a=b\r\nETag: \"1\"\r\n", "hello")).output ==
        "HTTP 200\ncontent-type: text/plain\netag: \"1\"\n\nhello");
  auto missing = hears(http_response("404 Not Found", "Content-Type: application/json\r\n", R"({"why":"gone"})"));
  CHECK_FALSE(missing.ok);
  CHECK_THAT(missing.output, Catch::StartsWith("HTTP 404\n") && Catch::EndsWith("\n\n{\"why\":\"gone\"}"));
  auto busy = hears(http_response("503 Busy", "Retry-After: 7\r\n", ""));
  CHECK_FALSE(busy.ok);
  CHECK_THAT(busy.output, Catch::StartsWith("HTTP 503\n") && Catch::Contains("retry-after: 7\n"));
  CHECK(hears("HTTP/1.1 204 No Content\r\n\r\n").output == "HTTP 204\n");
  CHECK(hears("HTTP/1.1 103 Early\r\nLink: <a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi").output ==
        "HTTP 200\n\nhi");
  CHECK_THAT(hears(http_response("200 OK", "Content-Type: text/plain; charset=iso-8859-1\r\n", "gr\xFC\xDF")).output,
             Catch::EndsWith("\n\ngr\xC3\xBC\xC3\x9F"));
  auto picture = hears(http_response("200 OK", "Content-Type: image/png\r\n", "\x89PNG\r\n\x1A\n\0"s));
  REQUIRE(picture.files.size() == 1);
  CHECK(picture.files[0].bytes == "\x89PNG\r\n\x1A\n\0"s);
  CHECK_THAT(hears(http_response("200 OK", "",
                                 "\x7F"
                                 "ELF\0\xFF"s))
                 .output,
             Catch::Contains("not text") && Catch::Contains("6 bytes"));
}

TEST_CASE("http_request: redirects are followed by the rules, within the origin with all headers, beyond it without") {
  answering_server elsewhere(http_response("200 OK", "", "there"));
  answering_server to([&](const std::string& request) {
    auto path = request.substr(request.find(' ') + 1, request.find(' ', request.find(' ') + 1) - request.find(' ') - 1);
    if (path == "/here") return http_response("200 OK", "", "here");
    if (path.starts_with("/out")) return redirect(path.substr(4) + " X", elsewhere.url("/x"));
    if (path == "/loop") return redirect("302 Found", "/loop");
    if (path.starts_with("/n")) return redirect("302 Found", path == "/n1" ? "/here" : "/n" + std::to_string(path[2] - '1'));
    return redirect(path.substr(1) + " X", "/here");
  });
  http_tool_world world(to.server);
  world.open_ports.insert(port_of(elsewhere.server));
  auto post = [&](const std::string& path) {
    return world.call(R"({"method":"POST","body":"b","headers":{"Authorization":"s3cret","X-Key":"k","Accept":"a/b"},"url":")" +
                      to.url(path) + "\"}");
  };
  auto result = post("/302");
  CHECK(result.ok);
  CHECK_THAT(result.output, Catch::Contains("redirected to: " + to.url("/here") + "\n") && Catch::EndsWith("\n\nhere"));
  CHECK_THAT(to.last(), Catch::StartsWith("GET /here ") && Catch::Contains("s3cret") && !Catch::Contains("Content-Type"));
  CHECK(post("/307").ok);
  CHECK_THAT(to.last(), Catch::StartsWith("POST /here ") && Catch::Contains("s3cret") && Catch::EndsWith("\r\n\r\nb"));

  CHECK_THAT(post("/out308").output, Catch::EndsWith("\n\nthere"));
  CHECK_THAT(elsewhere.last(), Catch::StartsWith("POST /x ") && Catch::Contains("Accept: a/b\r\n") &&
                                   Catch::Contains("text/plain") && !Catch::Contains("s3cret") && !Catch::Contains("X-Key"));
  CHECK(post("/out303").ok);
  CHECK_THAT(elsewhere.last(), Catch::StartsWith("GET /x ") && !Catch::Contains("s3cret"));

  CHECK(world.get(to.url("/n5")).ok);
  auto before = to.count();
  auto looped = world.get(to.url("/loop"));
  CHECK_FALSE(looped.ok);
  CHECK_THAT(looped.output, Catch::Contains("more than 5 redirects"));
  CHECK(to.count() == before + 6);
  CHECK_THAT(hears("HTTP/1.1 302 Found\r\nContent-Length: 2\r\n\r\nhi").output, Catch::StartsWith("HTTP 302\n"));
}

TEST_CASE("http_request: a body without end is cut and its connection closed") {
  std::promise<void> closed;
  raw_http_server server([&](raw_connection& c) {
    c.read_request();
    c.send("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n");
    while (c.send(std::string(4096, 'x'))) {
    }
    closed.set_value();
  });
  http_tool_world world(server);
  world.config.output_bytes = 50'000;
  auto result = world.get(server.base_url());
  CHECK(result.ok);
  CHECK_THAT(result.output, Catch::EndsWith("xx\n(cut: the body is longer than the 50000 bytes that `http_request` gives)"));
  CHECK(result.output.size() < 50'300);
  CHECK(closed.get_future().wait_for(patience) == std::future_status::ready);
}

TEST_CASE("http_request: headers without end, or too many, end the call") {
  auto result = hears([](raw_connection& c) {
    c.read_request();
    c.send("HTTP/1.1 200 OK\r\n");
    for (int i = 0; c.send("X-" + std::to_string(i) + ": " + std::string(500, 'x') + "\r\n"); ++i) {
    }
  });
  CHECK_FALSE(result.ok);
  CHECK_THAT(result.output, Catch::Contains("broke before the response was whole: Too large response headers"));
  result = hears([](raw_connection& c) {
    c.read_request();
    c.send("HTTP/1.1 200 OK\r\nX: ");
    while (c.send(std::string(4096, 'x'))) {
    }
  });
  CHECK_FALSE(result.ok);
  CHECK_THAT(result.output, Catch::Contains("a header line is too long"));
}

TEST_CASE("http_request: compressed bodies are read, and a bomb of them is cut at its decoded size") {
  // zlib's wrapping (RFC 1950): head, and the checksum of 259 times `x`.
  std::uint32_t a = 1, b = 0;
  for (int i = 0; i < 259; ++i) {
    a = (a + 'x') % 65521;
    b = (b + a) % 65521;
  }
  std::string sum{static_cast<char>(b >> 8U), static_cast<char>(b), static_cast<char>(a >> 8U), static_cast<char>(a)};
  CHECK_THAT(hears(http_response("200 OK", "Content-Encoding: deflate\r\n", "\x78\x9C" + deflated_run(1) + sum)).output,
             Catch::EndsWith("\n\n" + std::string(259, 'x')));

  auto bomb = "\x1F\x8B\x08\0\0\0\0\0\0\x03"s + deflated_run(1'000'000);  // 1.6 MB that stand for 258 MB
  auto result = hears(http_response("200 OK", "Content-Type: text/plain\r\nContent-Encoding: gzip\r\n", bomb), 100'000);
  CHECK(result.ok);
  CHECK_THAT(result.output, Catch::Contains("(cut: the body is longer than the 100000 bytes"));
  CHECK(result.output.size() < 100'300);

  auto rubbish = hears(http_response("200 OK", "Content-Encoding: gzip\r\n", "this is not gzip"));
  INFO(rubbish.output);
  CHECK_FALSE(rubbish.ok);
}

TEST_CASE("http_request: a response that breaks off fails, with what came of it") {
  auto lied = hears("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\nhello");
  CHECK_FALSE(lied.ok);
  CHECK_THAT(lied.output, Catch::Contains("broke before the response was whole") && Catch::EndsWith("\n\nhello"));
  CHECK(hears("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhello").output == "HTTP 200\n\nhe");
  auto unended = hears("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
  CHECK_FALSE(unended.ok);
  CHECK_THAT(unended.output, Catch::EndsWith("hello"));
  auto reset = hears([](raw_connection& c) {
    c.read_request();
    c.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello");
    c.reset();
  });
  CHECK_FALSE(reset.ok);
  CHECK_THAT(reset.output, Catch::Contains("broke before the response was whole"));
  for (const auto& bytes : {"SSH-2.0-OpenSSH_9.2\r\n"s, "HTTP/1.1 200 OK\r\nContent-Length: x1\r\n\r\nhello"s, ""s}) {
    auto other = hears(bytes);
    INFO(other.output);
    CHECK_FALSE(other.ok);
  }
}

TEST_CASE("http_request: a request whose answer never came is not sent twice, and the model learns that it may have acted") {
  answering_server to(""s);
  http_tool_world world(to.server);
  auto result = world.call(R"({"method":"POST","body":"pay","url":")" + to.url() + "\"}");
  CHECK_FALSE(result.ok);
  CHECK_THAT(result.output, Catch::Contains("Whether the server has acted on the request is not known."));
  CHECK(to.count() == 1);
  CHECK_THAT(world.get(to.url()).output, !Catch::Contains("not known"));
}

TEST_CASE("http_request: the time limit holds over all redirects together") {
  CHECK(holds_with_some_limit(std::chrono::milliseconds{250}, [](auto limit) {  // long enough for the redirects
    std::atomic<int> asked{0};
    raw_http_server server([&](raw_connection& c) {
      c.read_request();
      if (++asked < 3)
        c.send(redirect("302 Found", "/again"));
      else
        c.wait_closed();
    });
    http_tool_world world(server);
    world.config.time_limit = limit;
    auto result = world.get(server.base_url());
    CHECK_FALSE(result.ok);
    auto over = "did not end its response within " + std::to_string(limit.count()) + " ms, the time limit of `http_request`";
    return asked == 3 && result.output.find(over) != std::string::npos;
  }));
}

TEST_CASE("http_request: a call that is given up closes its connection at once and says nothing more") {
  for (const char* begun : {"", "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nhello"}) {
    std::promise<void> asked, closed;
    raw_http_server server([&](raw_connection& c) {
      c.read_request();
      c.send(begun);
      asked.set_value();
      c.wait_closed();
      closed.set_value();
    });
    http_tool_world world(server);
    auto t = world.make();
    auto heard = std::make_shared<heard_call>();
    auto running = t->start(world.context, t->check(R"({"url":")" + server.base_url() + "\"}").value(), heard);
    REQUIRE(asked.get_future().wait_for(patience) == std::future_status::ready);
    running.reset();
    CHECK(closed.get_future().wait_for(patience) == std::future_status::ready);
    world.settle();
    CHECK(heard->times() == 0);
  }
}

TEST_CASE("http_request: a certificate that nobody vouches for is refused, and `ca_file` vouches") {
  own_certificate own;
  tls_server server(own, http_response("200 OK", "", "safe"));
  http_tool_world world;
  world.open_ports.insert(server.port());
  auto url = "https://127.0.0.1:" + server.port() + "/";
  auto refused = world.get(url);
  CHECK_FALSE(refused.ok);
  CHECK_THAT(refused.output, Catch::Contains("TLS handshake") && Catch::Contains("`ca_file`"));

  std::string folder = (std::filesystem::temp_directory_path() / "troupe-http-XXXXXX").string();
  REQUIRE(mkdtemp(folder.data()) != nullptr);
  world.config.ca_file = folder + "/ca.pem";
  std::ofstream(world.config.ca_file) << own.certificate;
  CHECK(world.get(url).output == "HTTP 200\n\nsafe");

  // A secret stays with https.
  tls_server down(own, redirect("302 Found", "http://127.0.0.1:1/"));
  world.open_ports.insert(down.port());
  CHECK_THAT(world.get("https://127.0.0.1:" + down.port() + "/").output,
             Catch::Contains("not followed: it leads from https to http"));
  // The name must be the certificate's.
  CHECK_THAT(world.get("https://localhost:" + server.port() + "/").output, Catch::Contains("TLS handshake"));
  std::filesystem::remove_all(folder);
}

TEST_CASE("http_request: many calls at once do not mix") {
  answering_server to(
      [](const std::string& request) { return http_response("200 OK", "", request.substr(0, request.find(" HTTP"))); });
  http_tool_world world(to.server);
  auto t = world.make();
  std::vector<std::pair<std::shared_ptr<heard_call>, std::unique_ptr<tools::running_call>>> calls;
  for (int i = 0; i < 50; ++i) {
    auto heard = std::make_shared<heard_call>();
    auto arguments = t->check(R"({"url":")" + to.url("/" + std::to_string(i)) + "\"}").value();
    calls.emplace_back(heard, t->start(world.context, arguments, heard));
  }
  for (std::size_t i = 0; i < calls.size(); ++i)
    CHECK(calls[i].first->wait().output == "HTTP 200\n\nGET /" + std::to_string(i));
}
