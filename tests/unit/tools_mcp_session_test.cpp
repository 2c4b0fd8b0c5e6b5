// How a session finds out what a server speaks and offers.
#include "tests/unit/tools_mcp_talk.hpp"

using namespace mcp_test;

TEST_CASE("mcp session: each answer to the probe leads where the table says") {
  struct row {
    const char* answer;
    phase next;
    const char* method;
  };
  auto r = GENERATE(
      row{R"("result":{"supportedVersions":["2027-01-01","2026-07-28"],"capabilities":{"tools":{}}})", phase::listing,
          "tools/list"},
      row{R"("result":{"supportedVersions":["2026-07-28"],"capabilities":{}})", phase::ready, "server/discover"},
      row{R"("result":{"supportedVersions":["2025-03-26"]})", phase::initializing, "initialize"},
      row{R"("result":{"supportedVersions":["1"]})", phase::failed, "server/discover"},
      row{R"("result":{"supportedVersions":7})", phase::initializing, "initialize"},
      row{R"("result":{})", phase::initializing, "initialize"},
      row{R"("error":{"code":-32022,"message":"v","data":{"supported":["2025-11-25"]}})", phase::initializing, "initialize"},
      row{R"("error":{"code":-32022,"message":"v","data":{"supported":["1",2]}})", phase::failed, "server/discover"},
      row{R"("error":{"code":-32022,"message":"v"})", phase::failed, "server/discover"},
      row{R"("error":{"code":-32020,"message":"v"})", phase::failed, "server/discover"},
      row{R"("error":{"code":-32021,"message":"v"})", phase::failed, "server/discover"},
      row{R"("error":{"code":-32601,"message":"v"})", phase::initializing, "initialize"},
      row{R"("error":{"code":-32602,"message":"v"})", phase::initializing, "initialize"},
      row{R"("error":{"code":1.5,"message":8})", phase::initializing, "initialize"});
  CAPTURE(r.answer);
  talk t;
  t.start();
  CHECK(t.methods() == strings{"server/discover"});
  t.hear(R"({"jsonrpc":"2.0","id":ID,)" + std::string(r.answer) + "}");
  CHECK(t.s.phase() == r.next);
  CHECK(t.sent.back().method == r.method);
}

TEST_CASE("mcp session: each answer to initialize leads where the table says") {
  struct row {
    const char* answer;
    phase next;
    const char* method;
  };
  auto r = GENERATE(
      row{R"("result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}}})", phase::listing, "tools/list"},
      row{R"("result":{"protocolVersion":"2024-11-05","capabilities":{"tools":{}}})", phase::listing, "tools/list"},
      row{R"("result":{"protocolVersion":"2024-11-05","capabilities":{}})", phase::ready, "notifications/initialized"},
      row{R"("result":{"protocolVersion":"2026-07-28","capabilities":{}})", phase::failed, "initialize"},
      row{R"("result":{"protocolVersion":4})", phase::failed, "initialize"},
      row{R"("error":{"code":-32000,"message":"no"})", phase::failed, "initialize"},
      row{R"("error":{"code":-32022,"message":"v","data":{"supported":["2026-07-28"]}})", phase::probing, "server/discover"});
  CAPTURE(r.answer);
  session_options known;
  known.known = era::legacy;
  talk t(known);
  t.start();
  CHECK(t.methods() == strings{"initialize"});
  t.hear(R"({"jsonrpc":"2.0","id":ID,)" + std::string(r.answer) + "}");
  CHECK(t.s.phase() == r.next);
  CHECK(t.sent.back().method == r.method);
}

TEST_CASE("mcp session: a probe without an answer ends with initialize, and its late answer counts only if that is refused") {
  talk t;
  t.start();
  auto probe = std::to_string(t.last_id());
  t.s.probe_expired();
  t.settle();
  CHECK(t.s.phase() == phase::initializing);
  auto late =
      R"({"jsonrpc":"2.0","id":)" + probe + R"(,"result":{"supportedVersions":["2026-07-28"],"capabilities":{"tools":{}}}})";
  SECTION("it is legacy after all") {
    t.hear(late);
    t.result(R"({"protocolVersion":"2025-06-18","capabilities":{"tools":{}}})");
    CHECK(t.s.era() == era::legacy);
    CHECK(t.s.phase() == phase::listing);
  }
  SECTION("it is modern") {
    t.hear(late);
    t.error(R"({"code":-32601,"message":"no such method"})");
    CHECK(t.s.era() == era::modern);
    CHECK(t.s.phase() == phase::listing);
  }
  SECTION("it is modern, says so, and stays silent then") {
    t.error(R"({"code":-32022,"message":"v","data":{"supported":["2026-07-28"]}})");
    CHECK(t.s.phase() == phase::probing);
    t.s.probe_expired();
    CHECK(t.s.phase() == phase::failed);
  }
}

