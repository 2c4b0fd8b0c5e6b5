// A program that runs for a tool: no shell, nothing inherited, its whole tree in our hands. Every program runs under a guard
// process of ours (`guard.hpp`), which is the subreaper of all it starts and kills them when our end of a pipe closes: also
// when we are killed. All calls and handlers on the thread of the io_context.
#pragma once

#include "core/error.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::tools {

/// 0: no limit of ours. Of the program and each of its children, but `processes`, which is of the whole tree where there is a
/// sandbox (a fork bomb elsewhere is held by `processes` of the user and ended with the call).
struct process_limits {
  std::chrono::seconds cpu{0};
  std::uint64_t memory_bytes = 0;
  std::uint64_t file_bytes = 0;
  std::uint32_t open_files = 256;
  std::uint32_t processes = 0;
  std::uint32_t niceness = 0;  ///< 0 to 19: how far it stands back for others that want to run
};

/// bubblewrap around the program: the system read-only, `writable` the only folder that can be written, an own /tmp, no network
/// (unless asked for), no other processes to be seen.
struct sandbox_options {
  std::filesystem::path writable;  ///< seen as `sandbox_folder` (sandbox.hpp); empty: nothing can be written
  bool network = false;
  std::vector<std::filesystem::path> readable{};  ///< shown too, as they are called; not what holds `writable`
};

struct process_options {
  std::vector<std::string> command;  ///< a program, looked up in PATH of `environment`, and its arguments
  std::filesystem::path folder;
  std::map<std::string, std::string> environment;  ///< all of it
  process_limits limits;
  std::unique_ptr<sandbox_options> sandbox;  ///< null: none
  bool joins_output = false;                 ///< stderr goes where stdout goes
};

struct process_end {
  int status = -1;  ///< exit status; -1: ended by a signal, or never began
  int signal = 0;
  std::string trouble{};  ///< why it never began, or was ended for its `processes`, in plain words; else empty
};

struct process_handlers {
  std::function<void(std::string_view)> on_output;
  std::function<void(std::string_view)> on_error_output;
  /// Last, once: the program has ended, its output has been read and its whole tree is gone. Not after the destructor.
  std::function<void(const process_end&)> on_end;
};

/// How this server starts programs; made once by app/.
struct process_host {
  boost::asio::io_context* io = nullptr;
  std::vector<std::string> guard;  ///< the command that runs guard_main, e.g. {"/proc/self/exe", "guard"}
  bool has_sandbox = false;        ///< bubblewrap works here (`probe_sandbox`)
};

class process {
 public:
  /// What cannot be started (no such program, no descriptors left) is told through on_end, later.
  [[nodiscard]] static std::unique_ptr<process> start(const process_host& host, process_options options,
                                                      process_handlers handlers);
  virtual ~process() = default;  ///< kills the tree at once

  /// Queued, in order. Nothing after close_input.
  virtual void write(std::string bytes) = 0;
  virtual void close_input() = 0;
  /// Bytes that the program has not taken yet.
  [[nodiscard]] virtual std::size_t unwritten() const noexcept = 0;
  /// Stops reading output (it backs up in the program) until called with false.
  virtual void pause_output(bool paused) = 0;
  /// SIGTERM to its group, after `grace` SIGKILL to the tree.
  virtual void stop(std::chrono::milliseconds grace) = 0;
};

/// Runs `true` in the sandbox once, at start-up; blocking. False, with a reason for the log, where it cannot work here.
struct sandbox_probe {
  bool works = false;
  std::string trouble{};
};
[[nodiscard]] sandbox_probe probe_sandbox();

}  // namespace troupe::tools
