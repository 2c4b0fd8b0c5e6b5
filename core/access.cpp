#include "core/access.hpp"

#include <algorithm>

namespace troupe::core {

bool may_see(const principal& who, const session_record& session) noexcept {
  if (who.scopes == 0) return false;
  if (who.may(scope::admin) || who.id == session.owner) return true;
  return std::find(session.participants.begin(), session.participants.end(), who.id) != session.participants.end();
}

}  // namespace troupe::core
