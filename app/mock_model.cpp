#include "app/mock_model.hpp"

#include "app/mock/mock_routes.hpp"
#include "app/scenario/scenario.hpp"
#include "providers/recorded.hpp"
#include "providers/scripted.hpp"
#include "transport/net/listen_address.hpp"

#include <boost/asio/signal_set.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <csignal>
#include <cstdio>

namespace troupe::app {

namespace {

namespace json = boost::json;

int refuse_start(const core::error& e) {
  std::fprintf(stderr, "troupe: %s\n", e.text.c_str());
  return 1;
}

/// What is no valid JSON is taken for a scenario, whose reader says where.
bool is_script(std::string_view text) {
  json::parse_options options;
  options.allow_comments = true;
  options.allow_trailing_commas = true;
  boost::system::error_code failure;
  auto value = json::parse(text, failure, {}, options);
  if (failure || !value.is_object()) return false;
  const auto& object = value.get_object();
  auto has = [&](std::string_view key) { return object.contains(key); };
  return (has("rules") || has("otherwise")) && !has("scenario") && !has("model");
}

/// Names in conditions and in calls.
std::vector<providers::tool_description> tools_of(const providers::script& script) {
  std::vector<providers::tool_description> out;
  auto add = [&](const std::string& name) {
    auto known = std::any_of(out.begin(), out.end(), [&](const auto& tool) { return tool.name == name; });
    if (!name.empty() && !known) out.push_back({name, "", ""});
  };
  auto add_calls = [&](const std::vector<providers::script_step>& steps) {
    for (const auto& step : steps)
      if (const auto* call = std::get_if<providers::say_tool>(&step)) add(call->tool);
  };
  for (const auto& rule : script.rules) {
    add(rule.when.tool);
    add_calls(rule.say);
  }
  if (script.otherwise) add_calls(*script.otherwise);
  return out;
}

core::result<mock_voice> voice_of(const core::provider_config& config, core::timer_service& timers) {
  mock_voice out;
  auto script = providers::parse_script(config.script);
  if (!script) return script.error();
  out.tools = tools_of(**script);
  auto client = providers::make_scripted(config, timers);
  if (!client) return client.error();
  out.client = std::move(*client);
  return out;
}

core::result<std::vector<mock_fault>> faults_of(const mock_model_options& options) {
  auto texts = options.faults;
  auto add = [&](std::string_view word, const std::optional<std::int64_t>& amount) {
    if (amount) texts.push_back(std::string(word) + ":" + std::to_string(*amount));
  };
  add("latency", options.latency_ms);
  add("stall", options.stall_after);
  add("retry_after", options.retry_after);
  if (texts.size() > max_faults)
    return core::error{core::errc::configuration_error, "more than " + std::to_string(max_faults) + " faults"};
  std::vector<mock_fault> out;
  for (const auto& text : texts) {
    auto parsed = parse_fault(text);
    if (!parsed) return parsed.error();
    out.push_back(*parsed);
  }
  return out;
}

core::result<void> check_address(const mock_model_options& options) {
  auto address = transport::resolve_listen_address(options.listen);
  if (!address) return address.error();
  if (address->endpoint.address().is_loopback() || options.insecure_no_auth) return {};
  return core::error{core::errc::configuration_error,
                     "listen " + options.listen +
                         ": refusing a public address, since no key is checked here; listen on 127.0.0.1, or say "
                         "--insecure-no-auth if everybody who reaches this address may use it"};
}

/// An answer has 8 MiB at most, and its events are several times as long.
core::transport_limits limits() {
  core::transport_limits out;
  out.outbound_limit_bytes = 256 << 20;
  return out;
}

}  // namespace

core::result<mock_voice> load_voice(const std::string& file, core::timer_service& timers) {
  auto text = read_scenario_file(file);
  if (!text) return text.error();
  if (is_script(*text)) {
    core::provider_config config;
    config.id = {"model"};
    config.kind = "scripted";
    config.script = *text;
    auto voice = voice_of(config, timers);
    if (!voice) return core::error{voice.error().code, file + ": " + voice.error().text};
    return voice;
  }
  auto scenario = parse_scenario(*text, file);
  if (!scenario) return scenario.error();
  if (scenario->recording) {
    mock_voice out;
    out.client = providers::make_recorded(scenario->recording, timers);
    return out;
  }
  return voice_of(scenario->config->providers.at({std::string(scenario_provider)}), timers);
}

int mock_model(const mock_model_options& options) {
  std::signal(SIGPIPE, SIG_IGN);
  auto faults = faults_of(options);
  if (!faults) return refuse_start(faults.error());
  if (auto allowed = check_address(options); !allowed) return refuse_start(allowed.error());
  boost::asio::io_context io(1);
  auto timers = transport::make_timer_service(io);
  auto voice = load_voice(options.scenario, *timers);
  if (!voice) return refuse_start(voice.error());
  mock_routes routes({std::move(voice->client), std::move(voice->tools), std::move(*faults), timers.get()});
  boost::asio::signal_set stop(io, SIGTERM, SIGINT);
  stop.async_wait([&io](const boost::system::error_code& failure, int) {
    if (!failure) io.stop();
  });
  auto server = transport::server::listen(io, options.listen, limits(), routes.handlers());
  if (!server) return refuse_start(server.error());
  std::printf("listening on %s\n", (*server)->url().c_str());
  std::fflush(stdout);
  io.run();
  server->reset();
  return 0;
}

}  // namespace troupe::app
