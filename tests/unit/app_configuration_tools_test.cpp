#include "tests/support/configuration_text.hpp"

#include <map>

using namespace troupe;
using namespace troupe::testing;
namespace json = boost::json;

namespace {

std::string tools_with(const std::string& name, const std::string& fields) {
  return with("/tools/" + name, "{" + fields + "}");
}

std::string agent_failure(std::string_view key, std::string_view value) {
  return failure(with("/projects/demo/agents/writer/" + std::string(key), value));
}

/// The agent `writer` with these fields, besides agents `other` and `third`, and tools of every kind.
std::string team(const std::string& fields) {
  auto document = json::parse(with("/tools", R"({
    "files": {"kind": "mcp", "command": ["x"]}, "shell": {"kind": "command", "programs": ["ls"]},
    "weather": {"kind": "http", "url": "https://h/x", "description": "d"}})"));
  document.at("projects").at("demo").as_object()["default_agent"] = "writer";
  auto& agents = document.at("projects").at("demo").at("agents").as_object();
  for (const char* id : {"other", "third"}) agents[id] = {{"provider", "local"}, {"model", "m"}};
  auto more = json::parse("{" + fields + "}");
  for (const auto& field : more.as_object()) agents.at("writer").as_object()[field.key()] = field.value();
  return json::serialize(document);
}

}  // namespace

TEST_CASE("configuration: every key of a tool arrives in its field", "[app]") {
  auto config = parse_with({{"TOKEN", "s3cret"}, {"OTHER", "v2"}}, with("/tools", R"({
    "shell": {"kind": "command", "description": "d", "programs": ["git", "/bin/ls"], "environment": {"A": "1", "B": {"env": "OTHER"}},
              "sandbox": false, "network": true, "cpu_limit_ms": 1, "memory_bytes": 2, "processes": 3, "output_bytes": 4,
              "effect": "idempotent", "time_limit_ms": 5, "approval": "by_effect", "risk": "high"},
    "convert": {"kind": "program", "description": "d", "command": ["units", "-t"], "parameters": {"type": "object"}},
    "weather": {"kind": "http", "description": "d", "url": "https://h/{city}", "method": "POST", "body": {"a": ["${b}"]},
                "headers": {"Authorization": {"env": "TOKEN"}, "X-A": "1"}, "ca_file": "ca.pem", "allow_private": true},
    "plain": {"kind": "http", "description": "d", "url": "http://h"},
    "http_request": {"kind": "http_request", "methods": ["GET", "POST"], "hosts": ["*.example.org"], "output_bytes": 9},
    "files": {"kind": "mcp", "command": ["server", "/srv"], "environment": {"K": "v"}, "start_timeout_ms": 7, "approval": "never"},
    "tickets": {"kind": "mcp", "url": "https://h/mcp", "headers": {"X": "y"}, "ca_file": "/abs.pem"}})"));
  INFO((config ? std::string() : config.error().text));
  REQUIRE(config.has_value());
  REQUIRE(config->tools.size() == 7);
  const auto& shell = config->tools.at("shell");
  CHECK(shell.name == "shell");
  CHECK(shell.kind == "command");
  CHECK(shell.description == "d");
  CHECK(shell.programs == std::vector<std::string>{"git", "/bin/ls"});
  CHECK(shell.environment == std::map<std::string, std::string>{{"A", "1"}, {"B", "v2"}});
  CHECK_FALSE(shell.sandbox);
  CHECK(shell.network);
  CHECK(shell.cpu_limit.count() == 1);
  CHECK(shell.memory_bytes == 2);
  CHECK(shell.processes == 3);
  CHECK(shell.output_bytes == 4);
  CHECK(shell.effect == core::effect::idempotent);
  CHECK(shell.time_limit == core::milliseconds{5});
  CHECK(shell.approval == core::approval_policy::by_effect);
  CHECK(shell.risk == "high");
  const auto& convert = config->tools.at("convert");
  CHECK(convert.command == std::vector<std::string>{"units", "-t"});
  CHECK(convert.parameters == R"({"type":"object"})");
  CHECK(convert.sandbox);
  CHECK_FALSE(convert.approval.has_value());
  CHECK_FALSE(convert.time_limit.has_value());
  const auto& weather = config->tools.at("weather");
  CHECK(weather.url == "https://h/{city}");
  CHECK(weather.method == "POST");
  CHECK(json::parse(weather.body) == json::parse(R"({"a": ["${b}"]})"));
  CHECK(weather.headers == std::map<std::string, std::string>{{"Authorization", "s3cret"}, {"X-A", "1"}});
  CHECK(weather.ca_file == "/etc/troupe/ca.pem");
  CHECK(weather.allow_private);
  CHECK(config->tools.at("plain").method == "GET");
  const auto& request = config->tools.at("http_request");
  CHECK(request.methods == std::vector<std::string>{"GET", "POST"});
  CHECK(request.hosts == std::vector<std::string>{"*.example.org"});
  const auto& files = config->tools.at("files");
  CHECK(files.command == std::vector<std::string>{"server", "/srv"});
  CHECK(files.environment.at("K") == "v");
  CHECK(files.start_timeout.count() == 7);
  CHECK(config->tools.at("tickets").url == "https://h/mcp");
  CHECK(config->tools.at("tickets").ca_file == "/abs.pem");
}

