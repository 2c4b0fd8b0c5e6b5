// Who is in which session, across dialects: the clients of this io thread that entered its room. Changes go to the session's
// sinks as transient events. io thread only.
#pragma once

#include "transport/gateway.hpp"

#include <cstdint>
#include <map>
#include <vector>

namespace troupe::transport {

class presence {
 public:
  using user = core::presence_changed::user;

  explicit presence(gateway& way) : gateway_(way) {}

  /// False where that connection is there already.
  bool enter(core::session_id session, std::uint64_t connection, user who);
  void leave(core::session_id session, std::uint64_t connection);
  /// In the order they came, one entry per user.
  [[nodiscard]] std::vector<user> users(core::session_id session) const;

 private:
  struct present {
    std::uint64_t connection = 0;
    user who;
  };
  void announce(core::session_id session, std::uint64_t connection, const user& who, core::presence_changed::what change);

  gateway& gateway_;
  std::map<core::session_id, std::vector<present>> rooms_;
};

}  // namespace troupe::transport
