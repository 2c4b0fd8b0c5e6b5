#include "app/cli/stop_request.hpp"

#include "app/scenario/rest_client.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <mutex>
#include <thread>

namespace troupe::app {

struct stop_request::state {
  int done = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  std::mutex mutex;
  std::optional<core::error> failed;

  state() = default;
  ~state() { ::close(done); }
  state(const state&) = delete;
  state& operator=(const state&) = delete;
};

stop_request::stop_request(const connection_options& server, const std::string& session) : state_(std::make_shared<state>()) {
  std::thread([server, session, state = state_] {
    auto http = remote_api::open(server);
    auto stopped = http ? http->post("/sessions/" + percent_encoded(session) + "/cancel", {})
                        : core::result<boost::json::object>(http.error());
    std::lock_guard lock(state->mutex);
    if (!stopped) state->failed = stopped.error();
    std::uint64_t one = 1;
    [[maybe_unused]] auto written = ::write(state->done, &one, sizeof one);
  }).detach();
}

stop_request::~stop_request() = default;

int stop_request::fd() const noexcept { return state_->done; }

std::optional<core::error> stop_request::failure() const {
  std::lock_guard lock(state_->mutex);
  return state_->failed;
}

}  // namespace troupe::app
