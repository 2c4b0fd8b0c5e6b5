#include "app/scenario/virtual_world.hpp"

namespace troupe::app {

core::uuid virtual_environment::new_uuid() {
  constexpr std::uint64_t start_ms = 1'700'000'000'000;
  return {start_ms << 16 | 0x7000, 1ULL << 63 | ++ids_};
}

core::uuid virtual_environment::random_uuid() {
  // splitmix64: looks random, repeats itself in every run.
  auto x = ++random_ids_ * 0x9E3779B97F4A7C15ULL;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return {x ^ (x >> 31), random_ids_};
}

class virtual_timers::handle final : public core::timer {
 public:
  handle(std::weak_ptr<std::map<key, std::function<void()>>> waiting, key k) : waiting_(std::move(waiting)), key_(k) {}
  handle(const handle&) = delete;
  handle& operator=(const handle&) = delete;
  ~handle() override {
    auto waiting = waiting_.lock();
    if (!waiting) return;
    // The function may own this handle: it goes after the entry.
    if (auto node = waiting->extract(key_)) node.mapped() = nullptr;
  }

 private:
  std::weak_ptr<std::map<key, std::function<void()>>> waiting_;
  key key_;
};

std::unique_ptr<core::timer> virtual_timers::after(std::chrono::milliseconds delay, std::function<void()> f) {
  key k{environment_.now() + std::max(delay, std::chrono::milliseconds{0}), ++count_};
  waiting_->emplace(k, std::move(f));
  return std::make_unique<handle>(waiting_, k);
}

std::optional<core::millis> virtual_timers::next_due() const {
  if (waiting_->empty()) return std::nullopt;
  return waiting_->begin()->first.first;
}

void virtual_timers::fire_next() {
  auto node = waiting_->extract(waiting_->begin());
  node.mapped()();
}

void virtual_timers::drop_all() {
  while (!waiting_->empty()) {
    auto node = waiting_->extract(waiting_->begin());
    node.mapped() = nullptr;
  }
}

bool work_queue::run_one() {
  if (waiting_.empty()) return false;
  auto f = std::move(waiting_.front());
  waiting_.pop_front();
  f();
  return true;
}

}  // namespace troupe::app
