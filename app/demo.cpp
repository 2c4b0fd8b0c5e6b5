#include "app/demo.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <array>

namespace troupe::app {

namespace json = boost::json;

namespace {

constexpr int dear_calls = 2;
// US dollars per million tokens: what such a call would cost at the price of a small model.
constexpr core::token_price price{.input_nano = 2'000, .cached_input_nano = 200, .output_nano = 8'000};
constexpr core::micro_usd budget{500'000};

json::object usage(std::int64_t prompt, std::int64_t completion) {
  return {{"usage", {{"prompt", prompt}, {"completion", completion}}}};
}
json::object dear_usage() { return usage(60'000, 1'000); }  // 26 % of the budget
json::object cheap_usage() { return usage(300, 40); }

json::object with_usage(const json::object& rule, const json::object& step, int call) {
  auto out = rule;
  auto& say = out.at("say").as_array();
  say.insert(say.begin(), step);
  if (call > 0) {
    auto& when = out["when"];
    if (!when.is_object()) when.emplace_object();
    when.get_object()["call"] = call;
  }
  return out;
}

std::string make_script() {
  auto written = json::parse(demo_rules()).as_object();
  auto rules = written.at("rules").as_array();
  rules.push_back(json::object{{"say", written.at("otherwise")}});
  json::array out;
  for (const auto& rule : rules) {
    // `call` narrows its own rule only: the copies stand directly before it and change nothing about which one fits.
    for (int call = 1; call <= dear_calls; ++call) out.push_back(with_usage(rule.as_object(), dear_usage(), call));
    out.push_back(with_usage(rule.as_object(), cheap_usage(), 0));
  }
  return json::serialize(json::object{{"rules", out}});
}

std::shared_ptr<const core::agent_config> finished(core::agent_config agent) {
  agent.project.value = "demo";
  agent.hash = hash_of(agent);
  return std::make_shared<const core::agent_config>(std::move(agent));
}

/// What a key in the environment adds: an agent with the name of its provider's kind.
struct environment_api {
  const char* kind;
  std::string prefix;  ///< of its variables
  const char* name;
  const char* description;
  std::string_view base_url;
  const char* model;
};
const std::array apis{
    environment_api{"openai", "OPENAI", "OpenAI", "A model behind an OpenAI-compatible API, with the built-in tools.",
                    openai_base_url, "gpt-4o-mini"},
    environment_api{"anthropic", "ANTHROPIC", "Anthropic", "A model of Anthropic, with the built-in tools.", anthropic_base_url,
                    "claude-haiku-4-5"},
};

}  // namespace

const std::string& demo_script() {
  static const std::string script = make_script();
  return script;
}

core::config demo_configuration(const environment_lookup& environment) {
  core::config out;
  out.default_project.value = "demo";
  out.cors_origins = default_origins(environment);

  core::provider_config scripted;
  scripted.id.value = "demo";
  scripted.kind = "scripted";
  scripted.script = demo_script();
  out.providers[scripted.id] = scripted;

  core::project_config project;
  project.id.value = "demo";
  project.name = "Demo";
  project.default_agent.value = "guide";

  std::vector<std::string> tools{"clock", "calculator", "write_file", "read_file", "list_files", "delete_file"};
  core::agent_config guide;
  guide.id.value = "guide";
  guide.name = "Guide";
  guide.description =
      "Shows what Troupe does. Scripted: it knows a few words and no language model answers. Say help, or ayuda.";
  guide.starters = {"What can you do?", "What time is it?", "Write a file", "Delete the file", "Tell me a long story"};
  guide.provider = scripted.id;
  guide.model = "scripted";
  guide.instructions = "You are a scripted guide.";
  guide.tools = tools;
  guide.delegates = {{"scout"}};
  guide.limits.max_output_tokens = 1024;
  guide.limits.budget = budget;
  guide.price = price;
  project.agents[guide.id] = finished(guide);
  out.prices["demo/scripted"] = out.prices["scout/scripted"] = price;

  core::provider_config scouting = scripted;
  scouting.id.value = "scout";
  scouting.script = scout_rules();
  out.providers[scouting.id] = scouting;
  core::agent_config scout;
  scout.id.value = "scout";
  scout.name = "Scout";
  scout.description = "Looks at the clock for the guide. Scripted, too.";
  scout.provider = scouting.id;
  scout.model = "scripted";
  scout.tools = {"clock"};
  scout.limits.max_output_tokens = 256;
  scout.price = price;
  project.agents[scout.id] = finished(scout);

  for (const auto& api : apis) {
    if (!environment(api.prefix + "_API_KEY")) continue;
    core::provider_config provider;
    provider.id.value = provider.kind = api.kind;
    provider.base_url = environment(api.prefix + "_BASE_URL").value_or(std::string(api.base_url));
    while (provider.base_url.ends_with('/')) provider.base_url.pop_back();
    provider.api_key_env = api.prefix + "_API_KEY";
    out.providers[provider.id] = provider;

    core::agent_config agent;
    agent.id.value = api.kind;
    agent.name = api.name;
    agent.description = api.description;
    agent.provider = provider.id;
    agent.model = environment(api.prefix + "_MODEL").value_or(api.model);
    agent.instructions =
        "You are a helpful assistant. Use the tools where they help; files live in a workspace of this conversation.";
    agent.tools = tools;
    agent.tools.emplace_back("edit_file");
    agent.tools.emplace_back("http_request");
    agent.approval["http_request"].policy = core::approval_policy::always;
    project.agents[agent.id] = finished(agent);
  }
  out.projects[project.id] = project;
  return out;
}

}  // namespace troupe::app
