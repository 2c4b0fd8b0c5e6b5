// A model client under test: on an io thread of its own, against a server whose bytes the test writes, with what came out
// of it seen from outside its thread. Owned by the test.
#pragma once

#include "providers/curl_loop.hpp"
#include "providers/http_model.hpp"
#include "tests/support/raw_http_server.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <condition_variable>
#include <cstdio>
#include <future>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

namespace troupe::testing {

inline constexpr std::chrono::seconds patience{60};
inline const std::string test_key = "sk-test-0123456789abcdef";

/// One chunk of a chunked body (RFC 9112 §7.1).
inline std::string chunk(std::string_view bytes) {
  char size[20];
  std::snprintf(size, sizeof(size), "%zx\r\n", bytes.size());
  return size + std::string(bytes) + "\r\n";
}
inline const std::string last_chunk = "0\r\n\r\n";
inline std::string stream_head(std::string_view type = "text/event-stream; charset=utf-8") {
  return "HTTP/1.1 200 OK\r\nContent-Type: " + std::string(type) + "\r\nTransfer-Encoding: chunked\r\n\r\n";
}
inline std::string response(std::string_view status_line, std::string_view headers, std::string_view body) {
  return "HTTP/1.1 " + std::string(status_line) + "\r\nContent-Type: application/json\r\n" + std::string(headers) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

/// What one stream gave.
struct heard_stream {
  std::mutex mutex;
  std::condition_variable changed;
  std::string text;
  std::size_t outputs = 0;
  std::optional<providers::model_end> end;

  providers::model_sink sink() {
    return [this](providers::model_output out) {
      std::lock_guard lock(mutex);
      ++outputs;
      text += out.text.text;
      if (end) text += "<output after the end>";
      if (out.end) end = std::move(out.end);
      changed.notify_all();
    };
  }
  providers::model_end wait_end() {
    std::unique_lock lock(mutex);
    if (!changed.wait_for(lock, patience, [this] { return end.has_value(); })) throw std::runtime_error("no end came");
    return *end;
  }
  void wait_text(std::string_view wanted) {
    std::unique_lock lock(mutex);
    if (!changed.wait_for(lock, patience, [&] { return text == wanted; })) throw std::runtime_error("the text did not come");
  }
};

using make_client_function = core::result<std::unique_ptr<providers::model_client>> (*)(const core::provider_config&,
                                                                                        providers::curl_loop&,
                                                                                        const providers::environment_lookup&);

/// An io thread with a curl loop, and the configuration of a provider `local` whose key is in `LOCAL_KEY`.
struct client_world {
  boost::asio::io_context io{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{io.get_executor()};
  std::unique_ptr<providers::curl_loop> loop = std::make_unique<providers::curl_loop>(io);
  std::thread thread{[this] { io.run(); }};
  core::provider_config config;
  make_client_function make_client;

  client_world(make_client_function f, std::string base_url) : make_client(f) {
    config.id.value = "local";
    config.base_url = std::move(base_url);
    config.api_key_env = "LOCAL_KEY";
    // No test waits so long: who is about a limit sets it.
    config.timeouts = {10 * patience, 10 * patience, 10 * patience, 10 * patience};
  }
  ~client_world() {
    io.stop();
    thread.join();
    loop.reset();
  }
  [[nodiscard]] core::result<std::unique_ptr<providers::model_client>> make() {
    return make_client(config, *loop, [](const std::string& name) -> std::optional<std::string> {
      if (name == "LOCAL_KEY") return test_key + "\n";
      return std::nullopt;
    });
  }
  /// Waits until all that was posted to the io thread so far is done.
  void settle() {
    std::promise<void> reached;
    boost::asio::post(io, [&] { reached.set_value(); });
    reached.get_future().wait();
  }
};

inline providers::model_request model_question() {
  providers::model_request r;
  r.model = "m";
  r.history = std::make_shared<const std::vector<core::history_message>>(
      std::vector<core::history_message>{{core::role::user, "hi", {}, {}, true}});
  return r;
}

}  // namespace troupe::testing
