#include "actors/agent_tools.hpp"
#include "app/demo.hpp"
#include "providers/script.hpp"
#include "tests/support/configuration_text.hpp"
#include "tools/tool.hpp"

#include <boost/json/parse.hpp>

#include <catch2/catch.hpp>

using namespace troupe;
using testing::has;
using testing::no_environment;

namespace {

core::history_message user_says(std::string text) {
  core::history_message m;
  m.role = core::role::user;
  m.content = std::move(text);
  return m;
}

/// Plays the guide's answer to a history as the scripted provider does, without its pauses.
providers::model_output answer(std::vector<core::history_message> history, std::uint32_t call = 9) {
  static const auto script = providers::parse_script(app::demo_script());
  INFO((script ? std::string() : script.error().text));
  REQUIRE(script.has_value());
  providers::model_request request;
  request.history = std::make_shared<const std::vector<core::history_message>>(std::move(history));
  request.call_number = call;
  providers::script_player player(*script, request);
  providers::model_output out;
  for (int i = 0; i < 10'000 && player.play(out); ++i) {
  }
  REQUIRE(out.end);
  REQUIRE(out.end->error.code == core::errc::ok);
  return out;
}

std::string text_for(const std::string& user) { return answer({user_says(user)}).text.text; }

core::tool_call call_for(const std::string& user) {
  auto out = answer({user_says(user)});
  INFO(user);
  REQUIRE(out.end->calls.size() == 1);
  return out.end->calls.front();
}

std::string text_after(const std::string& user, const std::string& tool, const std::string& result) {
  core::history_message asks;
  asks.role = core::role::assistant;
  asks.calls = {{{"c1"}, tool, "{}"}};
  core::history_message tells;
  tells.role = core::role::tool;
  tells.call = {"c1"};
  tells.content = result;
  auto out = answer({user_says(user), asks, tells});
  CHECK(out.end->calls.empty());
  return out.text.text;
}

}  // namespace

TEST_CASE("demo: greetings explain what to type and say that it is a script", "[app]") {
  for (const char* text : {"hello", "Hi!", "help", "What can you do?", "?"}) {
    auto said = text_for(text);
    CHECK(has(said, "no language model"));
    for (const char* word : {"\"time\"", "calculate 2*21", "write a file", "delete the file", "\"ask the scout\"", "\"long\""})
      CHECK(has(said, word));
  }
  for (const char* text : {"Hola", "ayuda", "¿qué puedes hacer?", "Buenos días"}) {
    auto said = text_for(text);
    CHECK(has(said, "ningún modelo"));
    for (const char* word :
         {"«hora»", "calcula 2*21", "escribe un fichero", "borra el fichero", "«pregunta al explorador»", "«largo»"})
      CHECK(has(said, word));
  }
  CHECK(has(text_for("xyzzy"), "scripted"));
  CHECK(has(text_for("long"), "End of the long text."));
  CHECK(has(text_for("algo largo"), "Fin del texto largo."));
}

TEST_CASE("demo: words in English and Spanish call the tools", "[app]") {
  for (const char* text : {"time", "what time is it?", "what is the date", "hora", "¿Qué hora es?"})
    CHECK(call_for(text).tool == "clock");
  for (const char* text :
       {"calculate 2*21", "Calculate: 2*21", "calcula 2*21", "what is 2*21?", "cuánto es 2*21", "2*21", "2*21 ="}) {
    auto call = call_for(text);
    CHECK(call.tool == "calculator");
    CHECK(call.arguments == R"({"expression":"2*21"})");
  }
  for (const char* text : {"write a file", "please save a note", "escribe un fichero", "crea un archivo"})
    CHECK(call_for(text).tool == "write_file");
  for (const char* text : {"read the file", "show me the note", "lee el fichero"}) CHECK(call_for(text).tool == "read_file");
  for (const char* text : {"list files", "list", "lista los ficheros", "qué archivos hay"})
    CHECK(call_for(text).tool == "list_files");
  for (const char* text : {"delete the file", "remove it", "borra el fichero", "elimina el archivo"})
    CHECK(call_for(text).tool == "delete_file");
}

