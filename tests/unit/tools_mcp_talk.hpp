// A session of the MCP client and a server that is played by the test, message by message. Owned by the test.
#pragma once

#include "tools/mcp/session.hpp"

#include <boost/json.hpp>

#include <catch2/catch.hpp>

#include <string>
#include <vector>

namespace mcp_test {

using namespace troupe;
using namespace troupe::tools;
using namespace troupe::tools::mcp;
using Catch::Contains;
namespace json = boost::json;

using strings = std::vector<std::string>;

/// A session and what it wants, message by message.
struct talk {
  explicit talk(session_options options = {}) : s(named(std::move(options))) {}
  static session_options named(session_options o) {
    o.server = "files";
    return o;
  }

  void settle() {
    auto out = s.take();
    for (auto& m : out.send) sent.push_back(std::move(m));
    for (auto& e : out.calls) events.push_back(std::move(e));
    for (auto id : out.abandon) abandoned.push_back(id);
    for (auto& n : out.notes) notes.push_back(std::move(n));
    if (out.tools) listed.push_back(std::move(*out.tools));
    changes += out.list_changed ? 1 : 0;
    listen_lost += out.listen_lost ? 1 : 0;
  }
  /// The server says this; `ID` is the id of the last request that was sent.
  void hear(std::string text, std::int64_t origin = 0) {
    if (auto at = text.find("ID"); at != std::string::npos) text.replace(at, 2, std::to_string(last_id()));
    auto messages = parse_messages(text);
    REQUIRE(messages.has_value());
    for (auto& m : *messages) s.receive(std::move(m), origin);
    settle();
  }
  void result(const std::string& r) { hear(R"({"jsonrpc":"2.0","id":ID,"result":)" + r + "}"); }
  void error(const std::string& e) { hear(R"({"jsonrpc":"2.0","id":ID,"error":)" + e + "}"); }
  void start() {
    s.start();
    settle();
  }
  [[nodiscard]] std::int64_t last_id() const {
    for (auto it = sent.rbegin(); it != sent.rend(); ++it)
      if (it->request != 0) return it->request;
    return 0;
  }
  [[nodiscard]] json::object last() const { return sent.empty() ? json::object() : json::parse(sent.back().text).as_object(); }
  [[nodiscard]] strings methods() const {
    strings out;
    for (const auto& m : sent) out.push_back(m.method);
    return out;
  }
  void begin(std::uint64_t key, const std::string& owner = "me") {
    call_request r;
    r.key = key;
    r.tool = "do";
    r.arguments = {{"a", 1}};
    r.owner = owner;
    s.begin(std::move(r));
    settle();
  }

  /// Up to `ready`, with one tool.
  talk& modern() {
    start();
    result(R"({"supportedVersions":["2026-07-28"],"capabilities":{"tools":{}}})");
    result(tools);
    REQUIRE(s.phase() == phase::ready);
    return *this;
  }
  talk& legacy() {
    start();
    error(R"({"code":-32601,"message":"no"})");
    result(R"({"protocolVersion":"2025-06-18","capabilities":{"tools":{}}})");
    result(tools);
    REQUIRE(s.phase() == phase::ready);
    return *this;
  }

  static constexpr const char* tools = R"({"tools":[{"name":"do","inputSchema":{"type":"object"}}]})";
  session s;
  std::vector<outgoing> sent;
  std::vector<call_event> events;
  std::vector<std::int64_t> abandoned;
  strings notes;
  std::vector<listing> listed;
  int changes = 0;
  int listen_lost = 0;
};

inline session_options http() {
  session_options o;
  o.is_http = true;
  return o;
}

inline const std::string form =
    R"({"message":"Which color?","requestedSchema":{"type":"object","properties":{"color":{"type":"string"}}}})";

}  // namespace mcp_test
