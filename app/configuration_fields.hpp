// What a configuration file holds before its references are resolved, and the tables of its keys. Private to
// configuration*.cpp and stored_agents.cpp.
#pragma once

#include "app/configuration.hpp"
#include "app/json_fields.hpp"
#include "core/config.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace troupe::app {

/// A value of a tool that our own environment holds; looked up when all is read.
struct tool_variable {
  std::string pointer;
  std::string tool;
  bool is_header = false;  ///< else one of its environment
  std::string name;
  std::string variable;
};

struct document {
  core::config config;
  std::map<std::string, core::token_price> prices;  ///< by `provider/model`
  std::map<core::project_id, std::map<core::agent_id, core::agent_config>> agents;
  /// Providers that named a `script_file`; configuration.cpp reads it.
  std::map<core::provider_id, std::string> script_files;
  bool has_origins = false;
  /// `auth`: names of environment variables, looked up when all is read.
  struct auth_names {
    std::optional<std::string> secret;
    std::vector<std::string> keys;  ///< of `config.auth.api_keys`, in their order; empty: the file has the hash
  } auth;
  std::vector<tool_variable> variables;
  std::string webhook_variable;
};

inline constexpr std::int64_t hour_ms = 3'600'000;
inline constexpr std::int64_t week_ms = 7 * (24 * hour_ms);
inline constexpr std::size_t max_entries = 1'000;

/// The whole file.
[[nodiscard]] std::span<const field<document>> document_fields();
[[nodiscard]] field<document> providers_field();
[[nodiscard]] field<document> prices_field();
[[nodiscard]] field<document> projects_field();
[[nodiscard]] field<document> auth_field();
[[nodiscard]] field<document> tools_field();
[[nodiscard]] field<document> approvals_field();
[[nodiscard]] field<core::agent_config> approval_field();
/// Fills in the secrets, and checks that somebody could come in.
void resolve_auth(document& file, const environment_lookup& environment);
/// The same of tools and of the webhook; `folder` is where their `ca_file`s are.
void resolve_tools(document& file, const std::filesystem::path& folder, const environment_lookup& environment);
void resolve_webhook(document& file, const std::filesystem::path& folder, const environment_lookup& environment);
/// All that an agent needs besides its own fields: its provider, price, references and hash. Throws a fault.
void finish_agent(core::agent_config& agent, const std::string& at, const document& file);
/// Throws a fault where the agent names tools, approvals or agents that are not there.
void check_references(const core::agent_config& agent, const std::string& at, const document& file);
[[nodiscard]] bool is_builtin_tool(std::string_view name);
/// One that the agent loop carries out itself: read_output, delegate, handoff.
[[nodiscard]] bool is_loop_tool(std::string_view name);
[[nodiscard]] core::approval_policy read_policy(const node& at);
[[nodiscard]] std::string_view policy_name(core::approval_policy policy);
/// low, medium or high.
[[nodiscard]] std::string read_risk(const node& at);
/// The name of an environment variable. A fault does not repeat the text: people put the secret itself there.
[[nodiscard]] std::string variable_name(const node& at);
/// Percentages, each above the one before.
[[nodiscard]] std::vector<std::int32_t> percentages(const node& at);
[[nodiscard]] std::span<const field<core::agent_config>> agent_fields();
[[nodiscard]] boost::json::object price_to_json(const core::token_price& price);

/// Calls `f(name, node)` for every entry of an object whose keys are names that the file chooses.
template <class F>
void each_entry(const node& at, F&& f) {
  if (at.object().size() > max_entries) at.fail("has more than " + std::to_string(max_entries) + " entries");
  for (const auto& member : at.object()) f(name_of(at, member.key()), at.child(member.key(), member.value()));
}

}  // namespace troupe::app
