// Where HTTP tools may go: every trick that leads to an address which is not public, against real sockets. The server behind
// the address must not even see a connection.
#include "tests/support/http_tool_bench.hpp"

#include <dlfcn.h>
#include <netdb.h>

#include <cstdlib>

using namespace troupe;
using namespace troupe::testing;

namespace {

/// Names that only this program's resolver knows; all others go to the system's.
struct own_names {
  std::mutex mutex;
  std::condition_variable changed;
  bool is_asked = false;
  bool is_free = false;
} names;

/// Counts its connections and answers all of them.
struct victim {
  std::atomic<int> connections{0};
  raw_http_server server{[this](raw_connection& c) {
    ++connections;
    while (!c.read_request().empty()) c.send(http_response("200 OK", "Content-Type: text/plain\r\n", "inner secret"));
  }};
  [[nodiscard]] std::string at(const std::string& host) const { return "http://" + host + ":" + port_of(server) + "/"; }
};

struct environment_variable {
  const char* name;
  environment_variable(const char* n, const std::string& value) : name(n) { setenv(n, value.c_str(), 1); }
  ~environment_variable() { unsetenv(name); }
};

}  // namespace

// Takes the place of the C library's for this program, libcurl included.
extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** out) {
  using function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto real = reinterpret_cast<function>(dlsym(RTLD_NEXT, "getaddrinfo"));
  std::string_view name = node == nullptr ? "" : node;
  if (name == "slow.test") {
    std::unique_lock lock(names.mutex);
    names.is_asked = true;
    names.changed.notify_all();
    names.changed.wait(lock, [] { return names.is_free; });
    return EAI_NONAME;
  }
  if (name == "name.invalid") return EAI_NONAME;  // whatever the resolver of this machine makes of it, and when
  if (name == "inside.test") return real("127.0.0.1", service, hints, out);
  return real(node, service, hints, out);
}

TEST_CASE("http tools: no form of an address that is not public is connected to") {
  victim inner;
  http_tool_world world;
  std::string port = ":" + port_of(inner.server) + "/";
  for (const char* host : {"127.0.0.1",
                           "localhost",
                           "LOCALHOST",
                           "2130706433",
                           "0x7f.1",
                           "0177.0.0.1",
                           "0x7f000001",
                           "127.1",
                           "127.9.9.9",
                           "0.0.0.0",
                           "0",
                           "[::1]",
                           "[::]",
                           "[::ffff:127.0.0.1]",
                           "[::ffff:7f00:1]",
                           "[::127.0.0.1]",
                           "[64:ff9b::7f00:1]",
                           "[2002:7f00:1::]",
                           "[fe80::1]",
                           "[fc00::1]",
                           "[ff02::1]",
                           "10.0.0.1",
                           "172.16.0.1",
                           "192.168.1.1",
                           "100.64.0.1",
                           "169.254.169.254",
                           "192.0.2.1",
                           "198.18.0.1",
                           "255.255.255.255",
                           "inside.test",
                           "INSIDE.test",
                           "%6cocalhost",
                           "127%2e0%2e0%2e1"}) {
    auto result = world.get("http://" + (host + port));
    INFO(host << ": " << result.output);
    CHECK_FALSE(result.ok);
    CHECK_THAT(result.output, Catch::Contains("may not reach") && !Catch::Contains("inner secret"));
  }
  CHECK(inner.connections == 0);

  // The server would have answered: the rule kept it from us.
  world.config.allow_private = true;
  for (const char* host : {"127.0.0.1", "localhost", "2130706433", "0x7f.1", "0177.0.0.1", "inside.test"}) {
    INFO(host);
    CHECK_THAT(world.get("http://" + (host + port)).output, Catch::Contains("inner secret"));
  }
}

