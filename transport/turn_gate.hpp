// How many turns may run at once, and whose turn is next: fair across the sockets that wait, first come first served within
// one (PROTOCOLS §3, capacity). One per server; io thread only.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>

namespace troupe::transport {

class turn_gate : public std::enable_shared_from_this<turn_gate> {
 public:
  /// Holds one slot; gives it back when dropped.
  class slot {
   public:
    slot(std::weak_ptr<turn_gate> gate, std::uint64_t socket) : gate_(std::move(gate)), socket_(socket) {}
    ~slot();
    slot(const slot&) = delete;
    slot& operator=(const slot&) = delete;

   private:
    std::weak_ptr<turn_gate> gate_;
    std::uint64_t socket_;
  };
  /// A place in the queue; dropping it leaves the queue.
  using ticket = std::shared_ptr<void>;

  explicit turn_gate(std::uint32_t slots) : free_(slots) {}

  /// Calls `granted` once with a slot: at once or later, never from inside another `granted`. `socket` is who asks: those who
  /// have fewer turns under way go first, then those who came first.
  [[nodiscard]] ticket enter(std::uint64_t socket, std::function<void(std::unique_ptr<slot>)> granted);
  /// Takes a slot without waiting, even where none is free: a run that a person's decision sets going again.
  [[nodiscard]] std::unique_ptr<slot> enter_now(std::uint64_t socket);
  [[nodiscard]] std::size_t waiting() const noexcept;

 private:
  struct request {
    std::uint64_t socket = 0;
    std::function<void(std::unique_ptr<slot>)> granted;
  };
  [[nodiscard]] std::unique_ptr<slot> take(std::uint64_t socket);
  void give_back(std::uint64_t socket);
  void serve();
  [[nodiscard]] std::shared_ptr<request> next();

  std::int64_t free_;                                 ///< below 0 while decisions have set more going than there are slots
  std::map<std::uint64_t, std::uint32_t> under_way_;  ///< turns by socket, none of them 0
  std::deque<std::weak_ptr<request>> waiting_;        ///< in the order they came; those that left expire
  std::size_t sweep_at_ = 64;
  bool serving_ = false;
};

}  // namespace troupe::transport
