#include "transport/agent_desk.hpp"

#include "transport/gateway.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <utility>

namespace troupe::transport {

namespace json = boost::json;
using core::errc;
using core::error;

namespace {

error invalid(const core::agent_id& id, const std::vector<agent_problem>& problems) {
  auto more = problems.size() == 1 ? std::string() : " (and " + std::to_string(problems.size() - 1) + " more)";
  const auto& path = problems.front().path;
  return {errc::invalid_agent,
          "Agent " + id.str().substr(0, 64) + ": " + (path.empty() ? "" : path + ": ") + problems.front().message + more};
}

error conflict(const core::agent_id& id, std::uint32_t edited, const core::stored_agent& newest) {
  return {errc::version_conflict, "Version " + std::to_string(newest.version) + " of agent " + id.str() + " (by " +
                                      (newest.updated_by.empty() ? "somebody" : newest.updated_by) + ") is current, not " +
                                      std::to_string(edited) + "; read it again and repeat the change on it."};
}

bool has(const std::vector<core::agent_id>& list, const core::agent_id& id) {
  return std::find(list.begin(), list.end(), id) != list.end();
}

/// Who gives work to it, of the file's and the stored ones, without those that go with it; as a list with commas.
std::string users_of(const core::config& config, const core::project_id& project, const core::agent_id& id,
                     const std::vector<core::agent_id>& leaving) {
  std::string out;
  auto add = [&](const core::agent_config& agent) {
    if (!has(leaving, agent.id) && (has(agent.delegates, id) || has(agent.handoffs, id)))
      out += (out.empty() ? "" : ",") + agent.id.str();
  };
  for (const auto& agent : config.agents_of(project)) add(*agent);
  for (const auto& [other, stored] : *config.stored->of(project))
    if (!stored.deleted && !stored.agent && stored.shown) add(*stored.shown);
  return out;
}

}  // namespace

void agent_desk::save(change what, then done) {
  auto shared = std::make_shared<const change>(std::move(what));
  next([this, shared, done] { save_now(*shared, done); }, done);
}

void agent_desk::remove(std::string by, core::project_id project, std::vector<core::agent_id> agents, then done) {
  auto what = std::make_shared<const removal>(removal{std::move(by), std::move(project), std::move(agents), done});
  next([this, what] { remove_now(what); }, done);
}

std::vector<agent_problem> agent_desk::check(const core::project_id& project, const core::agent_id& id,
                                             const json::object& definition) const {
  if (auto size = json::serialize(definition).size(); size > max_agent_definition)
    return {{"", "has " + std::to_string(size) + " bytes; the most is " + std::to_string(max_agent_definition)}};
  return parser_->parse(project, id, definition).problems;
}

void agent_desk::next(std::function<void()> work, const then& done) {
  if (waiting_.size() >= most_waiting)
    return done({error{errc::busy, "Too many changes of agents wait already; try again shortly."}});
  waiting_.push_back(std::move(work));
  if (std::exchange(is_busy_, true)) return;
  auto first = std::move(waiting_.front());
  waiting_.pop_front();
  first();
}

void agent_desk::finish(const then& done, saved with) {
  done(std::move(with));
  is_busy_ = !waiting_.empty();
  if (!is_busy_) return;
  // Not from within this call: a hundred that wait would be a hundred deep.
  way_.post([this, work = std::move(waiting_.front())] { work(); });
  waiting_.pop_front();
}

void agent_desk::save_now(const change& what, const then& done) {
  const auto& config = way_.config();
  auto refuse = [&](errc code, std::string text) { finish(done, {error{code, std::move(text)}}); };
  auto refuse_all = [&](std::vector<agent_problem> problems) {
    auto text = invalid(what.agent, problems);
    finish(done, {std::move(text), std::move(problems)});
  };
  const auto& id = what.agent.str();
  const auto newest = config.stored->find(what.project, what.agent);
  const bool is_there = newest && !newest->deleted;
  auto project = config.projects.find(what.project);
  if (project == config.projects.end()) return refuse(errc::not_found, "Project not found: " + what.project.str());
  if (project->second.agents.contains(what.agent)) {
    if (what.is_new) return refuse(errc::agent_exists, "The configuration file has an agent " + id + "; choose another id.");
    return refuse(errc::agent_in_configuration,
                  "Agent " + id + " is the configuration file's; edit the file, or store a copy under another id.");
  }
  if (what.is_new && is_there)
    return refuse(errc::agent_exists, "There is an agent " + id + " already; change it with PUT, or choose another id.");
  if (!what.is_new && !is_there) return refuse(errc::not_found, "Agent not found: " + id.substr(0, 64));
  if (what.edited && newest && *what.edited != newest->version) {
    auto lost = conflict(what.agent, *what.edited, *newest);
    return refuse(lost.code, std::move(lost.text));
  }
  if (!newest && config.stored->of(what.project)->size() >= max_stored_agents)
    return refuse_all({{"", "the project has " + std::to_string(max_stored_agents) +
                                " stored agents, deleted ones too, which is the most; change one of them instead"}});
  if (newest && newest->version >= max_agent_versions)
    return refuse_all(
        {{"", "it has " + std::to_string(max_agent_versions) + " versions, which is the most; store a copy under another id"}});
  auto text = json::serialize(what.definition);
  if (text.size() > max_agent_definition) return refuse_all(check(what.project, what.agent, what.definition));
  auto read = parser_->parse(what.project, what.agent, what.definition);
  if (!read.problems.empty()) return refuse_all(std::move(read.problems));

  core::agent_version_record version;
  version.project = what.project;
  version.agent = what.agent;
  version.version = newest ? newest->version + 1 : 1;
  version.definition = std::move(text);
  version.hash = read.agent->hash;
  version.note = what.note;
  version.created_by = what.by;
  store(std::move(version), std::move(read.agent), [this, done](const core::result<void>& r) { finish(done, {r}); });
}

void agent_desk::remove_now(const std::shared_ptr<const removal>& what) {
  for (const auto& agent : what->agents)
    if (auto may = may_remove(*what, agent); !may) return finish(what->done, {may.error()});
  remove_from(what, 0);
}

core::result<void> agent_desk::may_remove(const removal& what, const core::agent_id& agent) const {
  const auto& config = way_.config();
  const auto& project = what.project;
  auto found = config.projects.find(project);
  if (found == config.projects.end()) return error{errc::not_found, "Project not found: " + project.str()};
  const auto& id = agent.str();
  if (found->second.default_agent == agent)
    return error{errc::agent_is_default, "Agent " + id + " is the default agent of project " + project.str() +
                                             "; name another default_agent in the configuration file first."};
  if (found->second.agents.contains(agent))
    return error{errc::agent_in_configuration,
                 "Agent " + id + " is the configuration file's; take it out of the file and restart."};
  const auto newest = config.stored->find(project, agent);
  if (!newest || newest->deleted) return error{errc::not_found, "Agent not found: " + id.substr(0, 64)};
  if (auto users = users_of(config, project, agent, what.agents); !users.empty())
    return error{errc::agent_in_use, "Agent " + id + " is named in delegates or handoffs of: " + users +
                                         "; take it out there first, or delete them with it (?with=" + users + ")."};
  return {};
}

void agent_desk::remove_from(const std::shared_ptr<const removal>& what, std::size_t at) {
  core::agent_version_record version;
  version.project = what->project;
  version.agent = what->agents[at];
  version.version = way_.config().stored->find(version.project, version.agent)->version + 1;
  version.deleted = true;
  version.created_by = what->by;
  store(std::move(version), nullptr, [this, what, at](const core::result<void>& r) {
    if (!r || at + 1 == what->agents.size()) return finish(what->done, {r});
    remove_from(what, at + 1);
  });
}

/// On disk first; then everybody sees it, and then it is answered.
void agent_desk::store(core::agent_version_record version, core::agent_ptr agent,
                       std::function<void(core::result<void>)> then) {
  version.created_at = way_.environment().now();
  core::stored_agent shown;
  shown.version = version.version;
  shown.deleted = version.deleted;
  shown.agent = std::move(agent);
  shown.updated_at = version.created_at;
  shown.updated_by = version.created_by;
  auto publish = [this, project = version.project, id = version.agent, shown = std::move(shown)] {
    const auto before = way_.config().stored->find(project, id);
    way_.config().stored->publish(project, id, shown);
    if (before && !before->problem.empty()) board_->set("agents", project.str() + "/" + id.str(), "ready", true);
  };
  way_.store_agent(std::move(version), [publish = std::move(publish), then = std::move(then)](const core::result<void>& r) {
    if (r) publish();
    then(r);
  });
}

}  // namespace troupe::transport
