#include "app/check_configuration.hpp"

#include "app/cli/outcome.hpp"
#include "app/cli/terminal.hpp"
#include "providers/provider_factory.hpp"
#include "transport/net/server.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/json/array.hpp>

namespace troupe::app {

namespace json = boost::json;

namespace {

json::object what_is_served(const core::config& config, const serve_options& options) {
  json::array projects;
  for (const auto& [id, project] : config.projects) {
    json::array agents;
    for (const auto& [name, agent] : project.agents) agents.emplace_back(name.str());
    projects.push_back(
        json::object{{"id", id.str()}, {"defaultAgent", project.default_agent.str()}, {"agents", std::move(agents)}});
  }
  json::array providers;
  for (const auto& [id, provider] : config.providers)
    providers.push_back(json::object{{"id", id.str()}, {"kind", provider.kind}});
  return {{"valid", true},
          {"file", options.config_file ? json::value(*options.config_file) : json::value(nullptr)},
          {"listen", json::array(config.listen.begin(), config.listen.end())},
          {"data", config.storage.data},
          {"projects", std::move(projects)},
          {"providers", std::move(providers)}};
}

}  // namespace

int check_configuration(const serve_options& options) {
  auto environment = providers::process_environment();
  auto config = configuration_for(options, environment);
  if (!config) return failed(config.error(), options.json);
  // Scripts are part of the configuration; keys are not, and may be missing where it is checked.
  boost::asio::io_context nowhere;
  auto idle_timers = transport::make_timer_service(nowhere);
  for (const auto& [id, provider] : config->providers) {
    if (provider.kind != "scripted" && provider.kind != "recorded") continue;
    auto client = providers::make_client(provider, {idle_timers.get(), nullptr, environment});
    if (!client) return failed(client.error(), options.json);
  }
  if (options.json) return print_json(what_is_served(*config, options));
  return put("configuration is valid\n") ? 0 : 1;
}

}  // namespace troupe::app
