#include "storage/agent_versions.hpp"

#include "storage/conditions.hpp"
#include "storage/rows.hpp"

#include <boost/json/parse.hpp>

#include <charconv>

namespace troupe::storage {

using namespace core;

namespace {

#define TROUPE_VERSION_HEAD " v.project, v.id, v.version, v.deleted, v.hash, v.note, v.created_by, v.created_at_ms, "
#define TROUPE_VERSION_COLUMNS TROUPE_VERSION_HEAD "v.definition "

std::uint64_t hash_from(const std::string& text) {
  std::uint64_t hash = 0;
  std::from_chars(text.data(), text.data() + text.size(), hash, 16);
  return hash;
}

agent_version_record read_version(cursor& c) {
  agent_version_record v;
  c.read(v.project, v.agent, v.version);
  v.deleted = c.integer() != 0;
  v.hash = hash_from(c.text());
  c.read(v.note, v.created_by, v.created_at, v.definition);
  return v;
}

bool is_object(const std::string& text) {
  boost::system::error_code failure;
  const auto value = boost::json::parse(text, failure);
  return !failure && value.is_object();
}

}  // namespace

void add_agent_version(connection& db, const agent_version_record& v) {
  run(db.statement(
          "INSERT INTO agent_versions (project, id, version, deleted, hash, note, created_by, created_at_ms, definition)"
          " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"),
      v.project, v.agent, v.version, v.deleted, hash_text(v.hash), v.note, v.created_by, v.created_at, v.definition);
}

page<agent_version_record> list_agent_versions(connection& db, const project_id& project, const agent_id& agent, window w) {
  conditions where;
  where.add("v.project = ?", {project.str()});
  where.add("v.id = ?", {agent.str()});
  return paged<agent_version_record>(db, "agent_versions v", TROUPE_VERSION_HEAD "'' ", where, "v.version DESC", w,
                                     read_version);
}

std::optional<agent_version_record> find_agent_version(connection& db, const project_id& project, const agent_id& agent,
                                                       std::uint32_t version) {
  cursor c(
      db.statement("SELECT" TROUPE_VERSION_COLUMNS "FROM agent_versions v WHERE v.project = ? AND v.id = ? AND v.version = ?"),
      project, agent, version);
  if (!c.next()) return std::nullopt;
  return read_version(c);
}

std::optional<agent_version_record> find_agent_version_of(connection& db, const project_id& project, const agent_id& agent,
                                                          std::uint64_t hash) {
  cursor c(db.statement("SELECT" TROUPE_VERSION_COLUMNS
                        "FROM agent_versions v WHERE v.project = ? AND v.id = ? AND v.hash = ? AND NOT v.deleted"
                        " ORDER BY v.version DESC LIMIT 1"),
           project, agent, hash_text(hash));
  if (!c.next()) return std::nullopt;
  return read_version(c);
}

std::vector<agent_version_record> newest_agent_versions(connection& db) {
  std::vector<agent_version_record> out;
  cursor c(db.statement("SELECT" TROUPE_VERSION_COLUMNS
                        "FROM (SELECT project, id, max(version) AS version FROM agent_versions GROUP BY project, id) w"
                        " JOIN agent_versions v ON v.project = w.project AND v.id = w.id AND v.version = w.version"
                        " ORDER BY v.project, v.id"));
  while (c.next()) out.push_back(read_version(c));
  return out;
}

std::vector<finding> check_agent_versions(connection& db) {
  std::vector<finding> out;
  agent_version_record before;
  cursor c(db.statement("SELECT" TROUPE_VERSION_COLUMNS "FROM agent_versions v ORDER BY v.project, v.id, v.version"));
  while (c.next()) {
    auto v = read_version(c);
    const bool is_first = v.project != before.project || v.agent != before.agent;
    const auto subject = "agent " + v.project.str() + "/" + v.agent.str();
    const auto name = "version " + std::to_string(v.version);
    const auto expected = is_first ? 1 : before.version + 1;
    if (v.version != expected) out.push_back({subject, name + " stands where version " + std::to_string(expected) + " should"});
    if (v.deleted ? !v.definition.empty() : !is_object(v.definition))
      out.push_back(
          {subject, name + (v.deleted ? " is a deletion, and has a definition" : " has no JSON object as definition")});
    if (v.deleted && (is_first || before.deleted)) out.push_back({subject, name + " deletes what is not there"});
    before = std::move(v);
  }
  return out;
}

}  // namespace troupe::storage
