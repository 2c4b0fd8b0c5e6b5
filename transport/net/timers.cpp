#include "transport/net/server.hpp"
#include "transport/net/server_core.hpp"

#include <atomic>

namespace troupe::transport {

namespace {

class io_thread_timer final : public core::timer {
 public:
  struct state {
    io_timer clock;
    std::function<void()> f;
    std::atomic<bool> is_cancelled{false};
  };

  explicit io_thread_timer(std::shared_ptr<state> s) : state_(std::move(s)) {}
  ~io_thread_timer() override {
    state_->is_cancelled = true;
    state_->clock.cancel();
  }

 private:
  std::shared_ptr<state> state_;
};

class io_thread_timers final : public core::timer_service {
 public:
  explicit io_thread_timers(boost::asio::io_context& io) : executor_(io.get_executor()) {}

  std::unique_ptr<core::timer> after(std::chrono::milliseconds delay, std::function<void()> f) override {
    std::shared_ptr<io_thread_timer::state> state(new io_thread_timer::state{io_timer(executor_), std::move(f)});
    state->clock.expires_after(delay);
    state->clock.async_wait([state](boost::system::error_code ec) {
      auto call = std::move(state->f);
      if (!ec && !state->is_cancelled) call();
    });
    return std::make_unique<io_thread_timer>(std::move(state));
  }

 private:
  boost::asio::io_context::executor_type executor_;
};

}  // namespace

std::unique_ptr<core::timer_service> make_timer_service(boost::asio::io_context& io) {
  return std::make_unique<io_thread_timers>(io);
}

}  // namespace troupe::transport
