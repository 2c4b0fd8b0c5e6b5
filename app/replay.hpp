// `troupe replay`: runs scenarios (docs/scenarios.md) on CAF's test scheduler, with an in-memory journal and injected clock
// and ids: the same file always gives the same events. Or, with `url`, against a running server.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace troupe::app {

struct replay_options {
  std::vector<std::string> paths;
  std::optional<std::string> files_from{};  ///< a file with a path on each line; `-` is stdin
  bool list = false;                        ///< tells what the files are instead of playing them
  bool restart_every_step = false;
  std::optional<std::string> junit{};
  std::optional<std::string> crash_at{};  ///< a boundary of the journal, or `every`
  std::optional<double> speed{};
  std::vector<std::string> filters{};  ///< globs on paths; any of them
  std::vector<std::string> tags{};     ///< all of them
  bool update = false;
  bool json = false;
  bool no_progress = false;
  std::optional<std::string> url{};
  std::string token{};
  std::string project{};
  std::string agent{};
};

/// 0: every scenario passed; 1: one did not; 2: a path, file or option is wrong.
[[nodiscard]] int replay(const replay_options& options);

}  // namespace troupe::app
