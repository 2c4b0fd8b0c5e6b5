#include "core/environment.hpp"

#include <atomic>
#include <random>

namespace troupe::core {

namespace {

class system_environment_t final : public environment {
 public:
  millis now() const noexcept override {
    return std::chrono::duration_cast<millis>(std::chrono::system_clock::now().time_since_epoch());
  }

  uuid new_uuid() override {
    // RFC 9562 §5.7: 48 bits of milliseconds, then a counter that keeps one process's ids in order, then randomness.
    auto ms = static_cast<std::uint64_t>(now().count());
    auto count = counter_.fetch_add(1, std::memory_order_relaxed) & 0xFFF;
    return {ms << 16 | 0x7000 | count, (random() >> 2) | 1ULL << 63};
  }

  uuid random_uuid() override { return {random(), random() | 1}; }

 private:
  static std::uint64_t random() {
    thread_local std::mt19937_64 engine = [] {
      std::random_device device;
      std::seed_seq seed{device(), device(), device(), device(), device(), device(), device(), device()};
      return std::mt19937_64(seed);
    }();
    return engine();
  }

  std::atomic<std::uint64_t> counter_{0};
};

}  // namespace

std::shared_ptr<environment> system_environment() { return std::make_shared<system_environment_t>(); }

}  // namespace troupe::core
