// Agents over REST: making, changing and deleting them (docs/agents.md). The desk decides, these translate.
#include "transport/rest/rest_handlers.hpp"

#include "transport/rest/rest_json.hpp"

#include <algorithm>
#include <initializer_list>

namespace troupe::transport {

namespace json = boost::json;
using core::errc;

namespace {

constexpr std::size_t most_deleted_with = 100;

json::array problems_json(const std::vector<agent_problem>& problems) {
  json::array out;
  for (const auto& p : problems) out.push_back(json::object{{"path", p.path}, {"message", p.message}});
  return out;
}

/// Those that turn lines, ring bells or hide what stands there; where text may have several lines, all but line breaks and
/// tabs.
bool has_controls(std::string_view text, bool is_one_line) {
  return std::any_of(text.begin(), text.end(), [&](char c) {
    if (!is_one_line && (c == '\n' || c == '\r' || c == '\t')) return false;
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
}

/// Answers the call, and gives false, where a text that people are shown is none.
bool is_plain(const rest_call_ptr& call, std::string_view field, std::string_view text, bool is_one_line) {
  if (!has_controls(text, is_one_line)) return true;
  call->fail_field(field, is_one_line ? "must be one line without control characters"
                                      : "must have no control characters but line breaks and tabs");
  return false;
}

/// Answers the call where there is none.
std::optional<json::object> definition_field(const rest_call_ptr& call, const json::object& body) {
  const auto* value = body.if_contains("definition");
  if (!value || !value->is_object()) {
    call->fail_field("definition", value ? "must be an object" : "is required");
    return std::nullopt;
  }
  const auto& definition = value->get_object();
  for (std::string_view name : {"name", "description"}) {
    const auto* text = definition.if_contains(name);
    if (text && text->is_string() && !is_plain(call, "definition." + std::string(name), text->get_string(), name == "name"))
      return std::nullopt;
  }
  return definition;
}

/// `definition` and `note` of the body; answers the call where they are not as they should be.
std::optional<agent_desk::change> change_from(const rest_call_ptr& call, const json::object& body) {
  agent_desk::change out;
  out.by = call->principal().id;
  out.project = {call->parameter("p")};
  auto definition = definition_field(call, body);
  if (!definition) return std::nullopt;
  out.definition = std::move(*definition);
  auto note = call->body_string(body, "note", false);
  if (!note) return std::nullopt;
  if (note->size() > max_agent_note) {
    call->fail_field("note", "must have at most " + std::to_string(max_agent_note) + " bytes");
    return std::nullopt;
  }
  if (!is_plain(call, "note", *note, false)) return std::nullopt;
  out.note = std::move(*note);
  return out;
}

bool refuse_unknown(const rest_call_ptr& call, const json::object& body, std::initializer_list<std::string_view> known) {
  for (const auto& member : body) {
    if (std::find(known.begin(), known.end(), member.key()) != known.end()) continue;
    call->fail_field(std::string_view(member.key()).substr(0, 64), "is no field of this; the agent's own are in definition");
    return false;
  }
  return true;
}

void answer_saved(const rest_call_ptr& call, const agent_desk::saved& saved, int status, const core::project_id& project,
                  const core::agent_id& id) {
  if (!saved.problems.empty()) return call->fail_with_list(saved.result.error(), problems_json(saved.problems));
  if (!saved.result) return call->fail(saved.result.error());
  // The desk has just published it, on this thread.
  auto stored = call->config().stored->find(project, id);
  if (!stored) return call->fail({errc::internal_error, "The agent was stored and is not there."});
  call->answer(status, agent_json(id, project, *stored));
}

void save(const rest_call_ptr& call, agent_desk& desk, agent_desk::change change) {
  const int status = change.is_new ? 201 : 200;
  auto project = change.project;
  auto id = change.agent;
  desk.save(std::move(change),
            [call, status, project, id](const agent_desk::saved& saved) { answer_saved(call, saved, status, project, id); });
}

}  // namespace

/// POST /projects/{p}/agents {id, definition, note?}
void post_agent(const rest_call_ptr& call) {
  auto* desk = desk_of(call);
  if (!desk || !project_parameter(call)) return;
  auto body = call->body_object();
  if (!body || !refuse_unknown(call, *body, {"id", "definition", "note"})) return;
  auto id = call->body_string(*body, "id", true);
  if (!id) return;
  auto change = change_from(call, *body);
  if (!change) return;
  change->agent = {std::move(*id)};
  change->is_new = true;
  save(call, *desk, std::move(*change));
}

/// PUT /projects/{p}/agents/{a} {definition, note?, version?}
void put_agent(const rest_call_ptr& call) {
  auto* desk = desk_of(call);
  if (!desk || !project_parameter(call)) return;
  auto body = call->body_object();
  if (!body || !refuse_unknown(call, *body, {"definition", "note", "version"})) return;
  auto change = change_from(call, *body);
  if (!change) return;
  change->agent = {call->parameter("a")};
  if (const auto* version = body->if_contains("version"); version && !version->is_null()) {
    boost::system::error_code failure;
    const auto n = version->is_number() ? version->to_number<std::uint32_t>(failure) : 0U;
    if (failure || n == 0) return call->fail_field("version", "must be the number of the version that was edited");
    change->edited = n;
  }
  save(call, *desk, std::move(*change));
}

/// POST /projects/{p}/agents/check {id?, definition}: nothing is stored.
void post_agent_check(const rest_call_ptr& call) {
  auto* desk = desk_of(call);
  if (!desk) return;
  const auto* project = project_parameter(call);
  if (!project) return;
  auto body = call->body_object();
  if (!body || !refuse_unknown(call, *body, {"id", "definition"})) return;
  auto id = call->body_string(*body, "id", false);
  if (!id) return;
  auto definition = definition_field(call, *body);
  if (!definition) return;
  if (id->empty()) *id = "new-agent";
  const auto problems = desk->check(project->id, {*id}, *definition);
  call->answer(200, json::object{{"valid", problems.empty()}, {"problems", problems_json(problems)}});
}

/// DELETE /projects/{p}/agents/{a}?with=b,c: those that give work to each other go together, it last.
void delete_agent(const rest_call_ptr& call) {
  auto* desk = desk_of(call);
  if (!desk || !project_parameter(call)) return;
  std::vector<core::agent_id> agents;
  auto add = [&](std::string id) {
    core::agent_id agent{std::move(id)};
    if (std::find(agents.begin(), agents.end(), agent) == agents.end()) agents.push_back(std::move(agent));
  };
  const auto with = call->request.query_value("with");
  for (std::size_t from = 0; from < with.size();) {
    const auto end = std::min(with.find(',', from), with.size());
    if (auto id = std::string(with.substr(from, end - from)); !id.empty() && id != call->parameter("a")) add(std::move(id));
    if (agents.size() > most_deleted_with)
      return call->fail_field("with", "must name at most " + std::to_string(most_deleted_with) + " agents");
    from = end + 1;
  }
  add(call->parameter("a"));
  desk->remove(call->principal().id, {call->parameter("p")}, std::move(agents), [call](const agent_desk::saved& saved) {
    if (!saved.result) return call->fail(saved.result.error());
    answer_nothing(call);
  });
}

}  // namespace troupe::transport
