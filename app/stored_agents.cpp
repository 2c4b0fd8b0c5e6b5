#include "app/stored_agents.hpp"

#include "app/configuration_fields.hpp"

#include <boost/json/parse.hpp>

#include <mutex>
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

  /// The file, with the agents that there are now: those that cannot be used may be named too, they may be mended. Made anew
  /// only when the catalogue has changed: a start reads a thousand against one of them.
  const document& known_to(const core::project_id& project) const {
    auto now = config_->stored->all();
    if (now != known_) {
      file_.agents.clear();
      known_ = std::move(now);
    }
    if (file_.agents.contains(project)) return file_;
    auto& agents = file_.agents[project];
    if (auto found = config_->projects.find(project); found != config_->projects.end())
      for (const auto& [id, agent] : found->second.agents) agents[id];
    if (auto stored = known_->find(project); stored != known_->end())
      for (const auto& [id, agent] : stored->second)
        if (!agent.deleted) agents[id];
    return file_;
  }

  core::config_ptr config_;
  mutable document file_;
  mutable std::shared_ptr<const core::agent_catalogue::contents> known_;  ///< that `file_` has the agents of
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
  std::vector<version_record> newest;
  try {
    newest = from.newest_agent_versions();
  } catch (const core::bad_result& e) {
    return error{errc::storage_unavailable, std::string("reading the agents that are stored: ") + e.what()};
  }
  // All are there before the first is read: they may name each other.
  core::agent_catalogue::contents all;
  for (const auto& version : newest) all[version.project][version.agent] = summary_of(version);
  config.stored->publish(all);

  std::vector<std::string> said;
  for (const auto& version : newest) {
    const auto& project = version.project;
    const auto& id = version.agent;
    const auto subject = "stored agent " + project.str() + "/" + id.str();
    if (version.deleted) continue;
    auto found = config.projects.find(project);
    if (found == config.projects.end()) {
      said.push_back(subject + " is not shown: the configuration file has no project " + project.str());
      continue;
    }
    if (found->second.agents.contains(id))
      said.push_back(subject + " is not shown: the configuration file has an agent of this id, which goes before it");
    auto read = read_definition(version, parser);
    auto& entry = all[project][id];
    entry.agent = std::move(read.agent);
    entry.shown = std::move(read.shown);
    if (!read.problems.empty()) {
      entry.problem = text_of(read.problems.front());
      said.push_back(subject + " version " + std::to_string(version.version) + " cannot be used: " + entry.problem);
      board.set("agents", project.str() + "/" + id.str(), entry.problem, false);
    }
  }
  config.stored->publish(std::move(all));
  return said;
}

struct former_agents::reading {
  std::mutex mutex;
  std::unique_ptr<storage::queries> from;  ///< null: no more
  std::shared_ptr<const transport::agent_parser> parser;

  core::agent_ptr operator()(const core::project_id& project, const core::agent_id& id, std::uint64_t hash) {
    std::lock_guard lock(mutex);
    if (!from) return nullptr;
    try {
      auto version = from->agent_version_of(project, id, hash);
      return version ? read_definition(*version, *parser).agent : nullptr;
    } catch (const core::bad_result&) {
      return nullptr;  // as one that was never stored: who asked goes on with the newest
    }
  }
};

former_agents::former_agents(const core::config_ptr& config, std::unique_ptr<storage::queries> from)
    : catalogue_(config->stored), reading_(std::make_shared<reading>()) {
  reading_->from = std::move(from);
  reading_->parser = make_agent_parser(config);
  catalogue_->read_versions_from(
      [r = reading_](const auto& project, const auto& id, std::uint64_t hash) { return (*r)(project, id, hash); });
}

former_agents::~former_agents() {
  catalogue_->read_versions_from({});
  std::lock_guard lock(reading_->mutex);
  reading_->from.reset();
  reading_->parser.reset();
}

}  // namespace troupe::app
