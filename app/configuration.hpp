// The configuration file: JSON with comments and trailing commas, checked down to the last key before anything starts.
// Called by main at start-up and on reload, on its thread; the result is immutable afterwards.
#pragma once

#include "core/config.hpp"
#include "core/error.hpp"

#include <boost/json/object.hpp>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::app {

/// Of a provider of kind `openai` that names no `base_url`.
inline constexpr std::string_view openai_base_url = "https://api.openai.com/v1";
/// The same of kind `anthropic`, and the variable of its key where no other is named.
inline constexpr std::string_view anthropic_base_url = "https://api.anthropic.com";
inline constexpr std::string_view anthropic_key_variable = "ANTHROPIC_API_KEY";

/// Holds the secret of JSON Web Tokens where the file names no other.
inline constexpr std::string_view jwt_secret_variable = "JWT_SECRET";

/// The value of an environment variable; an empty one counts as absent.
using environment_lookup = std::function<std::optional<std::string>(const std::string&)>;

/// A `configuration_error` names the file, the place (a JSON pointer), what is wrong and what would be right. A
/// `script_file` or `ca_file` is looked up beside `file_name`. A file without `providers` and `projects` keeps those of the
/// demo (demo.hpp).
[[nodiscard]] core::result<core::config> parse_configuration(std::string_view text, std::string_view file_name,
                                                             const environment_lookup& environment);
[[nodiscard]] core::result<core::config> load_configuration(const std::filesystem::path& file,
                                                            const environment_lookup& environment);

/// `FRONTEND_URL`, a comma-separated list of origins, as the default of `cors.origins`.
[[nodiscard]] std::vector<std::string> default_origins(const environment_lookup& environment);

/// Every key that a file may have, as JSON pointers with `*` for names that the file chooses.
[[nodiscard]] std::vector<std::string> known_options();

/// All of it under the keys of the file; equal texts mean equal configurations. Secrets are left out, hashes are in it: not
/// for clients.
[[nodiscard]] boost::json::object configuration_to_json(const core::config& config);

/// FNV-1a over the agent's canonical JSON: everything but `hash` itself.
[[nodiscard]] std::uint64_t hash_of(const core::agent_config& agent);

}  // namespace troupe::app
