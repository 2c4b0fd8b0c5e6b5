// HTTP tools under test: a curl loop on an io thread of its own, and calls whose results are waited for. The servers are the
// test's own, on loopback, so a world names the ports that its tools may reach there. Owned by the test.
#pragma once

#include "tests/support/raw_http_server.hpp"
#include "tools/http/address_rules.hpp"
#include "tools/http/http_tools.hpp"
#include "tools/http/url.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <catch2/catch.hpp>
#include <condition_variable>
#include <cstring>
#include <future>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>

namespace troupe::testing {

inline constexpr std::chrono::seconds patience{60};

class heard_call final : public tools::call_listener {
 public:
  void progress(std::string) override {}
  void ask(tools::question) override {}
  void done(tools::tool_result result) override {
    std::lock_guard lock(mutex_);
    ++times_;
    result_ = std::move(result);
    changed_.notify_all();
  }
  tools::tool_result wait() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, patience, [this] { return times_ > 0; })) throw std::runtime_error("no result came");
    return *result_;
  }
  int times() {
    std::lock_guard lock(mutex_);
    return times_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<tools::tool_result> result_;
  int times_ = 0;
};

inline std::string port_of(const raw_http_server& server) {
  return std::to_string(tools::parse_url(server.base_url()).value().port);
}

inline std::string http_response(std::string_view status, std::string_view headers, std::string_view body) {
  return "HTTP/1.1 " + std::string(status) + "\r\n" + std::string(headers) + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + std::string(body);
}

struct http_tool_world {
  boost::asio::io_context io{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{io.get_executor()};
  std::unique_ptr<providers::curl_loop> loop = std::make_unique<providers::curl_loop>(io);
  std::thread thread{[this] { io.run(); }};
  core::tool_config config;
  std::set<std::string> open_ports;  ///< of 127.0.0.1; all that is public besides. None: the product's own rule
  tools::tool_context context;

  http_tool_world() = default;
  explicit http_tool_world(const raw_http_server& server) : open_ports{port_of(server)} {}
  ~http_tool_world() {
    io.stop();
    thread.join();
    loop.reset();
  }

  [[nodiscard]] providers::address_filter filter() const {
    if (open_ports.empty()) return {};
    return [ports = open_ports](const sockaddr& address) {
      sockaddr_in in{};
      if (address.sa_family == AF_INET) std::memcpy(&in, &address, sizeof in);
      bool is_ours = in.sin_addr.s_addr == htonl(INADDR_LOOPBACK) && ports.contains(std::to_string(ntohs(in.sin_port)));
      return is_ours || tools::is_public(address);
    };
  }
  [[nodiscard]] std::unique_ptr<tools::tool> make() {
    auto made = config.kind == "http" ? tools::make_http_tool(config, *loop, filter())
                                      : tools::make_http_request(config, *loop, filter());
    if (!made) throw std::runtime_error(made.error().text);
    if (auto good = (*made)->prepare(); !good) throw std::runtime_error(good.error().text);
    return std::move(*made);
  }
  tools::tool_result call(std::string_view arguments) {
    auto t = make();
    auto checked = t->check(arguments);
    if (!checked) throw std::runtime_error(checked.error().text);
    auto heard = std::make_shared<heard_call>();
    auto running = t->start(context, *checked, heard);
    auto result = heard->wait();
    CHECK(heard->times() == 1);
    return result;
  }
  /// Of a URL, with nothing else said.
  tools::tool_result get(const std::string& url) { return call(R"({"url":")" + url + "\"}"); }
  /// Waits until all that was posted to the io thread so far is done.
  void settle() {
    std::promise<void> reached;
    boost::asio::post(io, [&] { reached.set_value(); });
    reached.get_future().wait();
  }
};

}  // namespace troupe::testing
