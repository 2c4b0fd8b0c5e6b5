// What the tests of MCP servers share: a thread for the tools, sources on it, calls that remember what they heard, servers over
// HTTP that are programs of their own. The guard is a real one (tests/support/guard_main.cpp). Owned by the test's thread.
#pragma once

#include "tools/mcp/server.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <catch2/catch.hpp>

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

namespace troupe::testing {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

/// For limits that a test is not about: no machine is too slow for them.
inline constexpr std::chrono::milliseconds far = 10min;

/// Something to wait for. Everything that may change a condition of a test notifies this one.
struct bell {
  std::mutex mutex;
  std::condition_variable rung;

  template <class Condition>
  bool wait(Condition holds, std::chrono::milliseconds limit = 4min) {
    auto end = std::chrono::steady_clock::now() + limit;
    std::unique_lock lock(mutex);
    // Processes and files ring no bell: looked at every few milliseconds.
    while (!holds()) {
      if (std::chrono::steady_clock::now() > end) return false;
      rung.wait_for(lock, 3ms);
    }
    return true;
  }
};

class heard_call final : public tools::call_listener {
 public:
  explicit heard_call(bell& b) : bell_(b) {}
  void progress(std::string text) override {
    std::lock_guard lock(bell_.mutex);
    reports.push_back(std::move(text));
    bell_.rung.notify_all();
  }
  void ask(tools::question q) override {
    std::lock_guard lock(bell_.mutex);
    questions.push_back(std::move(q));
    bell_.rung.notify_all();
  }
  void done(tools::tool_result r) override {
    std::lock_guard lock(bell_.mutex);
    ++ends;
    result = std::move(r);
    bell_.rung.notify_all();
  }

  std::vector<std::string> reports;
  std::vector<tools::question> questions;
  std::optional<tools::tool_result> result;
  int ends = 0;

 private:
  bell& bell_;
};

/// A call under way and what it heard.
struct made_call {
  bell* events = nullptr;
  std::shared_ptr<heard_call> heard;
  std::unique_ptr<tools::running_call> running;

  bool is_done() { return heard->result.has_value(); }
  tools::tool_result wait(std::chrono::milliseconds limit = 4min) {
    if (!events->wait([&] { return is_done(); }, limit)) return {false, "NOTHING CAME"};
    return *heard->result;
  }
  bool wait_question(std::size_t count = 1) {
    return events->wait([&] { return heard->questions.size() >= count || is_done(); }) && heard->questions.size() >= count;
  }
};

inline std::string content_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
inline bool is_alive(pid_t pid) {
  auto stat = content_of("/proc/" + std::to_string(pid) + "/stat");
  auto at = stat.rfind(')');
  return at != std::string::npos && at + 2 < stat.size() && stat[at + 2] != 'Z' && stat[at + 2] != 'X';
}
inline std::size_t open_descriptors() {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()));
}

