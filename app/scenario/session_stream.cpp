#include "app/scenario/session_stream.hpp"

#include "app/scenario/http_connection.hpp"
#include "providers/sse_parser.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace troupe::app {

namespace json = boost::json;
using std::chrono::milliseconds;

namespace {

/// In a row, without an event between them.
constexpr int max_failures = 10;
constexpr milliseconds pause_after_failure{200};
/// A line holds a frame, at most a tool's whole output.
constexpr std::size_t max_line = 16 << 20;
constexpr std::time_t read_timeout_s = 120;

}  // namespace

struct session_stream::impl {
  impl(std::string at, std::string credentials, std::string id, core::seq_t after, const std::string& ca_file)
      : url(std::move(at)),
        token(std::move(credentials)),
        session(std::move(id)),
        http(http_connection(url, ca_file)),
        seen(after) {
    http.set_read_timeout(read_timeout_s);
  }

  std::string url;
  std::string token;
  std::string session;
  httplib::Client http;
  mutable std::mutex mutex;
  std::condition_variable changed;
  std::vector<json::object> frames;
  core::seq_t seen;
  bool is_stopping = false;
  std::optional<core::error> failed;
  std::thread thread;

  void work() {
    for (int failures = 0; failures < max_failures;) {
      providers::sse_parser parser(max_line);
      auto before = position();
      int status = 0;
      auto get = http.Get(
          "/api/v1/sessions/" + session + "/events?after=" + std::to_string(before), headers(),
          [&](const httplib::Response& r) {
            status = r.status;
            return r.status == 200;
          },
          [&](const char* data, std::size_t size) {
            return take_bytes(parser, {data, size});
          });
      std::unique_lock lock(mutex);
      if (is_stopping) return;
      if (status != 200 && status != 0) {
        failed =
            core::error{core::errc::provider_error, url + ": the session's events cannot be read: " + std::to_string(status)};
        return changed.notify_all();
      }
      failures = seen == before ? failures + 1 : 0;
      if (changed.wait_for(lock, pause_after_failure, [this] { return is_stopping; })) return;
    }
    std::lock_guard lock(mutex);
    failed =
        core::error{core::errc::provider_error, url + ": the session's event stream breaks off; is the server running there?"};
    changed.notify_all();
  }

  [[nodiscard]] core::seq_t position() const {
    std::lock_guard lock(mutex);
    return seen;
  }
  [[nodiscard]] httplib::Headers headers() const {
    httplib::Headers out{{"Accept", "text/event-stream"}};
    if (!token.empty()) out.emplace("Authorization", "Bearer " + token);
    return out;
  }

  bool take_bytes(providers::sse_parser& parser, std::string_view bytes) {
    parser.feed(bytes);
    while (auto event = parser.next()) {
      boost::system::error_code failure;
      auto value = json::parse({event->data.data(), event->data.size()}, failure);
      if (failure || !value.is_object()) continue;
      std::lock_guard lock(mutex);
      if (const auto* seq = value.get_object().if_contains("seq"); seq && seq->is_int64())
        seen = std::max(seen, static_cast<core::seq_t>(seq->get_int64()));
      frames.push_back(std::move(value.get_object()));
      changed.notify_all();
    }
    std::lock_guard lock(mutex);
    return !is_stopping && !parser.too_long();
  }
};

session_stream::session_stream(std::string url, std::string token, std::string session, core::seq_t after, std::string ca_file)
    : impl_(std::make_unique<impl>(std::move(url), std::move(token), std::move(session), after, ca_file)) {
  impl_->thread = std::thread([me = impl_.get()] { me->work(); });
}

session_stream::~session_stream() {
  {
    std::lock_guard lock(impl_->mutex);
    impl_->is_stopping = true;
  }
  impl_->changed.notify_all();
  impl_->http.stop();
  impl_->thread.join();
}

std::vector<json::object> session_stream::take() {
  std::lock_guard lock(impl_->mutex);
  return std::exchange(impl_->frames, {});
}

void session_stream::wait(milliseconds most) {
  std::unique_lock lock(impl_->mutex);
  impl_->changed.wait_for(lock, most, [this] { return !impl_->frames.empty() || impl_->failed; });
}

std::optional<core::error> session_stream::failure() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->failed;
}

}  // namespace troupe::app