TEST_CASE("configuration: tools are shown with the keys of their kind, and no value of a variable or header", "[app]") {
  auto config = parse_with({{"TOKEN", "s3cret"}}, with("/tools", R"({
    "weather": {"kind": "http", "description": "d", "url": "https://h", "headers": {"Authorization": {"env": "TOKEN"}, "X-A": "in the file"}},
    "files": {"kind": "mcp", "command": ["server"], "environment": {"K": "too"}}})"));
  REQUIRE(config.has_value());
  auto shown = app::configuration_to_json(*config).at("tools");
  CHECK(shown.at("weather").at("headers") == json::value({{"Authorization", "***"}, {"X-A", "***"}}));
  CHECK(shown.at("weather").at("method") == "GET");
  CHECK(shown.at("weather").at("output_bytes") == 1 << 20);
  CHECK_FALSE(shown.at("weather").as_object().contains("programs"));
  CHECK(shown.at("files").at("environment") == json::value({{"K", "***"}}));
  CHECK_FALSE(shown.at("files").as_object().contains("sandbox"));
  CHECK(json::serialize(shown).find("s3cret") == std::string::npos);
}

TEST_CASE("configuration: a key of another kind names the keys of this one", "[app]") {
  CHECK(
      failure(tools_with("w", R"("kind":"http","url":"http://h","programs":["ls"])")) ==
      "t.json: /tools/w/programs: a tool of kind \"http\" has no such key; its keys are kind, description, parameters, effect, "
      "time_limit_ms, approval, risk, output_bytes, url, method, headers, body, allow_private, ca_file");
  CHECK(has(failure(tools_with("w", R"("kind":"mcp","command":["x"],"sandbox":true)")),
            "/tools/w/sandbox: a tool of kind \"mcp\""));
  CHECK(
      has(failure(tools_with("w", R"("kind":"command","programs":["ls"],"progams":1)")), R"(nearest known one is "programs")"));
  CHECK(parse(tools_with("w", R"("kind":"mcp","command":["x"],"sandbox":null)")).has_value());
  CHECK(has(failure(tools_with("w", R"("kind":"htp")")),
            R"(/tools/w/kind: expected one of command, program, http, http_request, mcp; the nearest is "http")"));
  CHECK(has(failure(tools_with("w", "")), "/tools/w: needs a \"kind\""));
}

TEST_CASE("configuration: a tool that could not work says what it needs", "[app]") {
  CHECK(has(failure(tools_with("w", R"("kind":"command")")), "needs \"programs\""));
  CHECK(has(failure(tools_with("w", R"("kind":"command","programs":["ls","./x"])")), "/programs/1: expected a plain name"));
  CHECK(has(failure(tools_with("w", R"("kind":"program","description":"d")")), "needs a \"command\""));
  CHECK(has(failure(tools_with("w", R"("kind":"program","command":["tools/x.py"])")), "/command/0: expected a plain name"));
  CHECK(has(failure(tools_with("w", R"("kind":"program","command":["x"])")), "needs a \"description\""));
  CHECK(has(failure(tools_with("w", R"("kind":"program","command":["x"],"description":"d","parameters":{"type":"strng"})")),
            "/tools/w/parameters: the parameter schema must be a JSON object with \"type\": \"object\""));
  CHECK(has(failure(tools_with("w", R"("kind":"program","command":["x"],"parameters":{"type":"object","required":"a"})")),
            "/tools/w/parameters: the parameter schema is not a JSON Schema"));
  CHECK(has(failure(tools_with("w", R"("kind":"http","description":"d")")), "needs a \"url\""));
  CHECK(has(failure(tools_with("w", R"("kind":"http","url":"ftp://h")")), "begins with http:// or https://"));
  auto password = failure(tools_with("w", R"("kind":"http","url":"https://me:hunter2@h/")"));
  CHECK(has(password, "must not hold a name and password"));
  CHECK(password.find("hunter2") == std::string::npos);
  CHECK(has(failure(tools_with("w", R"("kind":"http","url":"http://h","method":"GTE")")), R"(the nearest is "GET")"));
  CHECK(has(failure(tools_with("w", R"("kind":"mcp")")), "needs a \"command\" (a server that we start) or a \"url\""));
  CHECK(has(failure(tools_with("w", R"("kind":"mcp","command":["x"],"url":"http://h")")), "not both"));
  CHECK(has(failure(tools_with("w", R"("kind":"mcp","command":["x"],"headers":{"A":"b"})")), "/headers: goes with \"url\""));
  CHECK(has(failure(tools_with("w", R"("kind":"mcp","url":"http://h","environment":{"A":"b"})")),
            "/environment: goes with \"command\""));
  CHECK(has(failure(tools_with("w", R"("kind":"command","programs":["ls"],"output_bytes":99999999)")), "from 1 to 4194304"));
  CHECK(has(failure(tools_with("w", R"("kind":"command","programs":["ls"],"approval":"sometimes")")),
            "never, always, by_effect"));
  CHECK(has(failure(tools_with("w", R"("kind":"command","programs":["ls"],"risk":"some")")), "low, medium, high"));
  CHECK(has(failure(tools_with("w", R"("kind":"command","programs":["ls"],"effect":"twice")")), "read_only, idempotent, once"));
  CHECK(has(failure(tools_with("http_request", R"("kind":"http_request","hosts":["https://h/"])")),
            "/hosts/0: expected the name of a host"));
}

TEST_CASE("configuration: the name of a tool is its own and fit for providers", "[app]") {
  constexpr auto fields = R"("kind":"command","programs":["ls"])";
  for (const char* name : {"a.b", "a b", "ñ"}) CHECK(has(failure(tools_with(name, fields)), "has 1 to 64 letters, digits"));
  CHECK(has(failure(tools_with(std::string(65, 'a'), fields)), "has 1 to 64 letters, digits"));
  for (const char* name : {"clock", "write_file", "edit_file", "read_output", "delegate", "handoff"})
    CHECK(has(failure(tools_with(name, fields)), "/tools/" + std::string(name) + ": is the name of a built-in tool"));
  CHECK(has(failure(tools_with("http_request", fields)), "goes with that name only"));
  CHECK(has(failure(tools_with("fetch", R"("kind":"http_request")")), "goes with that name only"));
  CHECK(parse(tools_with("a-B_9", fields)).has_value());
}

TEST_CASE("configuration: values of tools that the environment lacks are named", "[app]") {
  auto text =
      tools_with("w", R"("kind":"http","description":"d","url":"http://h","headers":{"Authorization":{"env":"WEATHER_KEY"}})");
  CHECK(failure(text) == "t.json: /tools/w/headers/Authorization/env: the environment variable WEATHER_KEY is not set");
  auto broken = parse_with({{"WEATHER_KEY", "a\r\nX: y"}}, text);
  REQUIRE(broken.has_error());
  CHECK(has(broken.error().text, "holds line ends"));
  auto values = [](const std::string& key, const std::string& object) {
    return failure(tools_with("w", R"("kind":"mcp",)" +
                                       std::string(key == "headers" ? R"("url":"http://h")" : R"("command":["x"])") + ",\"" +
                                       key + "\":" + object));
  };
  CHECK(has(values("environment", R"({"A B":"x"})"), "/environment/A B: is not the name of an environment variable"));
  CHECK(has(values("headers", R"({"A:":"x"})"), "is not the name of a header"));
  auto line = values("headers", R"({"A":"hunter2\r\nB: c"})");
  CHECK(has(line, "/headers/A: holds characters"));
  CHECK(line.find("hunter2") == std::string::npos);
  CHECK(has(values("environment", R"({"A":{"env":"B","x":1}})"), "expected a text, or { \"env\": \"NAME\" }"));
  CHECK(has(values("environment", R"({"A":{"file":"B"}})"), "expected a text, or"));
  CHECK(has(values("environment", R"({"A":5})"), "expected a string"));
  auto secret = values("environment", R"({"A":{"env":"sk-the secret"}})");
  CHECK(has(secret, "/environment/A/env: expected the name"));
  CHECK(secret.find("the secret") == std::string::npos);
}

TEST_CASE("configuration: an agent lists built-in tools, those of the file, MCP servers and tools of theirs", "[app]") {
  auto config = parse(team(R"("tools": ["clock", "http_request", "shell", "weather", "files", "edit_file"])"));
  INFO((config ? std::string() : config.error().text));
  REQUIRE(config.has_value());
  CHECK(writer(config).tools.size() == 6);
  CHECK(parse(team(R"("tools": ["files.read", "files.any.thing"])")).has_value());
  CHECK(has(failure(team(R"("tools": ["fles"])")), R"(/tools/0: there is no tool "fles"; the nearest is "files")"));
  CHECK(has(failure(team(R"("tools": ["shell.x"])")), "there is no MCP server \"shell\""));
  CHECK(has(failure(team(R"("tools": ["files."])")), "there is no tool \"files.\""));
  CHECK(has(failure(team(R"("tools": ["read_output"])")), "every agent has \"read_output\""));
  CHECK(has(failure(team(R"("tools": ["delegate"])")), "comes with \"delegates\""));
  CHECK(has(failure(team(R"("tools": ["handoff"])")), "comes with \"handoffs\""));
}

TEST_CASE("configuration: an approval may be a word or an object with rules", "[app]") {
  auto config = parse(team(R"("tools": ["shell", "files", "write_file"], "delegates": ["other"], "approval": {
    "*": "by_effect", "files": "never", "files.delete": "always", "delegate": {"deciders": 2},
    "shell": {"policy": "always", "risk": "high", "deciders": 2, "not_requester": true, "rules": [
      {"when": [{"argument": "/program", "equals": "ls"}, {"argument": "/arguments/0", "absent": true}], "policy": "never"},
      {"when": [{"argument": "/a~1b", "matches": "^(rm|dd)$"}, {"argument": "", "present": true}], "risk": "medium"},
      {"when": [{"argument": "/n", "less": 5}, {"argument": "/m", "greater": 0.5}, {"argument": "/o", "not_equals": {"x": [1]}}],
       "policy": "by_effect"}]}})"));
  INFO((config ? std::string() : config.error().text));
  REQUIRE(config.has_value());
  const auto& approval = writer(config).approval;
  CHECK(approval.at("*").policy == core::approval_policy::by_effect);
  CHECK(approval.at("files").policy == core::approval_policy::never);
  CHECK_FALSE(approval.at("delegate").policy.has_value());
  CHECK(approval.at("delegate").deciders == 2);
  const auto& shell = approval.at("shell");
  CHECK(shell.policy == core::approval_policy::always);
  CHECK(shell.risk == "high");
  CHECK(shell.deciders == 2);
  CHECK(shell.not_requester);
  REQUIRE(shell.rules.size() == 3);
  using comparison = core::argument_test::comparison;
  CHECK(shell.rules[0].policy == core::approval_policy::never);
  CHECK(shell.rules[0].when == std::vector<core::argument_test>{{"/program", comparison::equals, R"("ls")"},
                                                                {"/arguments/0", comparison::absent, ""}});
  CHECK(shell.rules[1].policy == core::approval_policy::always);
  CHECK(shell.rules[1].risk == "medium");
  CHECK(shell.rules[1].when[0] == core::argument_test{"/a~1b", comparison::matches, "^(rm|dd)$"});
  CHECK(shell.rules[2].when[2].value == R"({"x":[1]})");
  auto shown = app::configuration_to_json(*config).at("projects").at("demo").at("agents").at("writer").at("approval");
  CHECK(shown.at("files") == "never");
  CHECK(shown.at("shell").at("rules").as_array()[0].at("when").as_array()[0] ==
        json::value({{"argument", "/program"}, {"equals", "ls"}}));
  auto again = parse(
      team(R"("tools": ["shell", "files", "write_file"], "delegates": ["other"], "approval": )" + json::serialize(shown)));
  REQUIRE(again.has_value());
  CHECK(writer(again).hash == writer(config).hash);
}

TEST_CASE("configuration: what is wrong with an approval is named at its place", "[app]") {
  auto clock = [](const std::string& approval) {
    return failure(team(R"("tools": ["clock"], "approval": {"clock": )" + approval + "}"));
  };
  auto test = [&](const std::string& members) { return clock(R"({"rules": [{"when": [{)" + members + "}]}]}"); };
  const std::string place = "/projects/demo/agents/writer/approval/clock";
  CHECK(has(clock("5"), place + ": expected one of never, always, by_effect, or an object, got 5"));
  CHECK(has(clock(R"({"policy": "ask"})"), place + "/policy: expected one of"));
  CHECK(has(clock(R"({"deciders": 3})"), "from 1 to 2, got 3"));
  CHECK(has(clock(R"({"rule": []})"), R"(nearest known one is "rules")"));
  CHECK(has(clock(R"({"rules": [{"policy": "never"}]})"), place + "/rules/0: needs \"when\""));
  CHECK(has(clock(R"({"rules": [{"when": []}]})"), "/rules/0/when: needs at least one test"));
  CHECK(has(test(R"("matches": "x")"), "/rules/0/when/0: needs an \"argument\""));
  CHECK(has(test(R"("argument": "/p")"), "/rules/0/when/0: say how to compare"));
  CHECK(has(test(R"("argument": "p", "present": true)"), "/rules/0/when/0: `argument` must be a JSON pointer"));
  CHECK(has(test(R"("argument": "/a~2", "present": true)"), "/when/0/argument: is not a JSON pointer"));
  CHECK(has(test(R"("argument": "/a~", "present": true)"), "is not a JSON pointer"));
  CHECK(has(test(R"x("argument": "/p", "matches": "(")x"), "/rules/0/when/0: the regular expression is broken"));
  CHECK(has(test(R"x("argument": "/p", "matches": "a(?=b)")x"), "the regular expression is broken"));
  CHECK(has(test(R"("argument": "/p", "less": "5")"), "must be a number"));
  CHECK(has(test(R"("argument": "/p", "present": false)"), "must be true"));
  CHECK(has(test(R"("argument": "/p", "equals": 1, "absent": true)"), "one comparison per test"));
  CHECK(has(test(R"("argument": "/p", "contains": 1)"), "unknown member `contains`"));
}

TEST_CASE("configuration: an approval speaks of something that the agent has", "[app]") {
  auto of = [](const std::string& tools, const std::string& entry) {
    return failure(team("\"tools\": " + tools + ", \"approval\": {\"" + entry + "\": \"always\"}"));
  };
  CHECK(of(R"(["files"])", "files.write") == "no error");
  CHECK(of(R"(["files.write"])", "files") == "no error");
  CHECK(of("[]", "*") == "no error");
  CHECK(has(of(R"(["files.write"])", "files.read"), "the agent has no tool \"files.read\""));
  CHECK(has(of(R"(["files"])", "file"), "the agent has no tool \"file\""));
  CHECK(has(of(R"(["clock"])", "delegate"), "the agent has no tool \"delegate\""));
  CHECK(has(of(R"(["clock"])", "clock.x"), "the agent has no tool \"clock.x\""));
}

TEST_CASE("configuration: delegates and handoffs are other agents of the project", "[app]") {
  auto config = parse(team(R"("delegates": ["other", "third"], "handoffs": ["third"])"));
  REQUIRE(config.has_value());
  CHECK(writer(config).delegates == std::vector<core::agent_id>{{"other"}, {"third"}});
  CHECK(writer(config).handoffs == std::vector<core::agent_id>{{"third"}});
  CHECK(writer(config).hash != writer(parse(team(""))).hash);
  CHECK(has(failure(team(R"("delegates": ["writer"])")), "/agents/writer/delegates/0: is the agent itself"));
  CHECK(has(failure(team(R"("handoffs": ["other", "x"])")),
            R"(/handoffs/1: there is no agent "x" in this project (others there: other, third))"));
  CHECK(has(failure(team(R"("handoffs": ["other", "other"])")), "/handoffs/1: \"other\" is listed twice"));
  CHECK(has(agent_failure("delegates", R"(["x"])"), "(others there: none)"));
  CHECK(has(agent_failure("limits", R"({"max_output_chars": 1})"), "from 256"));
  CHECK(has(agent_failure("limits", R"({"max_depth": 11})"), "from 0 to 10"));
}

TEST_CASE("configuration: the webhook of approvals has its secret from the environment", "[app]") {
  auto webhook = [](const std::string& fields) { return with("/approvals/webhook", "{" + fields + "}"); };
  auto config = parse_with({{"HOOK", "s3cret"}}, webhook(R"("url": "https://h/x", "secret_env": "HOOK", "ca_file": "ca.pem")"));
  REQUIRE(config.has_value());
  CHECK(config->webhook.url == "https://h/x");
  CHECK(config->webhook.secret == "s3cret");
  CHECK(config->webhook.ca_file == "/etc/troupe/ca.pem");
  CHECK(json::serialize(app::configuration_to_json(*config)).find("s3cret") == std::string::npos);
  CHECK(
      failure(webhook(R"("url": "https://h/x", "secret_env": "HOOK")")) ==
      "t.json: /approvals/webhook/secret_env: the environment variable HOOK is not set; it holds the secret of the signatures");
  CHECK(has(failure(webhook(R"("url": "https://h/x")")), "/approvals/webhook/secret_env: is missing"));
  CHECK(has(failure(webhook(R"("url": "h/x")")), "/approvals/webhook/url: expected a URL"));
  CHECK(has(failure(webhook(R"("url": "https://u:p@h/x")")), "without name and password"));
  CHECK(has(failure(webhook(R"("secret": "x")")), R"(nearest known one is "secret_env")"));
  CHECK(parse(webhook(R"("secret_env": "HOOK")")).has_value());
  CHECK(parse(R"({"approvals": {"webhook": {"url": ""}}, "tools": {}})").has_value());
}