class mcp_world {
 public:
  mcp_world() {
    std::string pattern = (fs::temp_directory_path() / "troupe-mcp-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    folder = pattern;
    options.first_backoff = 10ms;
    options.probe_limit = options.patience = options.hang_limit = far;
    options.log = [this](std::string_view level, std::string_view text) {
      std::lock_guard lock(events.mutex);
      logged.push_back(std::string(level) + " " + std::string(text));
      events.rung.notify_all();
    };
    thread_ = std::thread([this] { io.run(); });
  }
  ~mcp_world() {
    sources_.clear();
    run([] {});  // what the sources posted has run
    run([this] { loop.reset(); });
    work_.reset();
    thread_.join();
    fs::remove_all(folder);
  }
  mcp_world(const mcp_world&) = delete;
  mcp_world& operator=(const mcp_world&) = delete;

  /// On the tools' thread; returns when done.
  void run(const std::function<void()>& f) {
    std::promise<void> done;
    boost::asio::post(io, [&] {
      f();
      done.set_value();
    });
    done.get_future().wait();
  }

  [[nodiscard]] core::tool_config config(std::vector<std::string> command) const {
    core::tool_config out;
    out.name = "server";
    out.kind = "mcp";
    out.command = std::move(command);
    out.start_timeout = far;
    out.environment["TROUPE_TEST_MARK"] = folder.filename().string();
    return out;
  }
  /// The scripted server of tests/support/mcp_server.py.
  [[nodiscard]] core::tool_config scripted(const std::vector<std::string>& arguments = {}) const {
    std::vector<std::string> command{TROUPE_PYTHON, "-S", "-E", TROUPE_SOURCE_DIR "/tests/support/mcp_server.py"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return config(std::move(command));
  }

  std::shared_ptr<tools::mcp_source> start(const core::tool_config& with) {
    auto made = tools::make_mcp_source(with, {&io, {TROUPE_TEST_GUARD}, false}, *loop, options);
    REQUIRE(made.has_value());
    sources_.push_back(*made);
    return *made;
  }
  /// Started, and its first list is there (or it has given up).
  std::shared_ptr<tools::mcp_source> ready(const core::tool_config& with) {
    auto source = start(with);
    std::promise<void> known;
    source->when_ready([&] { known.set_value(); });
    if (known.get_future().wait_for(4min) != std::future_status::ready) FAIL("the server was neither ready nor given up");
    return source;
  }
  bool stop(const std::shared_ptr<tools::mcp_source>& source) {
    std::promise<void> stopped;
    source->stop([&] { stopped.set_value(); });
    return stopped.get_future().wait_for(4min) == std::future_status::ready;
  }
  /// Drops it; it ends by itself.
  void drop(std::shared_ptr<tools::mcp_source> source) { std::erase(sources_, source); }

  static tools::tool_ptr find(const tools::tool_source& source, const std::string& tool) {
    for (auto& t : source.tools())
      if (t->spec().name == source.name() + "." + tool) return t;
    return nullptr;
  }
  made_call call(const tools::tool_source& source, const std::string& tool, const std::string& arguments = "{}",
                 core::session_id session = {}) {
    auto t = find(source, tool);
    if (!t) FAIL("there is no tool " << tool);
    return call(t, arguments, session);
  }
  made_call call(const tools::tool_ptr& t, const std::string& arguments = "{}", core::session_id session = {}) {
    auto checked = t->check(arguments);
    REQUIRE(checked.has_value());
    tools::tool_context context;
    context.session = session;
    made_call out;
    out.events = &events;
    out.heard = std::make_shared<heard_call>(events);
    out.running = t->start(context, *checked, out.heard);
    return out;
  }
  tools::tool_result result(const tools::tool_source& source, const std::string& tool, const std::string& arguments = "{}") {
    return call(source, tool, arguments).wait();
  }

  std::size_t count_logged(const std::string& part) {
    std::lock_guard lock(events.mutex);
    return counted(part);
  }
  bool wait_logged(const std::string& part, std::size_t count = 1) {
    return events.wait([&] { return counted(part) >= count; });
  }
  bool wait_status(const tools::tool_source& source, const std::string& status) {
    return events.wait([&] { return source.status() == status; });
  }

  /// Living processes that our servers are, or that they started, wherever they went.
  [[nodiscard]] std::vector<pid_t> processes() const {
    std::vector<pid_t> out;
    auto mark = "TROUPE_TEST_MARK=" + folder.filename().string();
    for (const auto& entry : fs::directory_iterator("/proc")) {
      auto name = entry.path().filename().string();
      if (name.find_first_not_of("0123456789") != std::string::npos) continue;
      auto pid = static_cast<pid_t>(std::stol(name));
      if (content_of(entry.path() / "environ").find(mark) != std::string::npos && is_alive(pid)) out.push_back(pid);
    }
    return out;
  }
  bool until_gone() {
    return events.wait([&] { return processes().empty(); });
  }

  bell events;
  std::vector<std::string> logged;
  fs::path folder;
  boost::asio::io_context io{1};
  std::unique_ptr<providers::curl_loop> loop = std::make_unique<providers::curl_loop>(io);
  tools::mcp_options options;

 private:
  std::size_t counted(const std::string& part) const {
    std::size_t n = 0;
    for (const auto& line : logged)
      if (line.find(part) != std::string::npos) ++n;
    return n;
  }

  std::vector<std::shared_ptr<tools::mcp_source>> sources_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{io.get_executor()};
  std::thread thread_;
};

}  // namespace troupe::testing
