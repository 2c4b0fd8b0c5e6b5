#include "app/tool_setup.hpp"
#include "tests/support/configuration_text.hpp"

#include <boost/asio/io_context.hpp>

#include <set>

using namespace troupe;
using namespace troupe::testing;

namespace {

/// The thread of the tools, which never runs here: making tools must not wait for it.
struct tool_thread {
  boost::asio::io_context io{1};
  providers::curl_loop loop{io};
  tools::process_host host{&io, {"/bin/false"}, false};

  core::result<tools::toolbox> make(std::string_view tool_entries) {
    auto config = parse(with("/tools", tool_entries));
    REQUIRE(config.has_value());
    return app::make_toolbox(*config, host, &loop);
  }
};

std::set<std::string> names_of(const tools::toolbox& box) {
  std::set<std::string> out;
  for (const auto& t : box.all()) out.insert(t->spec().name);
  return out;
}

const std::set<std::string> always_there{"calculator", "clock",       "delete_file", "edit_file", "grep_file",
                                         "list_files", "read_output", "read_file",   "write_file"};

}  // namespace

TEST_CASE("tool setup: without a thread of the tools there are those that need none", "[app]") {
  auto box = app::make_toolbox({}, {}, nullptr);
  REQUIRE(box.has_value());
  CHECK(names_of(*box) == always_there);
  CHECK(box->find("read_output")->spec().mode == tools::tool_mode::actors);
}

TEST_CASE("tool setup: http_request is there without being configured", "[app]") {
  tool_thread t;
  auto box = t.make("{}");
  REQUIRE(box.has_value());
  auto expected = always_there;
  expected.insert("http_request");
  CHECK(names_of(*box) == expected);
  auto request = box->find("http_request");
  CHECK(request->spec().mode == tools::tool_mode::streaming);
  CHECK(request->check(R"({"method":"PUT","url":"https://example.org/"})").has_value());
}

TEST_CASE("tool setup: every kind of the configuration becomes a tool", "[app]") {
  tool_thread t;
  auto box = t.make(R"({
    "shell": {"kind": "command", "programs": ["ls"], "risk": "low", "time_limit_ms": 5},
    "convert": {"kind": "program", "command": ["units"], "description": "d", "effect": "read_only"},
    "weather": {"kind": "http", "description": "d", "url": "https://h.example/{city}", "approval": "always",
                "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}},
    "http_request": {"kind": "http_request", "methods": ["GET"]},
    "files": {"kind": "mcp", "command": ["no-such-server"]},
    "tickets": {"kind": "mcp", "url": "http://127.0.0.1:1/mcp"}})");
  INFO((box ? std::string() : box.error().text));
  REQUIRE(box.has_value());
  auto expected = always_there;
  expected.insert({"http_request", "shell", "convert", "weather"});
  CHECK(names_of(*box) == expected);  // those of the servers are not known yet
  REQUIRE(box->sources().size() == 2);
  CHECK(box->sources()[0]->name() == "files");
  CHECK(box->sources()[1]->name() == "tickets");
  CHECK(box->find("shell")->spec().risk == "low");
  CHECK(box->find("shell")->spec().time_limit.count() == 5);
  CHECK(box->find("convert")->spec().effect == core::effect::read_only);
  CHECK(box->find("weather")->spec().approval == core::approval_policy::always);
  CHECK(box->find("weather")->check(R"({"city":"Lima"})").has_value());
  CHECK(box->find("weather")->check("{}").has_error());
  CHECK(box->find("http_request")->check(R"({"method":"PUT","url":"https://example.org/"})").has_error());
}

TEST_CASE("tool setup: what a tool cannot be made of names the tool", "[app]") {
  tool_thread t;
  auto box = t.make(R"({"weather": {"kind": "http", "description": "d", "url": "https://h.example/{city}"}})");
  REQUIRE(box.has_error());
  CHECK(box.error().code == core::errc::configuration_error);
  CHECK(has(box.error().text, "tool `weather`: url: {city}"));
  core::config config;
  config.tools["odd"].name = "odd";
  config.tools["odd"].kind = "telepathy";
  auto odd = app::make_toolbox(config, t.host, &t.loop);
  REQUIRE(odd.has_error());
  CHECK(has(odd.error().text, "tool `odd`: there is no kind `telepathy`"));
}
