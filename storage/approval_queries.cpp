#include "storage/approval_queries.hpp"

#include "storage/conditions.hpp"
#include "storage/rows.hpp"

namespace troupe::storage {

using namespace core;

// As the indexes of `approvals` have it: they are used only where a query says the same.
#define TROUPE_DECIDED "(decision IS NOT NULL)"
#define TROUPE_HOLDS "revoked_at_ms IS NULL AND (expires_at_ms IS NULL OR expires_at_ms > ?)"

std::optional<approval_record> find_approval(connection& db, approval_id id) {
  cursor c(db.statement("SELECT" TROUPE_APPROVAL_COLUMNS "FROM approvals WHERE id = ?"), id);
  if (!c.next()) return std::nullopt;
  return read_approval(c).record;
}

page<approval_record> list_approvals(connection& db, const approval_filter& filter, window w) {
  conditions where;
  if (filter.status == "pending") {
    where.add(TROUPE_DECIDED " = 0");
  } else if (filter.status) {
    where.add(TROUPE_DECIDED " = 1");
    where.add_equal("decision", filter.status);
  }
  where.add_equal("session", filter.session);
  if (!filter.session) where.add("origin IS NULL");
  where.add_visible("session", filter.visible_to, filter.project);
  where.add_equal("agent", filter.agent);
  where.add_equal("tool", filter.tool);
  if (filter.kind) where.add("kind = ?", {std::string(to_string(*filter.kind))});
  where.add_equal("risk", filter.risk);
  where.add_equal("decided_by", filter.decided_by);
  if (filter.since.count() > 0) where.add("created_at_ms >= ?", {std::int64_t{filter.since.count()}});
  // Where all are of one kind, its place in the order would only keep SQLite from using the index for the rest.
  const char* order = filter.status ? "created_at_ms DESC, id DESC" : TROUPE_DECIDED ", created_at_ms DESC, id DESC";
  return paged<approval_record>(db, "approvals", TROUPE_APPROVAL_COLUMNS, where, order, w,
                                [](cursor& c) { return read_approval(c).record; });
}

std::optional<grant_record> find_grant(connection& db, grant_id id) {
  cursor c(db.statement("SELECT" TROUPE_GRANT_COLUMNS "FROM grants WHERE id = ?"), id);
  if (!c.next()) return std::nullopt;
  return read_grant(c).record;
}

page<grant_record> list_grants(connection& db, const grant_filter& filter, window w) {
  conditions where;
  where.add_visible("session", filter.visible_to, filter.project);
  if (!filter.all) where.add(TROUPE_HOLDS, {std::int64_t{filter.now.count()}});
  return paged<grant_record>(db, "grants", TROUPE_GRANT_COLUMNS, where, "created_at_ms DESC, id DESC", w,
                             [](cursor& c) { return read_grant(c).record; });
}

std::vector<grant_record> grants_in_force(connection& db, millis now) {
  std::vector<grant_record> out;
  cursor c(db.statement("SELECT" TROUPE_GRANT_COLUMNS "FROM grants WHERE " TROUPE_HOLDS " ORDER BY created_at_ms, id"),
           std::int64_t{now.count()});
  while (c.next()) out.push_back(read_grant(c).record);
  return out;
}

}  // namespace troupe::storage
