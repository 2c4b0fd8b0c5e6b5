#include "storage/session_queries.hpp"

#include "storage/conditions.hpp"
#include "storage/rows.hpp"

#include <algorithm>
#include <utility>

namespace troupe::storage {

using namespace core;

namespace {

constexpr std::size_t short_id_digits = 24;

session_record with_participants(connection& db, session_record s) {
  cursor c(db.statement("SELECT user FROM participants WHERE session = ? ORDER BY user"), s.id);
  while (c.next()) s.participants.push_back(c.text());
  return s;
}

// Titles of all that `where` selects; messages of those used last.
void add_search(conditions& where, const std::string& text) {
  auto pattern = like_pattern(text);
  auto most = std::to_string(max_searched);
  std::vector<conditions::bound> values{pattern};
  values.insert(values.end(), where.values().begin(), where.values().end());
  values.emplace_back(pattern);
  where.add("(title LIKE ? ESCAPE '\\' OR id IN (SELECT s.id FROM (SELECT id, message_rows FROM sessions" + where.text() +
                " ORDER BY updated_at_ms DESC LIMIT " + most +
                ") s WHERE EXISTS (SELECT 1 FROM messages m WHERE m.session = s.id AND m.number > s.message_rows - " + most +
                " AND NOT m.removed AND m.content LIKE ? ESCAPE '\\')))",
            std::move(values));
}

/// The canonical text of 24 hex digits as far as they go; nothing where they are none.
std::optional<std::string> start_of_id(const std::string& text) {
  if (text.size() != short_id_digits) return std::nullopt;
  auto id = session_id::parse(text.substr(0, 8) + "-" + text.substr(8, 4) + "-" + text.substr(12, 4) + "-" +
                              text.substr(16, 4) + "-" + text.substr(20) + "00000000");
  if (!id) return std::nullopt;
  auto canonical = id->str();
  canonical.resize(canonical.size() - 8);
  return canonical;
}

}  // namespace

std::optional<session_record> find_session(connection& db, session_id id) {
  std::optional<session_record> out;
  {
    cursor c(db.statement("SELECT" TROUPE_SESSION_COLUMNS "FROM sessions WHERE id = ?"), id);
    if (c.next()) out = read_session(c).session;
  }
  if (out) out = with_participants(db, std::move(*out));
  return out;
}

page<session_record> list_sessions(connection& db, const session_filter& filter, window w) {
  if (filter.text.size() > max_search_bytes) return {};
  conditions where;
  if (filter.status != session_status::deleted) where.add("status <> 'deleted'");
  where.add_visible("id", filter.visible_to, filter.project);
  if (!filter.with_children) where.add("parent IS NULL");
  where.add_equal("dialect", filter.dialect);
  where.add_equal("owner", filter.owner);
  if (filter.status) where.add("status = ?", {std::string(to_string(*filter.status))});
  if (filter.updated_since.count() > 0) where.add("updated_at_ms >= ?", {std::int64_t{filter.updated_since.count()}});
  if (!filter.text.empty()) add_search(where, filter.text);
  return paged<session_record>(db, "sessions", TROUPE_SESSION_COLUMNS, where, "updated_at_ms DESC, id DESC", w,
                               [&](cursor& c) { return with_participants(db, read_session(c).session); });
}

std::vector<session_record> list_children(connection& db, session_id id) {
  std::vector<session_record> out;
  {
    cursor c(db.statement("SELECT" TROUPE_SESSION_COLUMNS "FROM sessions WHERE parent = ? AND status <> 'deleted' ORDER BY n"),
             id);
    while (c.next()) out.push_back(read_session(c).session);
  }
  for (auto& s : out) s = with_participants(db, std::move(s));
  return out;
}

std::optional<session_id> resolve(connection& db, const project_id& project, const std::string& text) {
  auto found = [&](const std::string& from, const std::string& to) -> std::optional<session_id> {
    cursor c(db.statement("SELECT id FROM sessions WHERE id BETWEEN ? AND ? ORDER BY id LIMIT 1"), from, to);
    if (!c.next()) return std::nullopt;
    session_id id;
    c.read(id);
    return id;
  };
  if (auto id = session_id::parse(text)) return found(id->str(), id->str());
  if (auto start = start_of_id(text))
    if (auto id = found(*start + "00000000", *start + "ffffffff")) return id;
  // As transport/dialects/conversation.cpp makes ids of its clients' names.
  auto id = session_id{uuid_of_name(project.str() + "/conversation/" + text)}.str();
  return found(id, id);
}

}  // namespace troupe::storage