TEST_CASE("demo: every tool call of the script fits a tool of the guide", "[app]") {
  auto config = app::demo_configuration(no_environment);
  auto guide = config.find_agent({}, {});
  REQUIRE(guide);
  auto box = tools::builtin_tools();
  REQUIRE(box.has_value());
  for (const char* text : {"time", "calculate \"1\" \\ 2", "write a file \"quoted\"\n", "read the file", "list files",
                           "delete the file", "escribe un fichero"}) {
    auto call = call_for(text);
    CHECK(std::count(guide->tools.begin(), guide->tools.end(), call.tool) == 1);
    auto tool = box->find(call.tool);
    REQUIRE(tool);
    CHECK(tool->check(call.arguments).has_value());
  }
  for (const auto& tool : guide->tools) CHECK(box->find(tool) != nullptr);
  CHECK(box->find("delete_file")->spec().approval == core::approval_policy::always);
}

TEST_CASE("demo: the guide delegates to the scout, in both languages", "[app]") {
  auto config = app::demo_configuration(no_environment);
  auto guide = config.find_agent({}, {});
  REQUIRE(guide);
  CHECK(guide->delegates == std::vector<core::agent_id>{{"scout"}});
  auto scout = config.find_agent({}, {"scout"});
  REQUIRE(scout);
  CHECK(providers::parse_script(config.providers.at(scout->provider).script).has_value());
  auto tools = actors::agent_tools(*guide, config, 0);
  REQUIRE(tools.size() == 1);
  for (const char* text : {"ask the scout", "please delegate this", "pregunta al explorador"}) {
    auto call = call_for(text);
    CHECK(call.tool == "delegate");
    CHECK(tools[0]->check(call.arguments).has_value());
  }
  CHECK(has(text_after("ask the scout", "delegate", "It is ten."),
            "The scout, another agent in a session of its own, says: \"It is ten.\""));
  CHECK(has(text_after("pregunta al explorador", "delegate", "Son las diez."), "El explorador"));
}

TEST_CASE("demo: results are told in the language of the question", "[app]") {
  CHECK(has(text_after("calculate 2*21", "calculator", "42"), "The result is 42."));
  CHECK(has(text_after("calcula 2*21", "calculator", "42"), "El resultado es 42."));
  CHECK(
      has(text_after("calculate 1/0", "calculator", "division by zero at character 2"), "The tool answered: division by zero"));
  CHECK(has(text_after("time", "clock", "2026-01-02T03:04:05.006Z"), "2026-01-02T03:04:05.006Z"));
  CHECK(has(text_after("write a file", "write_file", R"({"path":"notes/demo.txt","size":5})"), "I wrote `notes/demo.txt`"));
  CHECK(has(text_after("delete the file", "delete_file", "Deleted notes/demo.txt."), "is gone"));
  CHECK(has(text_after("borra el fichero", "delete_file", "Deleted notes/demo.txt."), "ya no existe"));
  CHECK(has(text_after("delete the file", "delete_file", "The user denied this call; it was not carried out."),
            "stays where it is"));
  CHECK(has(text_after("delete the file", "delete_file", "Nobody approved this call in time; it was not carried out."),
            "stays where it is"));
  CHECK(
      has(text_after("delete the file", "delete_file", "there is no `notes/demo.txt` in the workspace"), "nothing to delete"));
}

