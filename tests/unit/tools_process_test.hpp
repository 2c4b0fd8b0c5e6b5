// What the tests of programs share: a thread to run them on, programs that are looked at, and the hunt for what they left
// behind. The guard is a real one (tests/support/guard_main.cpp).
#pragma once

#include "tools/process/process.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <catch2/catch.hpp>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

namespace process_test {

namespace fs = std::filesystem;
using namespace troupe;
using namespace std::chrono_literals;

inline std::string content_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Not for a process that has ended and waits to be reaped.
inline bool is_alive(pid_t pid) {
  auto stat = content_of("/proc/" + std::to_string(pid) + "/stat");
  auto at = stat.rfind(')');
  return at != std::string::npos && at + 2 < stat.size() && stat[at + 2] != 'Z' && stat[at + 2] != 'X';
}

/// Living processes that have `mark` in their environment: programs and all they started, wherever they went.
inline std::vector<pid_t> marked(const std::string& mark) {
  std::vector<pid_t> out;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    auto name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    auto pid = static_cast<pid_t>(std::stol(name));
    if (content_of(entry.path() / "environ").find(mark) != std::string::npos && is_alive(pid)) out.push_back(pid);
  }
  return out;
}

/// Ended ones that nobody has waited for too.
inline bool has_children() {
  siginfo_t which{};
  return ::waitid(P_ALL, 0, &which, WEXITED | WNOHANG | WNOWAIT) == 0;
}
inline std::size_t open_descriptors() {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()));
}

inline bool has_sandbox() {
  static const auto probe = tools::probe_sandbox();
  if (!probe.works) WARN("no sandbox here, not tested: " << probe.trouble);
  return probe.works;
}

class world {
 public:
  world() {
    std::string pattern = (fs::temp_directory_path() / "troupe-process-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    folder = pattern;
    mark = "TROUPE_TEST_MARK=" + folder.filename().string();
  }
  ~world() {
    // Guards are waited for on this thread; the next test counts children.
    until([] { return !has_children(); });
    fs::remove_all(folder);
  }
  world(const world&) = delete;
  world& operator=(const world&) = delete;

  template <class Condition>
  bool until(Condition holds, std::chrono::milliseconds limit = 60s) {  // only for failing
    auto give_up = std::chrono::steady_clock::now() + limit;
    while (!holds()) {
      if (std::chrono::steady_clock::now() > give_up) return false;
      io.run_one_for(5ms);
    }
    return true;
  }
  bool until_gone() {
    return until([&] { return marked(mark).empty(); });
  }

  [[nodiscard]] tools::process_options options(std::vector<std::string> command) const {
    tools::process_options out;
    out.command = std::move(command);
    out.folder = folder;
    out.environment = {{"PATH", "/usr/local/bin:/usr/bin:/bin"}, {"TROUPE_TEST_MARK", folder.filename().string()}};
    return out;
  }
  [[nodiscard]] tools::process_options shell(std::string script) const { return options({"sh", "-c", std::move(script)}); }
  [[nodiscard]] tools::process_options boxed(std::string script) const {
    auto out = shell(std::move(script));
    out.sandbox = std::make_unique<tools::sandbox_options>(tools::sandbox_options{folder, false, {}});
    return out;
  }

  boost::asio::io_context io;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{io.get_executor()};
  tools::process_host host{&io, {TROUPE_TEST_GUARD}, true};
  fs::path folder;
  std::string mark;
};

struct program {
  program(world& w, tools::process_options options) : w_(w) {
    tools::process_handlers handlers;
    handlers.on_output = [this](std::string_view bytes) { output += bytes; };
    handlers.on_error_output = [this](std::string_view bytes) { errors += bytes; };
    handlers.on_end = [this](const tools::process_end& how) {
      CHECK_FALSE(end);
      end = how;
    };
    process = tools::process::start(w.host, std::move(options), std::move(handlers));
  }
  bool has_said(std::string_view text) {
    return w_.until([&] { return output.find(text) != std::string::npos; });
  }
  tools::process_end& ended() {
    if (!w_.until([&] { return end.has_value(); })) FAIL("it does not end; output: " << output << " errors: " << errors);
    return *end;
  }

  world& w_;
  std::string output;
  std::string errors;
  std::optional<tools::process_end> end;
  std::unique_ptr<tools::process> process;
};

}  // namespace process_test
