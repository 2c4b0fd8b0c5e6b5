// What Socket.IO clients that went away need when they come back within the recovery window (PROTOCOLS §6): by their private
// id, once. Bounded: the oldest give way. io thread only.
#pragma once

#include "core/event.hpp"

#include <deque>
#include <optional>
#include <string>
#include <unordered_map>

namespace troupe::transport {

class recovery_store {
 public:
  explicit recovery_store(core::millis window) : window_(window) {}

  void put(const std::string& pid, std::string principal, std::string state, core::millis now);
  /// Nothing where it is unknown, too old, or another principal's.
  [[nodiscard]] std::optional<std::string> take(const std::string& pid, const std::string& principal, core::millis now);
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

 private:
  struct entry {
    std::string principal;
    std::string state;
    core::millis left_at{0};
  };
  void forget_old(core::millis now);

  core::millis window_;
  std::unordered_map<std::string, entry> entries_;
  std::deque<std::pair<core::millis, std::string>> by_age_;
};

}  // namespace troupe::transport
