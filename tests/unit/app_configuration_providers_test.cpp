#include "tests/support/configuration_text.hpp"

using namespace troupe;
using namespace troupe::testing;
namespace json = boost::json;

TEST_CASE("configuration: each kind of provider has its own defaults and its own keys", "[app]") {
  auto provider = [](std::string_view fields) { return with("/providers/other", "{" + std::string(fields) + "}"); };
  auto plain = parse(provider(R"("kind":"anthropic")"));
  REQUIRE(plain.has_value());
  CHECK(plain->providers.at({"other"}).base_url == "https://api.anthropic.com");
  CHECK(plain->providers.at({"other"}).api_key_env == "ANTHROPIC_API_KEY");
  CHECK(plain->providers.at({"local"}).api_key_env.empty());
  auto keyless = parse(provider(R"("kind":"anthropic","base_url":"http://127.0.0.1:1/","api_key_env":"")"));
  REQUIRE(keyless.has_value());
  CHECK(keyless->providers.at({"other"}).base_url == "http://127.0.0.1:1");
  CHECK(keyless->providers.at({"other"}).api_key_env.empty());
  auto beside = app::parse_configuration(with("/providers/local/ca_file", "\"ca.pem\""), "/etc/troupe/t.json", no_environment);
  REQUIRE(beside.has_value());
  CHECK(beside->providers.at({"local"}).ca_file == "/etc/troupe/ca.pem");
  CHECK(has(failure(provider("")), "/providers/other: needs a \"kind\": scripted, recorded, openai, anthropic or websocket"));
  CHECK(has(failure(provider(R"("kind":"antropic")")), R"(the nearest is "anthropic")"));
  for (const char* key : {"base_url", "proxy"})
    CHECK(has(failure(provider(R"("kind":"scripted",")" + std::string(key) + R"(":"http://x")")),
              "a \"scripted\" provider has no"));
  CHECK(has(failure(provider(R"("kind":"scripted","ca_file":"x")")), "a \"scripted\" provider has no"));
  CHECK(has(failure(provider(R"("kind":"anthropic","script":{})")), "only a \"scripted\" provider has a script"));
  CHECK(has(failure(provider(R"("kind":"openai","proxy":"proxy:3128")")), "/proxy: expected the URL of a proxy"));
  auto secret = failure(provider(R"("kind":"openai","proxy":"http://me:secret@proxy:3128")"));
  CHECK(has(secret, "https_proxy"));
  CHECK(secret.find("secret") == std::string::npos);
  CHECK(has(failure(provider(R"("kind":"openai","breaker":{"failures":-1})")), "/breaker/failures: expected a whole number"));
}

TEST_CASE("configuration: a websocket provider names its URL, and what it sends may be a template", "[app]") {
  auto provider = [](std::string_view fields) {
    return with("/providers/other", R"({"kind":"websocket")" + std::string(fields) + "}");
  };
  auto plain = parse(provider(R"(,"base_url":"wss://model.example/chat/")"));
  REQUIRE(plain.has_value());
  CHECK(plain->providers.at({"other"}).base_url == "wss://model.example/chat/");
  CHECK(plain->providers.at({"other"}).api_key_env.empty());
  CHECK(plain->providers.at({"other"}).message.empty());
  auto own = parse(provider(R"(,"base_url":"ws://h:1","message":{"ask":"${content}","n":[1]})"));
  REQUIRE(own.has_value());
  CHECK(json::parse(own->providers.at({"other"}).message) == json::parse(R"({"ask":"${content}","n":[1]})"));
  CHECK(has(failure(provider("")), R"(needs a "base_url", such as wss://)"));
  CHECK(has(failure(provider(R"(,"base_url":"https://h")")), "/base_url: expected a URL that begins with ws:// or wss://"));
  CHECK(has(failure(provider(R"(,"base_url":"ws://h","proxy":"socks5://p:1")")), "takes an http:// proxy only"));
  CHECK(parse(provider(R"(,"base_url":"ws://h","proxy":"http://p:1")")).has_value());
  CHECK(has(failure(provider(R"(,"base_url":"ws://h","message":{"a":"${contnet}"})")), "${contnet}\" is no placeholder"));
  CHECK(has(failure(provider(R"(,"base_url":"ws://h","message":"${content}")")), "expected an object"));
  CHECK(has(failure(with("/providers/other", R"({"kind":"openai","message":{}})")),
            R"(only a "websocket" provider has a message)"));
  CHECK(has(failure(with("/providers/other", R"({"kind":"openai","base_url":"ws://h"})")),
            "/base_url: expected a URL that begins with http:// or https://"));
}

TEST_CASE("configuration: what a model is asked for is checked", "[app]") {
  auto agent = [](std::string_view key, std::string_view value) {
    return failure(with("/projects/demo/agents/writer/" + std::string(key), value));
  };
  CHECK(has(agent("stop", R"(["a"," "])"), "/stop/1: is blank"));
  CHECK(has(agent("starters", R"(["Hi","\n"])"), "/starters/1: is blank"));
  CHECK(has(agent("starters", R"(["1","2","3","4","5","6","7","8","9"])"), "/agents/writer/starters: "));
  CHECK(has(agent("response_schema", R"({"type":"objekt"})"), "/agents/writer/response_schema: "));
  CHECK(has(agent("response_schema", "\"x\""), "expected an object"));
  CHECK(
      has(agent("fallback", R"([{"provider":"lokal","model":"m"}])"), R"(/fallback/0/provider: there is no provider "lokal")"));
  CHECK(has(agent("fallback", R"([{"provider":"local"}])"), "/fallback/0/model: is missing"));
  CHECK(has(agent("fallback", R"([{"provider":"local","modle":"m"}])"), R"(nearest known one is "model")"));
  CHECK(has(agent("context", R"({"policy":"truncate"})"), "/context/tokens: is missing"));
  CHECK(has(agent("context", R"({"policy":"compact","tokens":4096})"),
            "it must be above limits.max_output_tokens, which is 4096"));
  CHECK(has(agent("context", R"({"policy":"forget"})"), "expected one of none, truncate, compact"));
  CHECK(has(agent("titles", "\"mine\""), "expected one of first_words, model, none"));
  auto budgeted = json::parse(with("/projects/demo/agents/writer/limits/budget_usd", "1"));
  budgeted.as_object()["prices"] = json::parse(R"({"local/m":{"input":1,"output":1}})");
  CHECK(parse(json::serialize(budgeted)).has_value());
  budgeted.at_pointer("/projects/demo/agents/writer").as_object()["fallback"] =
      json::parse(R"([{"provider":"local","model":"n"}])");
  CHECK(has(failure(json::serialize(budgeted)), R"(/limits/budget_usd: needs a price: add "local/n")"));
}
