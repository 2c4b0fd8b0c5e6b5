#include "transport/presence.hpp"

#include <algorithm>

namespace troupe::transport {

bool presence::enter(core::session_id session, std::uint64_t connection, user who) {
  auto& room = rooms_[session];
  if (std::any_of(room.begin(), room.end(), [&](const present& p) { return p.connection == connection; })) return false;
  room.push_back({connection, who});
  if (room.size() > 1) announce(session, connection, who, core::presence_changed::what::joined);
  return true;
}

void presence::leave(core::session_id session, std::uint64_t connection) {
  auto it = rooms_.find(session);
  if (it == rooms_.end()) return;
  auto& room = it->second;
  auto who = std::find_if(room.begin(), room.end(), [&](const present& p) { return p.connection == connection; });
  if (who == room.end()) return;
  auto gone = std::move(who->who);
  room.erase(who);
  if (room.empty())
    rooms_.erase(it);
  else
    announce(session, connection, gone, core::presence_changed::what::left);
}

std::vector<presence::user> presence::users(core::session_id session) const {
  std::vector<user> out;
  auto it = rooms_.find(session);
  if (it == rooms_.end()) return out;
  for (const auto& p : it->second)
    if (std::none_of(out.begin(), out.end(), [&](const user& u) { return u.id == p.who.id; })) out.push_back(p.who);
  return out;
}

void presence::announce(core::session_id session, std::uint64_t connection, const user& who,
                        core::presence_changed::what change) {
  gateway_.announce(session, core::presence_changed{users(session), who, change, connection});
}

}  // namespace troupe::transport
