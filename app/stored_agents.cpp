#include "app/stored_agents.hpp"

#include "app/configuration_fields.hpp"

#include <boost/json/parse.hpp>

#include <map>
#include <utility>

namespace troupe::app {

namespace json = boost::json;
using core::errc;
using core::error;

namespace {

/// Told at once of one definition; who has more has not written one.
constexpr std::size_t most_problems = 100;

/// Takes out what is so where nothing is said.
void leave_out_usual(json::object& o, const json::object& usual) {
  std::vector<std::string> same;
  for (auto& member : o) {
    const auto* otherwise = usual.if_contains(member.key());
    if (!otherwise) continue;
    if (member.value() == *otherwise)
      same.emplace_back(member.key());
    else if (member.value().is_object() && otherwise->is_object())
      leave_out_usual(member.value().get_object(), otherwise->get_object());
  }
  for (const auto& key : same) o.erase(key);
}

class definition_parser final : public transport::agent_parser {
 public:
  explicit definition_parser(core::config_ptr config) : config_(std::move(config)) {
    file_.config.providers = config_->providers;
    file_.config.projects = config_->projects;
    file_.config.tools = config_->tools;
    file_.prices = config_->prices;
  }

  outcome parse(const core::project_id& project, const core::agent_id& id, const json::object& definition) const override {
    outcome out;
    core::agent_config agent;
    agent.id = id;
    agent.project = project;
    agent.name = id.str();
    auto collect = [&](auto&& read) {
      try {
        read();
      } catch (const fault& f) {
        out.problems.push_back(told(f));
      }
    };
    const json::value whole = definition;
    try {
      static_cast<void>(name_of({whole, {}}, id.str()));
    } catch (const fault& f) {
      out.problems.push_back({"/id", f.text});
    }
    // Field by field: whoever edits sees all that is wrong at once.
    for (const auto& member : definition) {
      if (out.problems.size() >= most_problems) break;
      collect([&] {
        const json::value one = json::object{{member.key(), member.value()}};
        read_fields<core::agent_config>({one, {}}, agent, agent_fields());
      });
    }
    if (out.problems.empty()) collect([&] { finish_agent(agent, {}, known_to(project)); });
    if (out.problems.empty()) collect([&] { check_policy(agent); });
    auto read = std::make_shared<const core::agent_config>(std::move(agent));
    (out.problems.empty() ? out.agent : out.shown) = std::move(read);
    return out;
  }

  json::object definition_of(const core::agent_config& agent) const override {
    core::agent_config usual;
    usual.name = agent.id.str();
    auto out = write_fields<core::agent_config>(agent, agent_fields());
    leave_out_usual(out, write_fields<core::agent_config>(usual, agent_fields()));
    return out;
  }

 private:
  /// A fault about the project is told of the field that meets it.
  static transport::agent_problem told(const fault& f) {
    if (!f.pointer.starts_with("/projects/")) return {f.pointer, f.text};
    return {"/model", "the project has a budget (" + f.pointer + " in the configuration file): " + f.text};
  }

  static void check_policy(const core::agent_config& agent) {
    if (agent.on_busy == core::busy_policy::steer || agent.on_busy == core::busy_policy::merge)
      throw fault{"/on_busy",
                  std::string(core::to_string(agent.on_busy)) + " is not supported yet; use queue, reject or interrupt"};
  }

  /// The file, with the agents that there are now: those that cannot be used may be named too, they may be mended.
  const document& known_to(const core::project_id& project) const {
    auto& agents = file_.agents[project];
    agents.clear();
    if (auto found = config_->projects.find(project); found != config_->projects.end())
      for (const auto& [id, agent] : found->second.agents) agents[id];
    const auto stored = config_->stored->of(project);
    for (const auto& [id, agent] : *stored)
      if (!agent.deleted) agents[id];
    return file_;
  }

  core::config_ptr config_;
  mutable document file_;
};

using version_record = core::agent_version_record;

transport::agent_parser::outcome read_definition(const version_record& version, const transport::agent_parser& parser) {
  boost::system::error_code failure;
  auto value = json::parse(version.definition, failure);
  if (failure || !value.is_object()) return {nullptr, {{"", "its stored definition is no JSON object"}}, nullptr};
  return parser.parse(version.project, version.agent, value.get_object());
}

std::string text_of(const transport::agent_problem& problem) {
  return problem.path.empty() ? problem.message : problem.path + ": " + problem.message;
}

core::stored_agent summary_of(const version_record& version) {
  core::stored_agent out;
  out.version = version.version;
  out.deleted = version.deleted;
  out.updated_at = version.created_at;
  out.updated_by = version.created_by;
  return out;
}

}  // namespace

std::shared_ptr<const transport::agent_parser> make_agent_parser(core::config_ptr config) {
  return std::make_shared<const definition_parser>(std::move(config));
}

core::result<std::vector<std::string>> load_stored_agents(const core::config& config, storage::queries& from,
                                                          const transport::agent_parser& parser, core::status_board& board) {
  std::vector<version_record> all;
  try {
    all = from.agent_versions_in_use();
  } catch (const core::bad_result& e) {
    return error{errc::storage_unavailable, std::string("reading the agents that are stored: ") + e.what()};
  }
  std::map<std::pair<core::project_id, core::agent_id>, const version_record*> newest;
  for (const auto& version : all) {
    auto& place = newest[{version.project, version.agent}];
    if (!place || place->version < version.version) place = &version;
  }
  // All are there before the first is read: they may name each other.
  for (const auto& entry : newest) config.stored->publish(entry.first.first, entry.first.second, summary_of(*entry.second));

  std::vector<std::string> said;
  for (const auto& [names, version] : newest) {
    const auto& [project, id] = names;
    const auto subject = "stored agent " + project.str() + "/" + id.str();
    if (version->deleted) continue;
    auto found = config.projects.find(project);
    if (found == config.projects.end()) {
      said.push_back(subject + " is not shown: the configuration file has no project " + project.str());
      continue;
    }
    if (found->second.agents.contains(id))
      said.push_back(subject + " is not shown: the configuration file has an agent of this id, which goes before it");
    auto read = read_definition(*version, parser);
    auto entry = summary_of(*version);
    entry.agent = std::move(read.agent);
    entry.shown = std::move(read.shown);
    if (!read.problems.empty()) {
      entry.problem = text_of(read.problems.front());
      said.push_back(subject + " version " + std::to_string(version->version) + " cannot be used: " + entry.problem);
      board.set("agents", project.str() + "/" + id.str(), entry.problem, false);
    }
    config.stored->publish(project, id, std::move(entry));
  }
  // What runs that are to go on began with.
  for (const auto& version : all) {
    if (version.deleted) continue;
    auto current = config.stored->find(version.project, version.agent);
    if (current && current->version == version.version && current->agent && current->agent->hash == version.hash) continue;
    if (!config.projects.contains(version.project)) continue;
    if (auto read = read_definition(version, parser); read.agent)
      config.stored->keep_version(version.hash, std::move(read.agent));
  }
  return said;
}

}  // namespace troupe::app
