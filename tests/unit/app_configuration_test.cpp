#include "app/configuration.hpp"
#include "app/json_fields.hpp"
#include "tests/support/configuration_text.hpp"

#include <array>
#include <fstream>
#include <set>

#include <unistd.h>

using namespace troupe;
using namespace troupe::testing;
namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

std::string example_text() {
  std::ifstream in(fs::path(TROUPE_SOURCE_DIR) / "config" / "troupe.example.json");
  REQUIRE(in);
  return {std::istreambuf_iterator<char>(in), {}};
}

json::value example_value() {
  json::parse_options options;
  options.allow_comments = options.allow_trailing_commas = true;
  return json::parse(example_text(), {}, options);
}

/// Does `pointer` with `*` for any name exist in the value?
bool exists(const json::value& value, std::string_view pointer) {
  if (pointer.empty()) return true;
  if (!value.is_object()) return false;
  auto end = pointer.find('/', 1);
  auto key = pointer.substr(1, end == std::string_view::npos ? end : end - 1);
  auto rest = end == std::string_view::npos ? std::string_view() : pointer.substr(end);
  for (const auto& member : value.get_object())
    if ((key == "*" || member.key() == key) && exists(member.value(), rest)) return true;
  return false;
}

/// Calls `f(pointer, copy without that member)` for every member of every object.
template <class F>
void each_without(json::value& root, json::value& value, const std::string& pointer, F& f) {
  if (!value.is_object()) return;
  std::vector<std::string> keys;
  for (const auto& member : value.get_object()) keys.emplace_back(member.key());
  for (const auto& key : keys) {
    auto& object = value.get_object();
    auto at = pointer + "/" + key;
    each_without(root, object.at(key), at, f);
    auto kept = std::move(object.at(key));
    object.erase(key);
    f(at, root);
    object[key] = std::move(kept);
  }
}

}  // namespace

TEST_CASE("configuration: an empty file keeps the demo and every default", "[app]") {
  auto config = parse("{}");
  REQUIRE(config.has_value());
  CHECK(config->default_project.str() == "demo");
  CHECK(config->find_agent({}, {}) != nullptr);
  CHECK(config->listen == std::vector<std::string>{"127.0.0.1:8080"});
  auto changed = parse(R"({"limits":{"max_frame_bytes":2048}})");
  REQUIRE(changed.has_value());
  CHECK(changed->limits.max_frame_bytes == 2048);
  CHECK(changed->find_agent({}, {}) != nullptr);
}

TEST_CASE("configuration: the example has every option that the parser knows", "[app]") {
  auto example = example_value();
  auto options = app::known_options();
  CHECK(options.size() > 50);
  for (const auto& option : options) {
    INFO(option);
    CHECK(exists(example, option));
  }
}

TEST_CASE("configuration: the example is valid and its values are the defaults", "[app]") {
  auto whole = parse(example_text());
  INFO((whole ? std::string() : whole.error().text));
  REQUIRE(whole.has_value());
  auto expected = app::configuration_to_json(*whole);
  // What the example marks as such: without them it means something else or nothing.
  const std::set<std::string> examples{"/providers",
                                       "/providers/demo",
                                       "/providers/local",
                                       "/providers/demo/kind",
                                       "/providers/local/kind",
                                       "/providers/chat",
                                       "/providers/chat/kind",
                                       "/providers/chat/base_url",
                                       "/prices",
                                       "/prices/local~1qwen3",
                                       "/prices/local/qwen3",
                                       "/prices/local/qwen3/input",
                                       "/prices/local/qwen3/cached_input",
                                       "/prices/local/qwen3/output",
                                       "/projects",
                                       "/projects/demo",
                                       "/projects/demo/agents",
                                       "/projects/demo/agents/writer",
                                       "/projects/demo/agents/writer/provider",
                                       "/projects/demo/agents/writer/model",
                                       "/projects/demo/agents/writer/tools",
                                       "/projects/demo/agents/writer/approval",
                                       "/projects/demo/agents/writer/approval/delete_file",
                                       "/projects/demo/agents/writer/approval/write_file",
                                       "/projects/demo/agents/writer/approval/write_file/policy",
                                       "/projects/demo/agents/writer/approval/write_file/rules",
                                       "/tools",
                                       "/tools/shell",
                                       "/tools/shell/kind",
                                       "/tools/shell/programs",
                                       "/tools/convert",
                                       "/tools/convert/kind",
                                       "/tools/convert/command",
                                       "/tools/convert/description",
                                       "/tools/weather",
                                       "/tools/weather/kind",
                                       "/tools/weather/description",
                                       "/tools/weather/url",
                                       "/tools/http_request",
                                       "/tools/http_request/kind",
                                       "/tools/files",
                                       "/tools/files/kind",
                                       "/tools/files/command",
                                       "/tools/tickets",
                                       "/tools/tickets/kind",
                                       "/tools/tickets/url"};
  auto example = example_value();
  int compared = 0;
  auto compare = [&](const std::string& at, const json::value& without) {
    if (examples.contains(at) || at.starts_with("/tools/weather/parameters")) return;
    INFO(at);
    auto config = parse(json::serialize(without));
    CHECK(config.has_value());
    if (config) CHECK(app::configuration_to_json(*config) == expected);
    ++compared;
  };
  each_without(example, example, "", compare);
  CHECK(compared > 40);
}

