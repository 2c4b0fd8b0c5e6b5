// `troupe replay`: runs scenarios (docs/scenarios.md) on CAF's test scheduler, with an in-memory journal and injected clock
// and ids: the same file always gives the same events.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace troupe::app {

struct replay_options {
  std::vector<std::string> paths;
  bool restart_every_step = false;
  std::optional<std::string> junit;
};

/// 0: every scenario passed; 1: one did not; 2: a path or file is wrong.
[[nodiscard]] int replay(const replay_options& options);

}  // namespace troupe::app