TEST_CASE("http tools: a redirect from an allowed host to an address that is not public is not followed") {
  victim inner;
  std::string location;
  raw_http_server outer([&](raw_connection& c) {
    c.read_request();
    c.send(http_response("302 Found", "Location: " + location + "\r\n", ""));
  });
  http_tool_world world(outer);
  for (const char* host :
       {"127.0.0.1", "localhost", "2130706433", "[::1]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "inside.test"}) {
    location = inner.at(host);
    auto result = world.get(outer.base_url());
    INFO(host << ": " << result.output);
    CHECK_FALSE(result.ok);
    CHECK_THAT(result.output, Catch::Contains("may not reach"));
  }
  for (const std::string& other :
       {inner.at("user@127.0.0.1"), std::string("file:///etc/passwd"), std::string("gopher://127.0.0.1/_x")}) {
    location = other;
    auto result = world.get(outer.base_url());
    INFO(result.output);
    CHECK_FALSE(result.ok);
    CHECK_THAT(result.output, Catch::Contains("HTTP 302") && Catch::Contains("not followed"));
  }
  CHECK(inner.connections == 0);
}

TEST_CASE("http tools: a proxy of the environment is not asked for what the tool may not reach") {
  victim proxy;
  environment_variable one("http_proxy", proxy.at("127.0.0.1")), all("ALL_PROXY", proxy.at("127.0.0.1"));
  http_tool_world world;
  auto result = world.get("http://name.invalid/");
  CHECK_THAT(result.output, Catch::Contains("cannot be reached") && !Catch::Contains("inner secret"));
  CHECK(proxy.connections == 0);
}

TEST_CASE("http tools: a connection that someone else has open is not a way around the rule") {
  victim inner;
  http_tool_world world;
  struct ended final : providers::transfer_handler {
    std::promise<providers::transfer_result> result;
    bool on_head(providers::transfer&, const providers::response_head&) override { return true; }
    bool on_data(providers::transfer&, std::string_view) override { return true; }
    void on_turn(providers::transfer&) override {}
    void on_done(providers::transfer&, const providers::transfer_end& end) override { result.set_value(end.result); }
  };
  auto ask = [&] {
    auto handler = std::make_shared<ended>();
    providers::http_request request;
    request.url = inner.at("127.0.0.1");
    request.method = "GET";
    auto t = world.loop->start(request, handler);
    return handler->result.get_future().get();
  };
  CHECK(ask() == providers::transfer_result::closed);
  CHECK(ask() == providers::transfer_result::closed);
  CHECK(inner.connections == 1);  // kept, and used again by those who may
  CHECK_THAT(world.get(inner.at("127.0.0.1")).output, Catch::Contains("may not reach"));
  CHECK(inner.connections == 1);
}

TEST_CASE("http tools: what is no plain http address is refused before anything is sent") {
  victim inner;
  http_tool_world world(inner.server);
  auto authority = "127.0.0.1:" + port_of(inner.server);
  for (const std::string& url :
       {"http://example.org@" + authority + "/", "http://user:pw@" + authority + "/", std::string("file:///etc/passwd"),
        "gopher://" + authority + "/_GET", "dict://" + authority + "/x", "ftp://" + authority + "/", "ws://" + authority + "/",
        authority + "/", std::string("/etc/passwd")}) {
    auto result = world.get(url);
    INFO(url << ": " << result.output);
    CHECK_FALSE(result.ok);
    CHECK_THAT(result.output, Catch::StartsWith("The request was not sent: "));
  }
  auto smuggled = world.call(R"({"url":")" + inner.at("127.0.0.1") + R"(","headers":{"X-A":"b\r\nHost: other"}})");
  CHECK_THAT(smuggled.output, Catch::Contains("`X-A` has a line break"));
  auto split = world.call(R"({"url":")" + inner.at("127.0.0.1") + R"( HTTP/1.1\r\nX: y"})");
  CHECK_THAT(split.output, Catch::Contains("control characters"));
  CHECK(inner.connections == 0);
}

TEST_CASE("http tools: `hosts` holds for the first request and for every redirect") {
  victim other;
  raw_http_server first([&](raw_connection& c) {
    c.read_request();
    c.send(http_response("302 Found", "Location: " + other.at("127.0.0.1") + "\r\n", ""));
  });
  http_tool_world world(first);
  world.open_ports.insert(port_of(other.server));
  world.config.hosts = {"*.example.org", "localhost"};
  CHECK_THAT(world.get(other.at("127.0.0.1")).output, Catch::Contains("`127.0.0.1` is not among the hosts"));
  auto redirected = world.get("http://localhost:" + port_of(first) + "/");
  CHECK_FALSE(redirected.ok);
  CHECK_THAT(redirected.output, Catch::Contains("not followed: `127.0.0.1` is not among the hosts"));
  CHECK(other.connections == 0);
}

TEST_CASE("http tools: a name that does not resolve holds up nobody, not even the cancel of its own call") {
  victim inner;
  http_tool_world world(inner.server);
  auto t = world.make();
  auto stuck = std::make_shared<heard_call>();
  auto running = t->start(world.context, t->check(R"({"url":"http://slow.test/"})").value(), stuck);
  {
    std::unique_lock lock(names.mutex);
    REQUIRE(names.changed.wait_for(lock, patience, [] { return names.is_asked; }));
  }
  CHECK(world.get(inner.at("127.0.0.1")).ok);
  running.reset();
  world.settle();  // the cancel has been carried out, while the resolver is still asked
  CHECK(world.get(inner.at("127.0.0.1")).ok);
  CHECK(stuck->times() == 0);
  std::lock_guard lock(names.mutex);
  names.is_free = true;
  names.changed.notify_all();
}