TEST_CASE("configuration: every written number, word and list arrives in its field", "[app]") {
  auto config = parse(R"({ // comments and trailing commas are fine
    "listen": ["0.0.0.0:0", "[::1]:9090"], "data": "/d", "storage": {"synchronous": "normal", "readers": 3},
    "default_project": "p",
    "providers": { "s": {"kind": "scripted", "script": {"otherwise": []}},
      "o": {"kind": "openai", "base_url": "http://h/v1/", "api_key_env": "K", "max_concurrent": 5, "max_retries": 0,
            "ca_file": "ca.pem", "proxy": "http://proxy:3128", "breaker": {"failures": 3, "open_ms": 9},
            "timeouts_ms": {"connect": 1, "first_byte": 2, "idle": 3, "total": 4}} },
    "prices": {"o/m": {"input": 2.5, "cached_input": 0.25, "output": 10}, "o/n": {"input": 1, "output": 0.0005},
      "s/scripted": {"input": 0, "output": 0}},
    "projects": { "p": { "name": "P", "default_agent": "a", "agents": {
        "a": { "name": "A", "description": "d", "starters": ["s", "t"], "provider": "o", "model": "m", "instructions": "i", "tools": ["clock", "delete_file"],
               "approval": {"clock": "always", "delete_file": "never"}, "on_busy": "merge", "temperature": 0.5, "alerts": [10, 90],
               "stop": ["END", "\n\nHuman:"], "reasoning_effort": "low", "response_schema": {"type": "object"},
               "fallback": [{"provider": "o", "model": "n"}, {"provider": "s"}], "context": {"tokens": 9000, "policy": "compact"}, "titles": "model",
               "limits": {"max_steps": 2, "max_output_tokens": 3, "max_queue": 4, "budget_usd": 0.25, "approval_timeout_ms": 5,
                          "tool_timeout_ms": 6, "max_output_chars": 700, "max_depth": 8} },
        "b": { "provider": "s" }, "c": { "provider": "o", "model": "n" } } }, "q": { "agents": { "x": {"provider": "s"} } } },
    "auth": {"mode": "none", "insecure_no_auth": true}, "cors": {"origins": ["http://x:1/"]}, "tools": {},
    "io_threads": 2, "workers": 3, "log_level": "debug", })");
  INFO((config ? std::string() : config.error().text));
  REQUIRE(config.has_value());
  CHECK(config->listen == std::vector<std::string>{"0.0.0.0:0", "[::1]:9090"});
  CHECK(config->storage.data == "/d");
  CHECK_FALSE(config->storage.full_sync);
  CHECK(config->storage.readers == 3);
  CHECK(config->insecure_no_auth);
  CHECK(config->cors_origins == std::vector<std::string>{"http://x:1"});
  CHECK(config->io_threads == 2);
  CHECK(config->workers == 3);
  CHECK(config->log_level == "debug");
  const auto& provider = config->providers.at({"o"});
  CHECK(provider.base_url == "http://h/v1");
  CHECK(provider.api_key_env == "K");
  CHECK(provider.timeouts.first_byte.count() == 2);
  CHECK(provider.timeouts.total.count() == 4);
  CHECK(provider.max_retries == 0);
  CHECK(provider.ca_file == "ca.pem");
  CHECK(provider.proxy == "http://proxy:3128");
  CHECK(provider.breaker_failures == 3);
  CHECK(provider.breaker_open.count() == 9);
  CHECK(json::parse(config->providers.at({"s"}).script).as_object().contains("otherwise"));
  const auto& a = *config->find_agent({"p"}, {});
  CHECK(a.id.str() == "a");
  CHECK(a.project.str() == "p");
  CHECK(a.tools == std::vector<std::string>{"clock", "delete_file"});
  CHECK(a.approval.at("clock").policy == core::approval_policy::always);
  CHECK(a.approval.at("delete_file").policy == core::approval_policy::never);
  CHECK(a.on_busy == core::busy_policy::merge);
  CHECK(a.temperature == 0.5);
  CHECK(a.stop == std::vector<std::string>{"END", "\n\nHuman:"});
  CHECK(a.reasoning_effort == "low");
  CHECK(a.response_schema == R"({"type":"object"})");
  CHECK(a.titles == core::title_source::model);
  REQUIRE(a.fallback.size() == 2);
  CHECK(a.fallback[0].model == "n");
  CHECK(a.fallback[0].price == core::token_price{1'000, 1'000, 1});
  CHECK(a.fallback[1].model == "scripted");
  CHECK(a.context_tokens == 9000);
  CHECK(a.context == core::context_policy::compact);
  CHECK(a.alerts == std::vector<std::int32_t>{10, 90});
  CHECK(a.limits.max_queue == 4);
  CHECK(a.limits.max_output_chars == 700);
  CHECK(a.limits.max_depth == 8);
  CHECK(a.limits.budget == core::micro_usd{250'000});
  CHECK(a.limits.approval_timeout.count() == 5);
  CHECK(a.price == core::token_price{2'500, 250, 10'000});
  CHECK(config->find_agent({"p"}, {"c"})->price == core::token_price{1'000, 1'000, 1});
  CHECK(config->find_agent({"p"}, {"b"})->model == "scripted");
  CHECK(config->find_agent({"q"}, {})->id.str() == "x");
}

TEST_CASE("configuration: an unknown key names the file, the place and the nearest key", "[app]") {
  CHECK(has(failure(R"({"lisen":"x"})"), R"(t.json: /lisen: unknown key; the nearest known one is "listen")"));
  CHECK(has(failure(with("/projects/demo/agents/writer/modle", "\"x\"")),
            R"(t.json: /projects/demo/agents/writer/modle: unknown key; the nearest known one is "model")"));
  CHECK(has(failure(with("/providers/local/api_key", "\"sk-1\"")), R"(nearest known one is "api_key_env")"));
  CHECK(has(failure(R"({"limits":{"idle_timeout":1}})"), R"("idle_timeout_ms")"));
  CHECK(has(failure(R"({"a/b~":1})"), "t.json: /a~1b~0: unknown key"));
  CHECK(failure(R"({")" + std::string(100'000, 'x') + R"(":1})").size() < 1'000);
}

TEST_CASE("configuration: a wrong type or range says what was expected", "[app]") {
  CHECK(failure(R"({"io_threads":"2"})") == "t.json: /io_threads: expected a whole number from 1 to 64, got a string");
  CHECK(has(failure(R"({"io_threads":0})"), "from 1 to 64, got 0"));
  CHECK(has(failure(R"({"io_threads":1.5})"), "expected a whole number"));
  CHECK(has(failure(R"({"limits":[]})"), "/limits: expected an object, got a list"));
  CHECK(has(failure("[]"), "at the top: expected an object"));
  CHECK(has(failure(R"({"limits":{"max_frame_bytes":99999999999}})"),
            "/limits/max_frame_bytes: expected a whole number from 1024"));
  CHECK(has(failure(R"({"log_level":"information"})"), R"(the nearest is "info")"));
  CHECK(has(failure(R"({"auth":{"insecure_no_auth":1}})"), "expected true or false"));
  CHECK(has(failure(R"({"limits":{"outbound_high_water_bytes":2000,"outbound_limit_bytes":1999}})"),
            "/limits/outbound_limit_bytes"));
  for (const char* address : {"8080", "host", ":80", "h:65536", "h:-1", "::1:80", "h:", "h:8o"})
    CHECK(has(failure(R"({"listen":")" + std::string(address) + "\"}"), "/listen: expected HOST:PORT"));
  CHECK(has(failure(R"({"listen":["127.0.0.1:1","x"]})"), "/listen/1: expected HOST:PORT"));
  CHECK(has(failure(R"({"listen":[]})"), "at least one"));
  CHECK(has(failure(R"({"cors":{"origins":["*"]}})"), "/cors/origins/0: expected an origin"));
  CHECK(has(failure(with("/projects/demo/agents/writer/temperature", "3")), "expected a number from 0 to 2"));
  CHECK(has(failure(with("/projects/demo/agents/writer/alerts", "[80,50]")), "/alerts/1: percentages must grow"));
  CHECK(has(failure(with("/projects/demo/agents/writer/on_busy", "\"queu\"")), R"(the nearest is "queue")"));
  CHECK(has(failure(with("/projects/demo/agents/a b", "{}")), "1 to 64 letters"));
  CHECK(has(failure(with("/providers/local/base_url", "\"localhost\"")), "begins with http"));
  CHECK(has(failure(with("/prices", R"({"qwen":{"input":1,"output":1}})")), "provider/model"));
  CHECK(has(failure(with("/prices", R"({"local/m":{"input":1}})")), "needs \"input\" and \"output\""));
  CHECK(has(failure(with("/prices", R"({"local/m":{"input":-1,"output":1}})")), "expected a number from 0"));
}

TEST_CASE("configuration: a key in the place of its variable's name is refused and not repeated", "[app]") {
  auto text = failure(with("/providers/local/api_key_env", "\"sk-proj-secret\""));
  CHECK(has(text, "/providers/local/api_key_env"));
  CHECK(text.find("secret") == std::string::npos);
}

TEST_CASE("configuration: a reference to nothing names what there is", "[app]") {
  auto agent = [](std::string_view key, std::string_view value) {
    return failure(with("/projects/demo/agents/writer/" + std::string(key), value));
  };
  CHECK(has(agent("provider", "\"lokal\""),
            R"(/projects/demo/agents/writer/provider: there is no provider "lokal" in "providers" (there: local))"));
  CHECK(has(agent("provider", "null"), "is missing; name one of"));
  CHECK(has(agent("model", "null"), "/model: is missing"));
  CHECK(has(agent("tools", R"(["clock","calculater"])"),
            R"(/tools/1: there is no tool "calculater"; the nearest is "calculator")"));
  CHECK(has(agent("tools", R"(["clock","clock"])"), "listed twice"));
  CHECK(has(agent("approval", R"({"clock":"always"})"), R"(the agent has no tool "clock")"));
  CHECK(has(agent("approval", R"({"clock":"maybe"})"), "expected one of never, always, by_effect"));
  CHECK(has(agent("limits", R"({"budget_usd":1})"), R"(add "local/m" to "prices")"));
  CHECK(has(failure(with("/projects/demo/default_agent", "\"x\"")),
            R"(/projects/demo/default_agent: there is no agent "x" (there: writer))"));
  CHECK(has(failure(with("/default_project", "\"x\"")), R"(/default_project: there is no project "x" (there: demo))"));
  CHECK(has(failure(with("/prices", R"({"x/m":{"input":1,"output":1}})")), "names no provider"));
  CHECK(has(failure(with("/projects/demo/agents/second", R"({"provider":"local","model":"m"})")), "default_agent: is missing"));
  CHECK(has(failure(R"({"providers":{"a":{"kind":"scripted"}}})"), "/projects: needs at least one"));
  CHECK(has(failure(R"({"projects":{"p":{}}})"), "/projects/p/agents: needs at least one"));
}

TEST_CASE("configuration: what later builds bring is refused, not ignored", "[app]") {
  for (const auto& text : {std::string(R"({"tls":{}})"), std::string(R"({"auth":{"jwt":{"algorithms":["RS256"]}}})")})
    CHECK(has(failure(text), "not supported by this build yet"));
}

TEST_CASE("configuration: text that is not JSON names line and column", "[app]") {
  CHECK(has(failure("{\n  \"listen\": x }"), "t.json: line 2, column 13: is not JSON"));
  CHECK(has(failure("{} {}"), "line 1, column 4"));
  CHECK(has(failure(""), "line 1, column 1"));
  CHECK(has(failure(std::string(10'000, '[')), "is not JSON"));
}

TEST_CASE("configuration: files and scripts beside them are read", "[app]") {
  std::string folder = (fs::temp_directory_path() / "troupe-config-XXXXXX").string();
  REQUIRE(::mkdtemp(folder.data()) != nullptr);
  auto file = fs::path(folder) / "troupe.json";
  auto put = [](const fs::path& to, std::string_view text) { std::ofstream(to) << text; };
  put(file,
      R"({"providers":{"s":{"kind":"scripted","script_file":"rules.json"}},"projects":{"p":{"agents":{"a":{"provider":"s"}}}}})");
  auto missing = app::load_configuration(file, no_environment);
  REQUIRE(missing.has_error());
  CHECK(has(missing.error().text,
            "/providers/s/script_file: " + (fs::path(folder) / "rules.json").string() + ": cannot be opened"));
  put(fs::path(folder) / "rules.json", R"({"otherwise":[{"text":"hi"}]})");
  auto config = app::load_configuration(file, no_environment);
  REQUIRE(config.has_value());
  CHECK(config->providers.at({"s"}).script == R"({"otherwise":[{"text":"hi"}]})");
  CHECK(has(app::load_configuration(fs::path(folder) / "no.json", no_environment).error().text, "no.json: cannot be opened"));
  CHECK(app::load_configuration(folder, no_environment).has_error());
  fs::remove_all(folder);
}

TEST_CASE("configuration: FRONTEND_URL is the default of the origins", "[app]") {
  app::environment_lookup environment = [](const std::string& name) -> std::optional<std::string> {
    if (name == "FRONTEND_URL") return "http://localhost:3000/, https://app.example";
    return std::nullopt;
  };
  CHECK(app::parse_configuration("{}", "t", environment)->cors_origins ==
        std::vector<std::string>{"http://localhost:3000", "https://app.example"});
  CHECK(app::parse_configuration(base, "t", environment)->cors_origins.size() == 2);
  CHECK(app::parse_configuration(R"({"cors":{"origins":[]}})", "t", environment)->cors_origins.empty());
  CHECK(parse("{}")->cors_origins.empty());
}

TEST_CASE("configuration: an agent's hash follows every setting and nothing else", "[app]") {
  auto plain = writer(parse(base)).hash;
  CHECK(plain != 0);
  CHECK(writer(parse(with("/limits", R"({"max_frame_bytes":4096})"))).hash == plain);
  CHECK(writer(parse(with("/projects/demo/agents/writer/on_busy", "\"queue\""))).hash == plain);
  std::set<std::uint64_t> seen{plain};
  for (auto [key, value] :
       std::initializer_list<std::pair<const char*, const char*>>{{"model", "\"n\""},
                                                                  {"instructions", "\"x\""},
                                                                  {"tools", R"(["clock"])"},
                                                                  {"on_busy", "\"steer\""},
                                                                  {"name", "\"x\""},
                                                                  {"description", "\"x\""},
                                                                  {"starters", R"(["x"])"},
                                                                  {"temperature", "0"},
                                                                  {"alerts", "[50]"},
                                                                  {"inputs", R"(["text","image"])"},
                                                                  {"inputs", R"(["text","file"])"},
                                                                  {"limits", R"({"max_steps":3})"},
                                                                  {"limits", R"({"tool_timeout_ms":3})"},
                                                                  {"limits", R"({"max_output_chars":500})"},
                                                                  {"limits", R"({"max_depth":1})"},
                                                                  {"approval", R"({"*":"always"})"},
                                                                  {"approval", R"({"*":{"policy":"always","deciders":2}})"},
                                                                  {"stop", R"(["x"])"},
                                                                  {"reasoning_effort", "\"low\""},
                                                                  {"response_schema", R"({"type":"object"})"},
                                                                  {"fallback", R"([{"provider":"local","model":"n"}])"},
                                                                  {"context", R"({"tokens":9000})"},
                                                                  {"context", R"({"tokens":9000,"policy":"truncate"})"},
                                                                  {"titles", "\"model\""}})
    CHECK(seen.insert(writer(parse(with("/projects/demo/agents/writer/" + std::string(key), value))).hash).second);
  CHECK(seen.insert(writer(parse(with("/prices", R"({"local/m":{"input":1,"output":1}})"))).hash).second);
  for (const char* budget : {R"({"daily_usd":1})", R"({"monthly_usd":1})", R"({"alerts":[70]})"}) {
    auto priced = json::parse(with("/projects/demo/agents/writer/budget", budget));
    priced.as_object()["prices"] = json::parse(R"({"local/m":{"input":1,"output":1}})");
    CHECK(seen.insert(writer(parse(json::serialize(priced))).hash).second);
  }
}

TEST_CASE("configuration: budgets over sessions need a price, and grow in their alerts", "[app]") {
  auto priced = [](std::string_view pointer, std::string_view budget) {
    auto document = json::parse(with(pointer, budget));
    document.as_object()["prices"] = json::parse(R"({"local/m":{"input":1,"output":1}})");
    return json::serialize(document);
  };
  auto config = parse(priced("/projects/demo/budget", R"({"daily_usd":5,"monthly_usd":0.5,"alerts":[90]})"));
  REQUIRE(config.has_value());
  const auto& project = config->projects.at({"demo"}).spending;
  CHECK(project.daily == core::micro_usd{5'000'000});
  CHECK(project.monthly == core::micro_usd{500'000});
  CHECK(project.alerts == std::vector<std::int32_t>{90});
  auto agent = parse(priced("/projects/demo/agents/writer/budget", R"({"daily_usd":2})"));
  CHECK(writer(agent).spending.daily == core::micro_usd{2'000'000});
  CHECK_FALSE(writer(agent).spending.monthly.has_value());
  CHECK(writer(agent).spending.alerts == std::vector<std::int32_t>{50, 80, 100});
  CHECK(parse(with("/projects/demo/budget", R"({"alerts":[1]})")).has_value());
  CHECK(has(failure(with("/projects/demo/budget", R"({"daily_usd":5})")),
            "/projects/demo/budget: needs a price: add \"local/m\""));
  CHECK(has(failure(with("/projects/demo/agents/writer/budget", R"({"monthly_usd":5})")),
            "/agents/writer/budget: needs a price"));
  CHECK(has(failure(priced("/projects/demo/budget", R"({"daily_usd":-1})")), "/budget/daily_usd: expected a number from 0"));
  CHECK(has(failure(priced("/projects/demo/budget", R"({"alerts":[80,80]})")), "/budget/alerts/1: percentages must grow"));
  CHECK(has(failure(priced("/projects/demo/budget", R"({"weekly_usd":1})")), "known: daily_usd, monthly_usd, alerts"));
}

TEST_CASE("configuration: what a model takes is text, and images and files where it says so", "[app]") {
  auto inputs = [](std::string_view list) { return with("/projects/demo/agents/writer/inputs", list); };
  CHECK_FALSE(writer(parse(base)).takes_images);
  CHECK(writer(parse(inputs(R"(["image","text"])"))).takes_images);
  CHECK_FALSE(writer(parse(inputs(R"(["image","text"])"))).takes_files);
  CHECK(writer(parse(inputs(R"(["text","file"])"))).takes_files);
  CHECK(has(failure(inputs(R"(["image"])")), "/inputs: needs \"text\""));
  CHECK(has(failure(inputs(R"(["text","audio"])")), "/inputs/1: expected one of text, image, file"));
}

TEST_CASE("configuration: limits of sessions and of Socket.IO arrive in their fields", "[app]") {
  auto config = parse(R"({
    "limits": {"max_file_bytes": 1, "max_files": 2, "max_session_bytes": 3, "max_participants": 4, "agent_stream_turns": 5,
               "max_rooms": 6, "permessage_deflate": true, "max_body_bytes": 2048},
    "socketio": {"ping_interval_ms": 300, "ping_timeout_ms": 200, "connect_timeout_ms": 1000, "max_payload": 2000,
                 "recovery": false, "recovery_window_ms": 7}})");
  REQUIRE(config.has_value());
  CHECK(config->sessions.max_file_bytes == 1);
  CHECK(config->sessions.max_files == 2);
  CHECK(config->sessions.max_session_bytes == 3);
  CHECK(config->sessions.max_participants == 4);
  CHECK(config->sessions.agent_stream_turns == 5);
  CHECK(config->sessions.max_rooms == 6);
  CHECK(config->limits.permessage_deflate);
  CHECK(config->limits.max_body_bytes == 2048);
  CHECK(config->socketio.ping_interval.count() == 300);
  CHECK(config->socketio.ping_timeout.count() == 200);
  CHECK(config->socketio.connect_timeout.count() == 1000);
  CHECK(config->socketio.max_payload == 2000);
  CHECK_FALSE(config->socketio.recovery);
  CHECK(config->socketio.recovery_window.count() == 7);
  CHECK(has(failure(R"({"socketio":{"ping_interval":1}})"), R"(nearest known one is "ping_interval_ms")"));
  CHECK(has(failure(R"({"limits":{"agent_stream_turns":0}})"), "expected a whole number from 1"));
}

TEST_CASE("configuration: the nearest word is the one with the fewest edits", "[app]") {
  std::array<std::string_view, 3> words{"listen", "limits", "data"};
  CHECK(app::nearest("lisen", words) == "listen");
  CHECK(app::nearest("limit", words) == "limits");
  CHECK(app::nearest("dta", words) == "data");
  CHECK(app::nearest("x", {}).empty());
}
