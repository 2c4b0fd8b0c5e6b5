// The messages that wait in a session, in order, followed through its log: which one a new order has moved, and where to. Pure.
#pragma once

#include "core/event.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace troupe::app {

class queue_order {
 public:
  struct move {
    core::message_id message;
    std::uint32_t position = 0;  ///< 1-based
  };

  void apply(const core::event& e);
  [[nodiscard]] bool empty() const noexcept { return waiting_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return waiting_.size(); }
  /// The one move that leads to this order; nothing where none does.
  [[nodiscard]] std::optional<move> move_to(const std::vector<core::message_id>& order) const;

 private:
  std::vector<core::message_id> waiting_;
};

}  // namespace troupe::app
