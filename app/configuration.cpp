#include "app/configuration.hpp"

#include "app/configuration_fields.hpp"
#include "app/demo.hpp"

#include <boost/json/parser.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <fstream>

namespace troupe::app {

namespace json = boost::json;
using core::errc;
using core::error;

namespace {

constexpr std::size_t max_file_bytes = 4 << 20;

/// The whole file, or an error's text.
core::result<std::string> read_whole(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return error{errc::configuration_error, file.string() + ": cannot be opened; check the path and its permissions"};
  std::string out(max_file_bytes + 1, '\0');
  in.read(out.data(), static_cast<std::streamsize>(out.size()));
  if (in.bad() || std::filesystem::is_directory(file))
    return error{errc::configuration_error, file.string() + ": cannot be read"};
  out.resize(static_cast<std::size_t>(in.gcount()));
  if (out.size() > max_file_bytes)
    return error{errc::configuration_error, file.string() + ": is larger than " + std::to_string(max_file_bytes) + " bytes"};
  return out;
}

json::value parse_json(std::string_view text) {
  json::parse_options options;
  options.allow_comments = true;
  options.allow_trailing_commas = true;
  json::parser parser({}, options);
  boost::system::error_code failure;
  auto good = parser.write_some(text.data(), text.size(), failure);
  if (!failure && good < text.size()) failure = make_error_code(json::error::extra_data);
  if (failure) {
    auto before = text.substr(0, good);
    auto line = 1 + std::count(before.begin(), before.end(), '\n');
    auto column = good - (before.rfind('\n') + 1) + 1;
    throw fault{"line " + std::to_string(line) + ", column " + std::to_string(column), "is not JSON: " + failure.message()};
  }
  return parser.release();
}

template <class Map>
std::string names_of(const Map& map) {
  std::string out;
  for (const auto& entry : map) out += (out.empty() ? "" : ", ") + entry.first.str();
  return out.empty() ? "none" : out;
}

bool is_hard(const core::budget_config& budget) { return budget.daily || budget.monthly; }

const core::provider_config& find_provider(const core::provider_id& id, const std::string& at, const document& file) {
  auto provider = file.config.providers.find(id);
  if (provider != file.config.providers.end()) return provider->second;
  auto there = " (there: " + names_of(file.config.providers) + ")";
  throw fault{at + "/provider", id.empty() ? "is missing; name one of \"providers\"" + there
                                           : "there is no provider \"" + id.str() + "\" in \"providers\"" + there};
}

/// Checks the provider, names a scripted model, and finds the price. Gives the key that the model has in `prices`.
std::string finish_model(const core::provider_id& id, std::string& model, std::optional<core::token_price>& price,
                         const std::string& at, const document& file) {
  const auto& provider = find_provider(id, at, file);
  if (model.empty() && provider.kind == "scripted") model = "scripted";
  if (model.empty()) throw fault{at + "/model", "is missing; name a model of provider \"" + id.str() + "\""};
  auto priced_as = id.str() + "/" + model;
  if (auto found = file.prices.find(priced_as); found != file.prices.end()) price = found->second;
  return priced_as;
}

void check_context(const core::agent_config& agent, const std::string& at) {
  if (agent.context == core::context_policy::none) return;
  if (agent.context_tokens == 0) throw fault{at, "is missing; a policy needs to know how many tokens the model takes in all"};
  if (agent.context_tokens <= agent.limits.max_output_tokens)
    throw fault{at, "leaves no room for the conversation: it must be above limits.max_output_tokens, which is " +
                        std::to_string(agent.limits.max_output_tokens)};
}

}  // namespace

void finish_agent(core::agent_config& agent, const std::string& at, const document& file) {
  auto priced_as = finish_model(agent.provider, agent.model, agent.price, at, file);
  check_references(agent, at, file);
  check_context(agent, at + "/context/tokens");
  auto check_budgets = [&](bool has_price, const std::string& name) {
    auto needs_price = [&](bool has_budget, const std::string& place) {
      if (has_budget && !has_price)
        throw fault{place, "needs a price: add \"" + name + "\" to \"prices\", or remove the budget"};
    };
    needs_price(agent.limits.budget.has_value(), at + "/limits/budget_usd");
    needs_price(is_hard(agent.spending), at + "/budget");
    needs_price(is_hard(file.config.projects.at(agent.project).spending), "/projects/" + agent.project.str() + "/budget");
  };
  check_budgets(agent.price.has_value(), priced_as);
  for (std::size_t i = 0; i < agent.fallback.size(); ++i) {
    auto& choice = agent.fallback[i];
    priced_as = finish_model(choice.provider, choice.model, choice.price, at + "/fallback/" + std::to_string(i), file);
    check_budgets(choice.price.has_value(), priced_as);
  }
  agent.hash = hash_of(agent);
}

namespace {

/// The one there is, where there is only one; else it must be named.
template <class Map, class Id>
void choose_default(Id& chosen, const Map& from, const std::string& at, std::string_view what) {
  if (chosen.empty() && from.size() == 1) chosen = from.begin()->first;
  if (from.contains(chosen)) return;
  throw fault{at, chosen.empty()
                      ? "is missing; name one of the " + std::string(what) + "s (there: " + names_of(from) + ")"
                      : "there is no " + std::string(what) + " \"" + chosen.str() + "\" (there: " + names_of(from) + ")"};
}

void resolve_files(document& file, const std::filesystem::path& folder) {
  for (auto& [id, name] : file.script_files) {
    auto text = read_whole(folder / name);
    if (!text) throw fault{"/providers/" + id.str() + "/script_file", text.error().text};
    file.config.providers.at(id).script = std::move(*text);
  }
  for (auto& [id, provider] : file.config.providers) {
    if (provider.kind == "scripted" && provider.script.empty()) provider.script = demo_script();
    if (!provider.cassette.empty()) provider.cassette = (folder / provider.cassette).string();
    if (!provider.ca_file.empty()) provider.ca_file = (folder / provider.ca_file).string();
  }
}

void resolve(document& file) {
  if (file.config.projects.empty()) throw fault{"/projects", "needs at least one project with an agent"};
  for (const auto& [name, price] : file.prices)
    if (!file.config.providers.contains(core::provider_id{name.substr(0, name.find('/'))}))
      throw fault{"/prices", "\"" + name + "\" names no provider (there: " + names_of(file.config.providers) + ")"};
  for (auto& [id, project] : file.config.projects) {
    auto at = "/projects/" + id.str();
    auto& agents = file.agents[id];
    if (agents.empty()) throw fault{at + "/agents", "needs at least one agent"};
    for (auto& [agent, settings] : agents) {
      finish_agent(settings, at + "/agents/" + agent.str(), file);
      project.agents[agent] = std::make_shared<const core::agent_config>(std::move(settings));
    }
    choose_default(project.default_agent, project.agents, at + "/default_agent", "agent");
  }
}

void check_limits(const core::transport_limits& limits) {
  if (limits.outbound_limit_bytes < limits.outbound_high_water_bytes)
    throw fault{"/limits/outbound_limit_bytes", "is below outbound_high_water_bytes"};
}

}  // namespace

core::result<core::config> parse_configuration(std::string_view text, std::string_view file_name,
                                               const environment_lookup& environment) try {
  auto value = parse_json(text);
  document file;
  read_fields<document>({value, {}}, file, document_fields());
  if (file.config.providers.empty() && file.config.projects.empty()) {
    if (!file.prices.empty()) throw fault{"/prices", "needs \"providers\" and \"projects\" beside it"};
    auto demo = demo_configuration(environment);
    file.config.providers = std::move(demo.providers);
    file.config.projects = std::move(demo.projects);
    file.config.prices = std::move(demo.prices);
    if (file.config.default_project.empty()) file.config.default_project = demo.default_project;
  } else {
    resolve_files(file, std::filesystem::path(file_name).parent_path());
    resolve(file);
    file.config.prices = file.prices;
  }
  choose_default(file.config.default_project, file.config.projects, "/default_project", "project");
  check_limits(file.config.limits);
  auto folder = std::filesystem::path(file_name).parent_path();
  resolve_tools(file, folder, environment);
  resolve_webhook(file, folder, environment);
  resolve_auth(file, environment);
  if (!file.has_origins) file.config.cors_origins = default_origins(environment);
  return std::move(file.config);
} catch (const fault& f) {
  return error{errc::configuration_error,
               std::string(file_name) + ": " + (f.pointer.empty() ? "at the top" : f.pointer) + ": " + f.text};
}

core::result<core::config> load_configuration(const std::filesystem::path& file, const environment_lookup& environment) {
  auto text = read_whole(file);
  if (!text) return text.error();
  return parse_configuration(*text, file.string(), environment);
}

std::vector<std::string> default_origins(const environment_lookup& environment) {
  std::vector<std::string> out;
  auto list = environment("FRONTEND_URL").value_or("");
  for (std::string_view rest = list; !rest.empty();) {
    auto comma = rest.find(',');
    auto origin = rest.substr(0, comma);
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    while (origin.starts_with(' ')) origin.remove_prefix(1);
    while (origin.ends_with(' ') || origin.ends_with('/')) origin.remove_suffix(1);
    if (!origin.empty()) out.emplace_back(origin);
  }
  return out;
}

std::vector<std::string> known_options() {
  std::vector<std::string> out;
  list_fields<document>({}, document_fields(), out);
  return out;
}

json::object configuration_to_json(const core::config& config) {
  document file;
  file.config = config;
  return write_fields<document>(file, document_fields());
}

std::uint64_t hash_of(const core::agent_config& agent) {
  auto fields = write_fields<core::agent_config>(agent, agent_fields());
  fields["id"] = agent.id.str();
  fields["project"] = agent.project.str();
  if (agent.price) fields["price"] = price_to_json(*agent.price);
  for (std::size_t i = 0; i < agent.fallback.size(); ++i)
    if (const auto& price = agent.fallback[i].price)
      fields["fallback"].as_array()[i].as_object()["price"] = price_to_json(*price);
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (char c : json::serialize(fields)) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return hash;
}

}  // namespace troupe::app
