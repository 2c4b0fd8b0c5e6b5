// Agents over REST: those of the configuration file and those that people made, and the versions of the latter. Changing them:
// agents_edit.cpp.
#include "transport/rest/rest_handlers.hpp"

#include "transport/rest/rest_json.hpp"

#include <boost/json/parse.hpp>

#include <charconv>
#include <map>

namespace troupe::transport {

namespace json = boost::json;
using core::errc;
using version_record = core::agent_version_record;

namespace {

core::agent_id agent_parameter(const rest_call_ptr& call) { return {call->parameter("a")}; }

void fail_missing(const rest_call_ptr& call) {
  call->fail({errc::not_found, "Agent not found: " + call->parameter("a").substr(0, 64)});
}

/// The file's agent goes before a stored one of its id.
std::optional<json::object> find_json(const core::config& config, const core::project_config& project,
                                      const core::agent_id& id) {
  if (auto found = project.agents.find(id); found != project.agents.end())
    return agent_json(*found->second, id == project.default_agent);
  auto stored = config.stored->find(project.id, id);
  if (!stored || stored->deleted) return std::nullopt;
  return agent_json(id, project.id, *stored);
}

json::object version_json(const version_record& v) {
  return {{"version", v.version},
          {"createdAt", iso_time(v.created_at)},
          {"createdBy", v.created_by},
          {"note", v.note},
          {"deleted", v.deleted}};
}

void list_deleted(const rest_call_ptr& call, const core::project_config& project) {
  if (!call->principal().may(core::scope::admin))
    return call->fail({errc::forbidden, "Only admins see which agents were deleted."});
  json::array items;
  const auto stored = call->config().stored->of(project.id);
  for (const auto& [id, a] : *stored)
    if (a.deleted) items.push_back(agent_json(id, project.id, a));
  answer_list(call, std::move(items));
}

json::value parsed(const std::string& definition) {
  boost::system::error_code failure;
  auto out = json::parse(definition, failure);
  return failure ? json::value(nullptr) : out;
}

}  // namespace

/// GET /projects/{p}/agents; ?deleted=true: of those that are stored, the deleted ones
void get_agents(const rest_call_ptr& call) {
  const auto* p = project_parameter(call);
  if (!p) return;
  const auto deleted = call->request.query_value("deleted");
  if (!deleted.empty() && deleted != "true" && deleted != "false") return call->fail_field("deleted", "must be true or false");
  if (deleted == "true") return list_deleted(call, *p);
  std::map<core::agent_id, json::object> all;
  for (const auto& [id, a] : p->agents) all.emplace(id, agent_json(*a, id == p->default_agent));
  const auto stored = call->config().stored->of(p->id);
  for (const auto& [id, a] : *stored)
    if (!a.deleted) all.emplace(id, agent_json(id, p->id, a));
  json::array items;
  for (auto& [id, item] : all) items.push_back(std::move(item));
  answer_list(call, std::move(items));
}

agent_desk* desk_of(const rest_call_ptr& call) {
  auto* desk = call->way().agents();
  if (!desk) call->fail({errc::not_found, "This server keeps no agents over REST."});
  return desk;
}

/// GET /projects/{p}/agents/{a}
void get_agent(const rest_call_ptr& call) {
  const auto* p = project_parameter(call);
  if (!p) return;
  auto found = find_json(call->config(), *p, agent_parameter(call));
  found ? call->answer(200, std::move(*found)) : fail_missing(call);
}

/// GET /projects/{p}/agents/{a}/definition: also of the file's, so that one can be copied.
void get_agent_definition(const rest_call_ptr& call) {
  const auto* p = project_parameter(call);
  if (!p) return;
  const auto id = agent_parameter(call);
  auto answer = [call, id](const char* source, json::value version, json::value definition) {
    call->answer(
        200, json::object{
                 {"id", id.str()}, {"source", source}, {"version", std::move(version)}, {"definition", std::move(definition)}});
  };
  if (auto of_file = p->agents.find(id); of_file != p->agents.end()) {
    const auto* desk = desk_of(call);
    if (!desk) return;
    return answer("configuration", nullptr, desk->parser().definition_of(*of_file->second));
  }
  auto stored = call->config().stored->find(p->id, id);
  if (!stored || stored->deleted) return fail_missing(call);
  core::get_agent_version question{p->id, id, stored->version};
  call->ask<version_record>(std::move(question),
                            [answer](const version_record& v) { answer("stored", v.version, parsed(v.definition)); });
}

/// GET /projects/{p}/agents/{a}/versions: newest first, also of one that is deleted; none of one that was only in the file.
void get_agent_versions(const rest_call_ptr& call) {
  auto w = call->window();
  if (!w) return;
  const auto* p = project_parameter(call);
  if (!p) return;
  const auto id = agent_parameter(call);
  if (!p->agents.contains(id) && !call->config().stored->find(p->id, id)) return fail_missing(call);
  core::list_agent_versions question{p->id, id, *w};
  call->ask<core::page<version_record>>(std::move(question), [call, w = *w](const core::page<version_record>& page) {
    json::array items;
    for (const auto& v : page.items) items.push_back(version_json(v));
    call->answer(200, list_of(std::move(items), page.total, w));
  });
}

/// GET /projects/{p}/agents/{a}/versions/{n}
void get_agent_version(const rest_call_ptr& call) {
  const auto* p = project_parameter(call);
  if (!p) return;
  const auto& text = call->parameter("n");
  std::uint32_t n = 0;
  auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), n);
  const auto id = agent_parameter(call);
  const auto name = text.substr(0, 20) + " of agent " + id.str().substr(0, 64);
  if (failure != std::errc{} || end != text.data() + text.size())
    return call->fail({errc::not_found, "Version not found: " + name});
  call->find<version_record>(core::get_agent_version{p->id, id, n}, "Version", name, [call](const version_record& v) {
    auto out = version_json(v);
    out["definition"] = v.deleted ? json::value(nullptr) : parsed(v.definition);
    call->answer(200, std::move(out));
  });
}

}  // namespace troupe::transport