TEST_CASE("mcp session: modern requests carry version and capabilities, legacy ones do not") {
  talk m;
  m.modern();
  auto meta = m.last().at("params").at("_meta").as_object();
  CHECK(meta.at("io.modelcontextprotocol/protocolVersion") == "2026-07-28");
  CHECK(json::serialize(meta.at("io.modelcontextprotocol/clientCapabilities")) == R"({"elicitation":{"form":{},"url":{}}})");
  CHECK(meta.at("io.modelcontextprotocol/clientInfo").at("name") == "troupe");
  CHECK(m.sent.back().is_modern);
  talk l;
  l.legacy();
  CHECK_FALSE(l.last().at("params").as_object().contains("_meta"));
  CHECK(l.sent.back().version == "2025-06-18");
  CHECK_FALSE(l.sent.back().is_modern);
  CHECK(l.methods() == strings{"server/discover", "initialize", "notifications/initialized", "tools/list"});
  CHECK(json::parse(l.sent[1].text).at("params").at("protocolVersion") == "2025-11-25");
}

TEST_CASE("mcp session: pages are followed, within bounds") {
  talk t;
  t.start();
  t.error(R"({"code":-32601,"message":"no"})");
  t.result(R"({"protocolVersion":"2025-06-18","capabilities":{"tools":{"listChanged":true}}})");
  auto page = [](const std::string& name, const std::string& next) {
    return R"({"tools":[{"name":")" + name + R"(","inputSchema":{"type":"object"}}],"nextCursor":")" + next + "\"}";
  };
  t.result(page("a", "2"));
  CHECK(t.last().at("params").at("cursor") == "2");
  // Announced while the list is being read: read again afterwards.
  t.hear(R"({"jsonrpc":"2.0","method":"notifications/tools/list_changed"})");
  CHECK(t.changes == 0);
  SECTION("to the end") {
    t.result(page("b", ""));
    CHECK(t.s.phase() == phase::ready);
    REQUIRE(t.listed.size() == 1);
    CHECK(t.listed[0].tools.size() == 2);
    CHECK(t.changes == 1);
  }
  SECTION("in a circle") {
    t.result(page("b", "3"));
    t.result(page("c", "2"));
    REQUIRE(t.listed.size() == 1);
    CHECK(t.listed[0].tools.size() == 3);
    CHECK_THAT(t.listed[0].left_out.at(0), Contains("circle"));
  }
  SECTION("for ever") {
    for (int i = 0; t.listed.empty() && i < 5'000; ++i) t.result(page("t" + std::to_string(i), "n" + std::to_string(i)));
    REQUIRE(t.listed.size() == 1);
    CHECK(t.listed[0].tools.size() == max_pages);
  }
  SECTION("refused") {
    t.error(R"({"code":-32603,"message":"broken"})");
    CHECK(t.s.phase() == phase::failed);
    CHECK(t.s.failure() == "it refused tools/list: broken");
  }
}

TEST_CASE("mcp session: a refused list afterwards keeps what is known") {
  talk t;
  t.legacy();
  t.hear(R"({"jsonrpc":"2.0","method":"notifications/tools/list_changed"})");
  CHECK(t.changes == 1);
  t.s.refresh();
  t.s.refresh();
  t.settle();
  t.error(R"({"code":-32603,"message":"broken"})");
  CHECK(t.s.phase() == phase::ready);
  CHECK(t.listed.size() == 1);
  CHECK(t.notes == strings{"refused tools/list: broken"});
}

TEST_CASE("mcp session: a modern server that announces changes is listened to, again when that ends") {
  talk t;
  t.start();
  t.result(R"({"supportedVersions":["2026-07-28"],"capabilities":{"tools":{"listChanged":true}}})");
  t.result(talk::tools);
  REQUIRE(t.sent.back().method == "subscriptions/listen");
  CHECK(t.last().at("params").at("notifications").at("toolsListChanged") == true);
  t.hear(R"({"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":{}})");
  CHECK(t.changes == 1);
  auto id = std::to_string(t.last_id());
  t.hear(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":99}})");
  CHECK(t.listen_lost == 0);
  SECTION("cancelled") { t.hear(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":)" + id + "}}"); }
  SECTION("ended") { t.result("{}"); }
  SECTION("broken") {
    t.s.request_failed(t.last_id(), {request_failure::kind::lost, "broke"});
    t.settle();
  }
  CHECK(t.listen_lost == 1);
  t.s.listen();
  t.s.listen();
  t.settle();
  CHECK(std::to_string(t.last_id()) != id);
  t.error(R"({"code":-32603,"message":"enough"})");
  CHECK(t.listen_lost == 1);
}

TEST_CASE("mcp session: a server that cannot be reached has failed, one that refuses the probe is asked the old way") {
  using kind = request_failure::kind;
  talk t(http());
  t.start();
  SECTION("unreachable") {
    t.s.request_failed(t.last_id(), {kind::unreachable, "nobody there"});
    CHECK(t.s.phase() == phase::failed);
    CHECK(t.s.failure() == "nobody there");
  }
  SECTION("refused") {
    t.s.request_failed(t.last_id(), {kind::refused, "HTTP 404"});
    t.settle();
    CHECK(t.s.phase() == phase::initializing);
    t.s.request_failed(t.last_id(), {kind::refused, "HTTP 401"});
    CHECK(t.s.phase() == phase::failed);
    CHECK(t.s.failure() == "HTTP 401");
  }
}
