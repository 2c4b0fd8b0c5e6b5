#include "actors/grants.hpp"

#include "tools/argument_tests.hpp"

#include <algorithm>

namespace troupe::actors {

struct grant_registry::held {
  core::grant_record record;
  std::vector<core::argument_test> when;

  [[nodiscard]] bool has_expired(core::millis now) const {
    return record.grant.expires_at.count() != 0 && now >= record.grant.expires_at;
  }
  [[nodiscard]] bool covers(const core::session_record& session) const {
    switch (record.grant.scope) {
      case core::grant_scope::session:
        return session.id == record.session;
      case core::grant_scope::agent:
        return session.project == record.project && session.agent == record.agent;
      case core::grant_scope::project:
        return session.project == record.project;
    }
    return false;
  }
};

void grant_registry::add(core::grant_record grant) {
  if (grant.revoked_at.count() != 0) return;
  held one{std::move(grant), {}};
  if (!one.record.grant.when.empty()) {
    auto when = tools::argument_tests_from(one.record.grant.when);
    if (!when) return;  // whoever cannot read the condition asks again
    one.when = std::move(*when);
  }
  auto shared = std::make_shared<const held>(std::move(one));
  std::lock_guard lock(mutex_);
  auto [begin, end] = by_tool_.equal_range(shared->record.grant.tool);
  for (auto it = begin; it != end;) {
    const auto& other = *it->second;
    it = other.record.grant.grant == shared->record.grant.grant || other.has_expired(shared->record.created_at)
             ? by_tool_.erase(it)
             : std::next(it);
  }
  by_tool_.emplace(shared->record.grant.tool, shared);
}

void grant_registry::revoke(const core::grant_id& id) {
  std::lock_guard lock(mutex_);
  std::erase_if(by_tool_, [&](const auto& entry) { return entry.second->record.grant.grant == id; });
}

std::optional<core::grant_id> grant_registry::find(const core::session_record& session, std::string_view tool,
                                                   const boost::json::object& arguments, core::millis now) const {
  std::vector<std::shared_ptr<const held>> found;
  {
    std::lock_guard lock(mutex_);
    auto [begin, end] = by_tool_.equal_range(tool);
    for (auto it = begin; it != end; ++it)
      if (it->second->covers(session) && !it->second->has_expired(now)) found.push_back(it->second);
  }
  for (const auto& one : found)
    if (tools::fits(one->when, arguments)) return one->record.grant.grant;
  return std::nullopt;
}

}  // namespace troupe::actors
