#include "transport/turn_gate.hpp"

#include <algorithm>
#include <utility>

namespace troupe::transport {

turn_gate::slot::~slot() {
  if (auto gate = gate_.lock()) gate->give_back(socket_);
}

turn_gate::ticket turn_gate::enter(std::uint64_t socket, std::function<void(std::unique_ptr<slot>)> granted) {
  // Those who left are swept out now and then: while no slot comes free nobody else would.
  if (waiting_.size() >= sweep_at_) {
    std::erase_if(waiting_, [](const auto& r) { return r.expired(); });
    sweep_at_ = std::max<std::size_t>(64, waiting_.size() * 2);
  }
  auto asked = std::make_shared<request>(request{socket, std::move(granted)});
  waiting_.push_back(asked);
  serve();
  return asked;
}

std::unique_ptr<turn_gate::slot> turn_gate::enter_now(std::uint64_t socket) { return take(socket); }

std::size_t turn_gate::waiting() const noexcept {
  return static_cast<std::size_t>(std::count_if(waiting_.begin(), waiting_.end(), [](const auto& r) { return !r.expired(); }));
}

std::unique_ptr<turn_gate::slot> turn_gate::take(std::uint64_t socket) {
  --free_;
  ++under_way_[socket];
  return std::make_unique<slot>(weak_from_this(), socket);
}

void turn_gate::give_back(std::uint64_t socket) {
  ++free_;
  if (auto it = under_way_.find(socket); it != under_way_.end() && --it->second == 0) under_way_.erase(it);
  serve();
}

void turn_gate::serve() {
  if (std::exchange(serving_, true)) return;  // the one that is serving goes on
  auto alive = shared_from_this();
  while (free_ > 0) {
    auto first = next();
    if (!first) break;
    auto granted = std::move(first->granted);
    granted(take(first->socket));
  }
  serving_ = false;
}

std::shared_ptr<turn_gate::request> turn_gate::next() {
  auto best = waiting_.end();
  std::uint32_t fewest = 0;
  for (auto it = waiting_.begin(); it != waiting_.end(); ++it) {
    auto r = it->lock();
    if (!r) continue;
    auto turns = under_way_.find(r->socket);
    auto count = turns == under_way_.end() ? 0 : turns->second;
    if (best != waiting_.end() && count >= fewest) continue;
    best = it;
    fewest = count;
    if (count == 0) break;
  }
  if (best == waiting_.end()) {
    waiting_.clear();  // all have left
    return nullptr;
  }
  auto found = best->lock();
  waiting_.erase(best);
  return found;
}

}  // namespace troupe::transport
