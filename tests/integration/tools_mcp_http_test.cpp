// Streamable HTTP against a peer that writes exactly the bytes a test wants: what proxies, restarts and broken streams do.
#include "tests/support/mcp_world.hpp"
#include "tests/support/raw_http_server.hpp"

#include <boost/json.hpp>

#include <algorithm>

using namespace troupe;
using namespace troupe::testing;
using Catch::Contains;
namespace json = boost::json;

namespace {

struct request {
  std::string method;
  std::string head;
  json::object body;

  [[nodiscard]] std::string header(std::string name) const {
    auto lower = [](std::string s) {
      std::transform(s.begin(), s.end(), s.begin(),
                     [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
      return s;
    };
    auto at = lower(head).find("\r\n" + lower(std::move(name)) + ": ");
    if (at == std::string::npos) return {};
    auto begin = head.find(": ", at) + 2;
    return head.substr(begin, head.find("\r\n", begin) - begin);
  }
  [[nodiscard]] std::string rpc() const {
    const auto* m = body.if_contains("method");
    return m == nullptr ? "" : json::value_to<std::string>(*m);
  }
  [[nodiscard]] std::string id() const { return json::serialize(body.at("id")); }
};

std::string http(int status, const std::string& type, const std::string& body, const std::string& more = "") {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\n" + (type.empty() ? "" : "Content-Type: " + type + "\r\n") + more +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}
std::string json_answer(const request& r, const std::string& result, const std::string& more = "") {
  return http(200, "application/json", R"({"jsonrpc":"2.0","id":)" + r.id() + R"(,"result":)" + result + "}", more);
}
std::string error_answer(int status, const request& r, const std::string& error) {
  return http(status, "application/json", R"({"jsonrpc":"2.0","id":)" + r.id() + R"(,"error":)" + error + "}");
}
std::string stream_head() { return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"; }
std::string event(const std::string& data, const std::string& id = "") {
  return (id.empty() ? "" : "id: " + id + "\n") + "data: " + data + "\n\n";
}
std::string said(const std::string& id, const std::string& text) {
  return R"({"jsonrpc":"2.0","id":)" + id + R"(,"result":{"content":[{"type":"text","text":")" + text + "\"}]}}";
}
const std::string tool_list =
    R"({"tools":[{"name":"read","inputSchema":{"type":"object"},"annotations":{"readOnlyHint":true}},{"name":"act","inputSchema":{"type":"object"}}]})";

struct http_world : mcp_world {
  using serve_function = std::function<bool(raw_connection&, const request&)>;

  /// A legacy server with sessions; `own` answers first what it wants to. False from it: the standard answer.
  void serve(serve_function own) {
    server = std::make_unique<raw_http_server>([this, own](raw_connection& c) {
      while (true) {
        auto bytes = c.read_request();
        if (bytes.empty()) return;
        request r;
        r.head = bytes.substr(0, bytes.find("\r\n\r\n") + 2);
        r.method = bytes.substr(0, bytes.find(' '));
        if (auto body = bytes.substr(bytes.find("\r\n\r\n") + 4); !body.empty()) r.body = json::parse(body).as_object();
        {
          std::lock_guard lock(events.mutex);
          seen.push_back(r);
          events.rung.notify_all();
        }
        if (!own(c, r) && !standard(c, r)) return;
      }
    });
  }
  bool standard(raw_connection& c, const request& r) {
    if (r.method == "GET") return c.send(http(405, "", ""));
    if (r.method == "DELETE") return c.send(http(200, "", ""));
    if (r.rpc() == "server/discover") return c.send(http(400, "text/plain", "what?"));
    if (r.rpc() == "initialize")
      return c.send(json_answer(r, R"({"protocolVersion":"2025-06-18","capabilities":{"tools":{}}})",
                                "Mcp-Session-Id: s" + std::to_string(++sessions) + "\r\n"));
    if (r.rpc() == "tools/list") return c.send(json_answer(r, tool_list));
    if (r.rpc() == "tools/call") return c.send(http(200, "application/json", said(r.id(), "fine")));
    return c.send(http(202, "", ""));
  }
  std::shared_ptr<tools::mcp_source> begin() {
    auto with = config({});
    with.url = server->base_url();
    with.headers["Authorization"] = "Bearer secret";
    return ready(with);
  }
  std::vector<request> all(const std::string& rpc) {
    std::lock_guard lock(events.mutex);
    std::vector<request> out;
    for (const auto& r : seen)
      if (r.rpc() == rpc || r.method == rpc) out.push_back(r);
    return out;
  }
  bool wait_seen(const std::string& rpc, std::size_t count) {
    return events.wait([&] {
      std::size_t n = 0;
      for (const auto& r : seen) n += r.rpc() == rpc || r.method == rpc ? 1U : 0U;
      return n >= count;
    });
  }

  std::vector<request> seen;
  std::atomic<int> sessions{0};
  std::unique_ptr<raw_http_server> server;  ///< last: its threads use the others
};

const http_world::serve_function standard_only = [](raw_connection&, const request&) { return false; };

}  // namespace

TEST_CASE_METHOD(http_world, "mcp over http: a legacy server gets its session, its version and our headers") {
  serve(standard_only);
  auto source = begin();
  CHECK(source->status() == "ready");
  CHECK(result(*source, "act").output == "fine");
  auto calls = all("tools/call");
  REQUIRE(calls.size() == 1);
  CHECK(calls[0].header("Mcp-Session-Id") == "s1");
  CHECK(calls[0].header("MCP-Protocol-Version") == "2025-06-18");
  CHECK(calls[0].header("Mcp-Method").empty());
  CHECK(calls[0].header("Authorization") == "Bearer secret");
  CHECK(calls[0].header("Accept") == "application/json, text/event-stream");
  auto probe = all("server/discover");
  REQUIRE(probe.size() == 1);
  CHECK(probe[0].header("MCP-Protocol-Version") == "2026-07-28");
  CHECK(probe[0].header("Mcp-Method") == "server/discover");
  CHECK(all("initialize").at(0).header("MCP-Protocol-Version").empty());
  CHECK(wait_seen("GET", 1));
  CHECK(stop(source));
  CHECK(all("DELETE").at(0).header("Mcp-Session-Id") == "s1");
}

TEST_CASE_METHOD(http_world, "mcp over http: a stream that breaks goes on where it was, with Last-Event-ID") {
  serve([](raw_connection& c, const request& r) {
    static std::string id;
    if (r.rpc() == "tools/call") {
      id = r.id();
      auto progress =
          R"({"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":)" + id + R"(,"progress":)";
      c.send(stream_head() + "retry: 1\n" + event("", "e0") + event(progress + "1}}", "e1") + "id: e2\ndata: {\"jsonr");
      c.shut_down();
      return true;
    }
    if (r.method != "GET" || r.header("Last-Event-ID").empty()) return false;
    c.send(stream_head() + (r.header("Last-Event-ID") == "e1" ? event(said(id, "the rest"), "e3") : ""));
    c.shut_down();
    return true;
  });
  auto source = begin();
  auto acting = call(*source, "act");
  CHECK(acting.wait().output == "the rest");
  CHECK(acting.heard->reports == std::vector<std::string>{"1"});
  CHECK(all("tools/call").size() == 1);
}

TEST_CASE_METHOD(http_world, "mcp over http: an answer that breaks is lost, and nobody makes the call again") {
  int way = GENERATE(0, 1, 2, 3, 4);
  serve([way](raw_connection& c, const request& r) {
    if (r.method == "GET" && !r.header("Last-Event-ID").empty()) return c.send(http(404, "text/plain", "gone"));
    if (r.rpc() != "tools/call") return false;
    if (way == 0) c.send(stream_head() + "data: {\"jsonr");
    if (way == 1) c.send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"jsonrpc\"");
    if (way == 2) c.reset();
    if (way == 3) c.send(http(502, "text/html", "<h1>Bad gateway</h1>"));
    if (way == 4) c.send(stream_head() + "retry: 1\n" + event("", "e1"));
    c.shut_down();
    return true;
  });
  auto source = begin();
  auto lost = result(*source, "act");
  CHECK_FALSE(lost.ok);
  CHECK_THAT(lost.output, Contains("did not finish the call") && Contains("Whether it had its effect is unknown"));
  CHECK_THAT(result(*source, "read").output, Contains("It may be called again"));
  CHECK(all("tools/call").size() == 2);
}

TEST_CASE_METHOD(http_world, "mcp over http: a forgotten session is begun anew and the call made once") {
  serve([this](raw_connection& c, const request& r) {
    bool is_old = r.header("Mcp-Session-Id") == "s1" && sessions.load() == 1 && r.rpc() == "tools/call";
    return is_old &&
           c.send(http(404, "application/json", R"({"jsonrpc":"2.0","error":{"code":-32001,"message":"Session not found"}})"));
  });
  auto source = begin();
  CHECK(result(*source, "act").output == "fine");
  auto calls = all("tools/call");
  REQUIRE(calls.size() == 2);
  CHECK(calls[0].header("Mcp-Session-Id") == "s1");
  CHECK(calls[1].header("Mcp-Session-Id") == "s2");
  CHECK(calls[0].id() != calls[1].id());
  CHECK(all("initialize").size() == 2);
  CHECK(result(*source, "act").output == "fine");
}

TEST_CASE_METHOD(http_world,
                 "mcp over http: a session that ends while the server's stream is open is begun anew, no stream is no end") {
  bool has_stream = GENERATE(true, false);
  serve([this, has_stream](raw_connection& c, const request& r) {
    if (r.method != "GET") return false;
    if (!has_stream || r.header("Mcp-Session-Id") != "s" + std::to_string(sessions)) return c.send(http(404, "", ""));
    if (sessions == 2) return c.send(http(405, "", ""));
    bool is_first = r.header("Last-Event-ID").empty();
    if (!is_first) return c.send(http(404, "", ""));
    c.send(stream_head() + "retry: 1\n" + event("", "e1"));
    c.shut_down();
    return true;
  });
  auto source = begin();
  CHECK(wait_seen("GET", has_stream ? 3 : 1));
  CHECK(result(*source, "act").output == "fine");
  CHECK(all("initialize").size() == (has_stream ? 2 : 1));
  CHECK(source->status() == "ready");
}

TEST_CASE_METHOD(http_world, "mcp over http: a server that forgets every session is not asked forever") {
  serve([](raw_connection& c, const request& r) { return r.rpc() == "tools/call" && c.send(http(404, "", "")); });
  auto source = begin();
  CHECK_THAT(result(*source, "act").output, Contains("did not carry out the call: the server has forgotten the session"));
  CHECK(all("tools/call").size() == 3);
}

TEST_CASE_METHOD(http_world, "mcp over http: refusals say what the server says") {
  std::string answer;
  std::string expected;
  std::tie(answer, expected) = GENERATE(table<std::string, std::string>({
      {http(401, "text/plain", "who are you?"), "did not carry out the call: it answered with HTTP status 401: `who are you?`"},
      {http(307, "", "", "Location: https://elsewhere.example/mcp\r\n"), "a redirect to `https://elsewhere.example/mcp`"},
      {http(400, "application/json", R"({"jsonrpc":"2.0","id":"server-error","error":{"code":-32600,"message":"no"}})"),
       "no (error -32600)"},
      {http(200, "text/html", "<html>Welcome</html>"), "not JSON"},
      {http(200, "application/json", ""), "its answer ended without a result"},
      {http(202, "", ""), "its answer ended without a result"},
  }));
  serve([answer](raw_connection& c, const request& r) { return r.rpc() == "tools/call" && c.send(answer); });
  auto source = begin();
  CHECK_THAT(result(*source, "act").output, Contains(expected));
}

TEST_CASE_METHOD(http_world, "mcp over http: an answer without end is cut off") {
  bool is_stream = GENERATE(true, false);
  serve([is_stream](raw_connection& c, const request& r) {
    if (r.rpc() != "tools/call") return false;
    c.send(is_stream ? stream_head() + "data: " : "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n\"");
    const std::string piece(1 << 16, 'x');
    while (c.send(piece)) {
    }
    return true;
  });
  auto source = begin();
  CHECK_THAT(result(*source, "act").output, Contains("of more than 8388608 bytes"));
}

TEST_CASE_METHOD(http_world, "mcp over http: giving a call up closes its stream, and says so to legacy servers") {
  serve([](raw_connection& c, const request& r) {
    if (r.rpc() != "tools/call") return false;
    c.send(stream_head() + ": waiting\n\n");
    c.wait_closed();
    return true;
  });
  auto source = begin();
  auto hung = call(*source, "act");
  REQUIRE(wait_seen("tools/call", 1));
  hung.running.reset();
  REQUIRE(wait_seen("notifications/cancelled", 1));
  CHECK(json::serialize(all("notifications/cancelled")[0].body.at("params").at("requestId")) == all("tools/call")[0].id());
}

TEST_CASE_METHOD(http_world, "mcp over http: the era shows in the answer to the probe") {
  SECTION("a modern server that speaks other versions") {
    serve([](raw_connection& c, const request& r) {
      return r.rpc() == "server/discover" &&
             c.send(error_answer(400, r, R"({"code":-32022,"message":"version","data":{"supported":["2027-01-01"]}})"));
    });
    auto source = begin();
    CHECK_THAT(source->status(), Contains("down: it speaks MCP `2027-01-01`"));
    CHECK(all("initialize").empty());
  }
  SECTION("a modern server that also speaks a legacy version") {
    serve([](raw_connection& c, const request& r) {
      return r.rpc() == "server/discover" &&
             c.send(error_answer(400, r, R"({"code":-32022,"message":"v","data":{"supported":["2027-01-01","2025-06-18"]}})"));
    });
    CHECK(begin()->status() == "ready");
  }
  SECTION("a proxy between us that changes headers") {
    serve([](raw_connection& c, const request& r) {
      return r.rpc() == "server/discover" &&
             c.send(error_answer(400, r, R"({"code":-32020,"message":"Mcp-Method is missing"})"));
    });
    CHECK_THAT(begin()->status(), Contains("down: it refused server/discover: Mcp-Method is missing"));
  }
  SECTION("silence") {
    options.probe_limit = 50ms;
    serve([](raw_connection& c, const request& r) {
      if (r.rpc() != "server/discover") return false;
      c.wait_closed();
      return true;
    });
    CHECK(begin()->status() == "ready");
  }
  SECTION("modern") {
    serve([](raw_connection& c, const request& r) {
      if (r.rpc() == "server/discover")
        return c.send(
            json_answer(r, R"({"supportedVersions":["2026-07-28"],"capabilities":{"tools":{}},"resultType":"complete"})"));
      return r.rpc() == "tools/call" && c.send(error_answer(400, r, R"({"code":-32020,"message":"Mcp-Param-X is missing"})"));
    });
    auto source = begin();
    CHECK_THAT(result(*source, "act").output, Contains("Mcp-Param-X is missing") && Contains("listed anew"));
    CHECK(wait_seen("tools/list", 2));
    auto made = all("tools/call").at(0);
    CHECK(made.header("Mcp-Name") == "act");
    CHECK(made.header("Mcp-Method") == "tools/call");
    CHECK(made.header("MCP-Protocol-Version") == "2026-07-28");
    CHECK(made.body.at("params").at("_meta").at("io.modelcontextprotocol/protocolVersion") == "2026-07-28");
    CHECK(made.header("Mcp-Session-Id").empty());
    CHECK(all("GET").empty());
    CHECK(stop(source));
    CHECK(all("DELETE").empty());
  }
}

TEST_CASE_METHOD(http_world,
                 "mcp over http: the stream of a legacy server tells of new tools, and is opened again where it ended") {
  std::atomic<bool> has_more{false};
  serve([&](raw_connection& c, const request& r) {
    if (r.rpc() == "tools/list" && has_more)
      return c.send(json_answer(r, R"({"tools":[{"name":"new","inputSchema":{"type":"object"}}]})"));
    if (r.method != "GET") return false;
    if (r.header("Last-Event-ID").empty()) {
      c.send(stream_head() + "retry: 1\n" + event(R"({"jsonrpc":"2.0","method":"notifications/message","params":{}})", "n1"));
      c.shut_down();
      return true;
    }
    has_more = true;
    c.send(stream_head() + event(R"({"jsonrpc":"2.0","method":"notifications/tools/list_changed"})", "n2"));
    c.wait_closed();
    return true;
  });
  auto source = begin();
  CHECK(events.wait([&] { return find(*source, "new") != nullptr; }));
  CHECK_FALSE(find(*source, "act"));
  CHECK(all("GET").at(1).header("Last-Event-ID") == "n1");
  CHECK(all("GET").at(1).header("Mcp-Session-Id") == "s1");
  CHECK(stop(source));
}
