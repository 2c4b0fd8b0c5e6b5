// A listening server on its own io thread, and what its peers tell their owners as a list of events to wait for. Header only;
// the test's thread owns it.
#pragma once

#include "transport/net/server.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

namespace troupe::testing {

using namespace std::chrono_literals;
using namespace troupe::transport;

/// Events of the io thread, in order, for the test's thread to wait for.
class event_list {
 public:
  void add(std::string what) {
    std::lock_guard lock(mutex_);
    events_.push_back(std::move(what));
    changed_.notify_all();
  }
  std::string next() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, 60s, [&] { return !events_.empty(); })) return "nothing happened";
    auto out = std::move(events_.front());
    events_.pop_front();
    return out;
  }
  bool is_empty() {
    std::lock_guard lock(mutex_);
    return events_.empty();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> events_;
};

struct recorder final : peer_owner {
  explicit recorder(event_list& list) : events(list) {}
  void on_message(std::string_view message, bool is_text) override {
    if (on_text)
      on_text(message);
    else
      events.add((is_text ? "text " : "binary ") + std::string(message));
  }
  void on_drained() override { events.add("drained"); }
  void on_closed() override {
    to.reset();
    events.add("closed");
  }
  event_list& events;
  std::shared_ptr<peer> to;
  std::function<void(std::string_view)> on_text;
};

/// A server on its own thread whose handlers the test sets beforehand or replaces on the io thread.
class running_server {
 public:
  explicit running_server(core::transport_limits limits = {}, const std::string& address = "127.0.0.1:0") {
    server_handlers handlers;
    handlers.on_request = [this](http_request r, std::shared_ptr<http_exchange> e) { on_request(std::move(r), std::move(e)); };
    handlers.on_upgrade = [this](const http_request& r) { return on_upgrade(r); };
    handlers.on_http_error = [](core::error e) {
      http_response out;
      out.status = core::http_status(e.code);
      out.body = "{\"code\":\"" + std::string(core::to_string(e.code)) + "\",\"text\":\"" + e.text + "\"}";
      return out;
    };
    auto listening = server::listen(io, address, limits, handlers);
    if (!listening) throw std::runtime_error(listening.error().text);
    instance = std::move(*listening);
    thread_ = std::thread([this] { io.run(); });
  }
  ~running_server() {
    run([&] {
      instance.reset();
      last.reset();  // peers do not outlive the io_context
    });
    work_.reset();
    io.stop();
    thread_.join();
  }

  /// On the io thread; returns when done.
  void run(const std::function<void()>& f) {
    std::promise<void> done;
    boost::asio::post(io, [&] {
      f();
      done.set_value();
    });
    done.get_future().wait();
  }
  [[nodiscard]] std::string url() const { return instance->url(); }
  /// Waits until `open` connections are left.
  bool has_open(std::uint64_t open) {
    const auto limit = std::chrono::steady_clock::now() + 60s;
    while (instance->counters().open != open)
      if (std::chrono::steady_clock::now() > limit)
        return false;
      else
        std::this_thread::yield();
    return true;
  }

  std::function<void(http_request, std::shared_ptr<http_exchange>)> on_request = [](http_request r,
                                                                                    std::shared_ptr<http_exchange> e) {
    http_response out;
    out.content_type = "text/plain";
    out.body = r.method + " " + r.path + " " + r.body;
    e->respond(std::move(out));
  };
  std::function<upgrade(const http_request&)> on_upgrade = [this](const http_request& r) {
    upgrade out;
    if (r.path == "/refuse") {
      out.refusal.status = 403;
      out.refusal.body = "no";
      return out;
    }
    out.accept = [this](std::shared_ptr<peer> to) -> std::shared_ptr<peer_owner> {
      last = std::make_shared<recorder>(events);
      last->to = std::move(to);
      if (on_accept) on_accept(*last);
      auto owner = last;
      weak = owner;
      return owner;
    };
    return out;
  };
  std::function<void(recorder&)> on_accept;
  event_list events;
  std::shared_ptr<recorder> last;  ///< io thread only
  std::weak_ptr<recorder> weak;
  boost::asio::io_context io{1};
  std::unique_ptr<server> instance;

 private:
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{io.get_executor()};
  std::thread thread_;
};

inline bytes frame(std::string_view text) {
  auto out = std::make_shared<std::string>();
  append_websocket_text(*out, text);
  return out;
}

/// Opens event streams and keeps their peers.
struct stream_route {
  explicit stream_route(running_server& s) : server(s) {
    server.on_request = [this](http_request, std::shared_ptr<http_exchange> e) {
      auto owner = std::make_shared<recorder>(server.events);
      owner->to = e->start_stream(owner, {{"X-Extra", "1"}});
      server.last = owner;
      std::string event;
      append_sse_event(event, 1, "hello", "{}");
      owner->to->send(std::make_shared<const std::string>(event));
    };
  }
  running_server& server;
};

}  // namespace troupe::testing
