#include "providers/provider_factory.hpp"

#include "providers/anthropic.hpp"
#include "providers/recorded.hpp"
#include "providers/scripted.hpp"
#include "providers/websocket_upstream.hpp"

#include <cstdlib>

namespace troupe::providers {

environment_lookup process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr || *value == '\0') return std::nullopt;
    return value;
  };
}

core::result<std::unique_ptr<model_client>> make_client(const core::provider_config& config, const client_deps& deps) {
  auto wrong = [&](const std::string& text) {
    return core::error{core::errc::configuration_error, "provider \"" + config.id.str() + "\": " + text};
  };
  if (config.kind == "scripted") {
    if (deps.timers == nullptr) return wrong("kind \"scripted\" needs a timer service, and there is none here");
    return make_scripted(config, *deps.timers);
  }
  if (config.kind == "recorded") {
    if (deps.timers == nullptr) return wrong("kind \"recorded\" needs a timer service, and there is none here");
    return make_recorded(config, *deps.timers);
  }
  if (config.kind == "openai") {
    if (deps.loop == nullptr) return wrong("kind \"openai\" needs the network, which is not there in a replay");
    return make_openai(config, *deps.loop, deps.environment ? deps.environment : process_environment());
  }
  if (config.kind == "anthropic") {
    if (deps.loop == nullptr) return wrong("kind \"anthropic\" needs the network, which is not there in a replay");
    return make_anthropic(config, *deps.loop, deps.environment ? deps.environment : process_environment());
  }
  if (config.kind == "websocket") {
    if (deps.loop == nullptr) return wrong("kind \"websocket\" needs the network, which is not there in a replay");
    return make_websocket(config, *deps.loop, deps.environment ? deps.environment : process_environment());
  }
  return wrong("unknown kind \"" + config.kind + "\"; known kinds: anthropic, openai, recorded, scripted, websocket");
}

}  // namespace troupe::providers
