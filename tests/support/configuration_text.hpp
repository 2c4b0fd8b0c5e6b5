// Configuration files as texts: a small valid one, changed in one place, and what the parser says of it. Pure.
#pragma once

#include "app/configuration.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <catch2/catch.hpp>

#include <map>
#include <string>
#include <string_view>

namespace troupe::testing {

inline const app::environment_lookup no_environment = [](const std::string&) { return std::nullopt; };

inline core::result<core::config> parse(std::string_view text) {
  return app::parse_configuration(text, "t.json", no_environment);
}

/// `text` where these environment variables are set.
inline core::result<core::config> parse_with(const std::map<std::string, std::string>& variables, std::string_view text) {
  return app::parse_configuration(text, "/etc/troupe/t.json", [&](const std::string& name) {
    auto it = variables.find(name);
    return it == variables.end() ? std::nullopt : std::optional(it->second);
  });
}

inline std::string failure(std::string_view text) {
  auto config = parse(text);
  return config ? "no error" : config.error().text;
}

inline bool has(const std::string& text, std::string_view part) {
  if (text.find(part) != std::string::npos) return true;
  WARN(text);
  return false;
}

inline constexpr std::string_view base = R"({
  "providers": { "local": { "kind": "openai", "base_url": "http://127.0.0.1:1/v1" } },
  "projects": { "demo": { "agents": { "writer": { "provider": "local", "model": "m" } } } } })";

/// `base` with the value at `pointer` set to `value` (JSON text), parents made.
inline std::string with(std::string_view pointer, std::string_view value) {
  auto document = boost::json::parse(base);
  auto* at = &document;
  for (auto rest = pointer; !rest.empty();) {
    auto end = rest.find('/', 1);
    if (!at->is_object()) at->emplace_object();
    at = &at->get_object()[rest.substr(1, end == std::string_view::npos ? end : end - 1)];
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end);
  }
  *at = boost::json::parse(value);
  return boost::json::serialize(document);
}

inline const core::agent_config& writer(const core::result<core::config>& config) {
  REQUIRE(config.has_value());
  auto found = config->find_agent({"demo"}, {"writer"});
  REQUIRE(found);
  return *found;
}

}  // namespace troupe::testing
