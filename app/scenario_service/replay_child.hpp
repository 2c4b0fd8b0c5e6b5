// One `troupe replay` as a child of the server, under the guard that holds programs of tools: at low priority, with limits of
// its own, and gone with everything below it when it is stopped, takes too long, or the server ends. Lives on the thread of the
// host's io_context.
#pragma once

#include "app/scenario/temporary_folder.hpp"
#include "tools/process/process.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace troupe::app {

struct replay_job {
  std::vector<std::string> arguments;  ///< behind `troupe replay --json --files-from -`
  std::filesystem::path folder;        ///< names are told from there
  std::vector<std::string> files;
  /// Workspaces of scenarios: its TMPDIR. What a child that is killed leaves in it goes with it.
  temporary_folder scratch;
  std::chrono::seconds limit{0};
  std::function<void(boost::json::object)> on_line;  ///< as it comes
  /// Last, once: the child and its children are gone. The exit status, or -1 with the reason. Not after the destructor.
  std::function<void(int, std::string)> on_end;
};

class replay_child {
 public:
  [[nodiscard]] static std::unique_ptr<replay_child> start(const tools::process_host& host, replay_job job);
  virtual ~replay_child() = default;  ///< kills it at once

  /// Kills it; on_end follows.
  virtual void stop() = 0;
};

}  // namespace troupe::app
