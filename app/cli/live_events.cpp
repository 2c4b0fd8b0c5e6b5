#include "app/cli/live_events.hpp"

#include "app/cli/format.hpp"
#include "app/scenario/rest_client.hpp"
#include "app/scenario/session_stream.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace troupe::app {

namespace json = boost::json;
using namespace std::chrono_literals;

namespace {

constexpr auto look_every = 100ms;  // whether the thread is to end
constexpr auto try_every = 1s;
constexpr auto give_up_after = 2min;

}  // namespace

struct live_events::impl {
  connection_options server;
  std::string session;
  core::seq_t seen = 0;
  int wake = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  mutable std::mutex mutex;
  std::condition_variable changed;
  std::vector<json::object> frames;
  bool is_lost = false;
  bool is_stopping = false;
  std::optional<core::error> failed;
  std::thread thread;

  void signal() const {
    std::uint64_t one = 1;
    // Full means that the reader was told already.
    [[maybe_unused]] auto written = ::write(wake, &one, sizeof one);
  }
  bool wait(std::chrono::milliseconds most) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, most, [this] { return is_stopping; });
  }
  void set_lost(bool lost) {
    std::lock_guard lock(mutex);
    if (std::exchange(is_lost, lost) != lost) signal();
  }
  void fail(core::error e) {
    std::lock_guard lock(mutex);
    failed = std::move(e);
    signal();
  }

  void work() {
    for (;;) {
      follow();
      set_lost(true);
      if (!wait_for_server()) return;
      set_lost(false);
    }
  }

  /// Until the stream fails.
  void follow() {
    session_stream stream(server.url, server.token, session, seen, server.ca_file);
    for (;;) {
      auto come = stream.take();
      auto failure = stream.failure();
      std::unique_lock lock(mutex);
      if (is_stopping) return;
      for (auto& frame : come) {
        seen = std::max(seen, static_cast<core::seq_t>(integer_of(frame, "seq")));
        frames.push_back(std::move(frame));
      }
      if (!come.empty()) signal();
      lock.unlock();
      if (come.empty() && failure) return;
      stream.wait(look_every);
    }
  }

  /// True when it answers again; a refusal is the end.
  bool wait_for_server() {
    auto until = std::chrono::steady_clock::now() + give_up_after;
    for (;;) {
      if (wait(0ms)) return false;
      auto http = remote_api::open(server);
      auto answer = http ? http->get("/sessions/" + percent_encoded(session)) : core::result<json::object>(http.error());
      if (answer) return true;
      using core::errc;
      auto code = answer.error().code;
      bool may_pass = code == errc::provider_error || code == errc::storage_unavailable || code == errc::shutting_down ||
                      code == errc::rate_limited;
      if (!may_pass || std::chrono::steady_clock::now() > until) {
        fail(answer.error());
        return false;
      }
      if (wait(try_every)) return false;
    }
  }
};

live_events::live_events(connection_options server, std::string session, core::seq_t after) : impl_(new impl) {
  while (server.url.ends_with('/')) server.url.pop_back();
  impl_->server = std::move(server);
  impl_->session = std::move(session);
  impl_->seen = after;
  impl_->thread = std::thread([me = impl_.get()] { me->work(); });
}

live_events::~live_events() {
  {
    std::lock_guard lock(impl_->mutex);
    impl_->is_stopping = true;
  }
  impl_->changed.notify_all();
  impl_->thread.join();
  ::close(impl_->wake);
}

int live_events::fd() const noexcept { return impl_->wake; }

std::vector<json::object> live_events::take() {
  std::lock_guard lock(impl_->mutex);
  std::uint64_t count = 0;
  [[maybe_unused]] auto got = ::read(impl_->wake, &count, sizeof count);
  return std::exchange(impl_->frames, {});
}

bool live_events::is_lost() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->is_lost;
}

std::optional<core::error> live_events::failure() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->failed;
}

}  // namespace troupe::app
