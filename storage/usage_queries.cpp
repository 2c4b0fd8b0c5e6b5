#include "storage/usage_queries.hpp"

#include "storage/conditions.hpp"
#include "storage/rows.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <tuple>

namespace troupe::storage {

using namespace core;

namespace {

millis begin_of_day(millis at) { return std::chrono::floor<std::chrono::days>(at); }

// By the time of each bill, as the sums of days are: when the run began, or ended, says nothing of it.
#define TROUPE_USAGE_SUMS ", sum(u.cost_micro_usd), sum(u.prompt_tokens + u.completion_tokens), count(*)"
#define TROUPE_USAGE_WHERE " WHERE u.project = ?1 AND coalesce(u.at_ms, 0) >= ?2 GROUP BY 1, 5, 6"

std::string shares_of(usage_key key) {
  switch (key) {
    case usage_key::session:
      return "SELECT u.session" TROUPE_USAGE_SUMS ", '', '' FROM usage u" TROUPE_USAGE_WHERE;
    case usage_key::user:
      return "SELECT s.owner" TROUPE_USAGE_SUMS ", '', '' FROM usage u JOIN sessions s ON s.id = u.session" TROUPE_USAGE_WHERE;
    case usage_key::model:
      return "SELECT u.provider || '/' || u.model" TROUPE_USAGE_SUMS ", u.provider, u.model FROM usage u" TROUPE_USAGE_WHERE;
    default:
      return "SELECT agent, sum(cost_micro_usd), sum(tokens), sum(requests), '', '' FROM usage_agent_days WHERE project = ?1"
             " AND day >= strftime('%Y-%m-%d', ?2 / 1000, 'unixepoch') GROUP BY 1";
  }
}

}  // namespace

std::vector<usage_day> usage_by_day(connection& db, const project_id& project, millis since) {
  std::vector<usage_day> out;
  cursor c(
      db.statement("SELECT day, cost_micro_usd, tokens, requests FROM usage_days WHERE project = ? AND day >= ? ORDER BY day"),
      project, day_of(since));
  while (c.next()) {
    auto& d = out.emplace_back();
    c.read(d.date, d.cost, d.tokens, d.requests);
  }
  return out;
}

page<usage_share> usage_by(connection& db, const project_id& project, millis since, usage_key key, window w) {
  page<usage_share> out;
  auto shares = shares_of(key);
  auto from = begin_of_day(std::max(since, millis(0)));
  auto bind = [&](cursor& c) {
    c.add(project);
    c.add(std::int64_t{from.count()});
  };
  {
    cursor c(db.statement("SELECT count(*) FROM (" + shares + ")"));
    bind(c);
    if (c.next()) out.total = c.integer();
  }
  cursor c(db.statement(shares + " ORDER BY 2 DESC, 1 LIMIT ?3 OFFSET ?4"));
  bind(c);
  c.add(std::max<std::int64_t>(w.limit, 0));
  c.add(std::max<std::int64_t>(w.offset, 0));
  while (c.next()) {
    auto& share = out.items.emplace_back();
    c.read(share.key, share.cost, share.tokens, share.requests, share.provider, share.model);
  }
  return out;
}

page<alert_record> list_alerts(connection& db, const alert_filter& filter, window w) {
  conditions where;
  where.add_visible("session", filter.visible_to, filter.project);
  return paged<alert_record>(db, "alerts", " at_ms, scope, subject, percent, spend_micro_usd, budget_micro_usd, session ",
                             where, "n DESC", w, [](cursor& c) {
                               alert_record a;
                               c.read(a.at, a.scope, a.id, a.percent, a.spend, a.budget, a.session);
                               return a;
                             });
}

bool has_alerts_of(connection& db, const session_projection& folded) {
  using value = std::tuple<std::string, std::string, std::int32_t, micro_usd, micro_usd, millis, project_id>;
  std::map<seq_t, value> stored;
  std::map<seq_t, value> told;
  for (const auto& row : folded.alerts) {
    const auto& a = row.record;
    told.emplace(row.seq, value{a.scope, a.id, a.percent, a.spend, a.budget, a.at, folded.session.project});
  }
  cursor c(db.statement("SELECT seq, scope, subject, percent, spend_micro_usd, budget_micro_usd, at_ms, project FROM alerts"
                        " WHERE session = ?"),
           folded.session.id);
  while (c.next()) {
    auto& [scope, subject, percent, spend, budget, at, project] = stored[static_cast<seq_t>(c.integer())];
    c.read(scope, subject, percent, spend, budget, at, project);
  }
  return stored == told;
}

std::vector<agent_day> usage_since(connection& db, millis since) {
  std::vector<agent_day> out;
  cursor c(
      db.statement("SELECT project, agent, CAST(strftime('%s', day) AS INTEGER) * 1000, cost_micro_usd FROM usage_agent_days"
                   " WHERE day >= ? ORDER BY day, project, agent"),
      day_of(since));
  while (c.next()) {
    auto& d = out.emplace_back();
    c.read(d.project, d.agent, d.day, d.cost);
  }
  return out;
}

}  // namespace troupe::storage