TEST_CASE("demo: answers stream in pieces with pauses", "[app]") {
  auto script = providers::parse_script(app::demo_script());
  REQUIRE(script.has_value());
  providers::model_request request;
  request.history = std::make_shared<const std::vector<core::history_message>>(std::vector{user_says("long")});
  providers::script_player player(*script, request);
  std::chrono::milliseconds waited{0};
  std::size_t pieces = 0;
  for (;;) {
    providers::model_output out;
    auto wait = player.play(out);
    pieces += out.text.lengths.size();
    if (!wait) break;
    waited += *wait;
  }
  CHECK(pieces > 100);
  CHECK(waited > std::chrono::seconds(2));
  CHECK(waited < std::chrono::seconds(10));
}

TEST_CASE("demo: two model calls pass half of the budget and many more stay below all of it", "[app]") {
  auto guide = app::demo_configuration(no_environment).find_agent({}, {});
  REQUIRE(guide);
  REQUIRE(guide->price);
  REQUIRE(guide->limits.budget);
  core::micro_usd spend;
  auto percent_after = [&](std::uint32_t call) {
    auto out = answer({user_says(call % 2 ? "hello" : "unknown words")}, call);
    REQUIRE(out.end->usage);
    spend += core::cost_of(*out.end->usage, *guide->price);
    return 100 * spend.value / guide->limits.budget->value;
  };
  auto first = percent_after(1);
  CHECK(first > 0);
  CHECK(first < 50);
  auto second = percent_after(2);
  CHECK(second >= 50);
  CHECK(second < 80);
  for (std::uint32_t call = 3; call < 100; ++call) CHECK(percent_after(call) < 100);
}

TEST_CASE("demo: the environment adds an agent for an API key", "[app]") {
  auto plain = app::demo_configuration(no_environment);
  CHECK(plain.default_project.str() == "demo");
  CHECK(plain.find_agent({}, {})->id.str() == "guide");
  CHECK(plain.find_agent({}, {"openai"}) == nullptr);
  std::map<std::string, std::string> variables{{"OPENAI_API_KEY", "sk-x"}};
  app::environment_lookup environment = [&](const std::string& name) -> std::optional<std::string> {
    auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
  auto config = app::demo_configuration(environment);
  auto agent = config.find_agent({}, {"openai"});
  REQUIRE(agent);
  CHECK(agent->model == "gpt-4o-mini");
  CHECK_FALSE(agent->price);
  CHECK_FALSE(agent->limits.budget);
  CHECK(config.providers.at({"openai"}).base_url == "https://api.openai.com/v1");
  CHECK(config.providers.at({"openai"}).api_key_env == "OPENAI_API_KEY");
  CHECK(config.find_agent({}, {})->id.str() == "guide");
  variables["OPENAI_BASE_URL"] = "http://127.0.0.1:1/v1/";
  variables["OPENAI_MODEL"] = "local";
  auto pointed = app::demo_configuration(environment);
  CHECK(pointed.providers.at({"openai"}).base_url == "http://127.0.0.1:1/v1");
  CHECK(pointed.find_agent({}, {"openai"})->model == "local");
  CHECK(pointed.find_agent({}, {"anthropic"}) == nullptr);
  variables = {{"ANTHROPIC_API_KEY", "sk-ant-x"}};
  auto other = app::demo_configuration(environment);
  CHECK(other.find_agent({}, {"openai"}) == nullptr);
  REQUIRE(other.find_agent({}, {"anthropic"}));
  CHECK(other.find_agent({}, {"anthropic"})->provider.str() == "anthropic");
  CHECK(other.providers.at({"anthropic"}).kind == "anthropic");
  CHECK(other.providers.at({"anthropic"}).base_url == "https://api.anthropic.com");
  CHECK(other.providers.at({"anthropic"}).api_key_env == "ANTHROPIC_API_KEY");
  variables["ANTHROPIC_BASE_URL"] = "http://127.0.0.1:1/";
  variables["ANTHROPIC_MODEL"] = "local";
  other = app::demo_configuration(environment);
  CHECK(other.providers.at({"anthropic"}).base_url == "http://127.0.0.1:1");
  CHECK(other.find_agent({}, {"anthropic"})->model == "local");
}
