// The tools of a recording: they are not run again but answer what they answered then, after as long as it took. Owned by the
// stage; one thread.
#pragma once

#include "app/json_fields.hpp"
#include "core/error.hpp"
#include "tools/tool.hpp"

#include <boost/json/value.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe::app {

struct recorded_result {
  std::string call;
  std::string tool;
  std::optional<boost::json::value> input;  ///< absent: not compared
  bool ok = true;
  std::string output;
  std::chrono::milliseconds after{0};
  bool never = false;  ///< the call was cut short before it had a result
  int line = 0;
};

struct recorded_calls {
  std::string file;
  std::vector<tools::tool_spec> tools;
  std::vector<recorded_result> results;
  std::map<std::string, core::tool_approval> approval{};  ///< by tool, where more is said than its policy
};

/// Thrown by a recorded tool whose time has not come, caught by the stage, which runs it again then. `never`: it hangs.
struct tool_pause {
  std::chrono::milliseconds left{0};
  bool never = false;
};

/// Read `tools` and `results` of a scenario; they throw `fault`.
void read_tools(const node& at, recorded_calls& to);
[[nodiscard]] std::vector<recorded_result> read_results(const node& at, const std::vector<int>& lines);

/// A call that the recording does not have fails, and says where it looked. The same call, asked again after a restart, gets
/// the same result.
[[nodiscard]] core::result<tools::toolbox> recorded_toolbox(std::shared_ptr<const recorded_calls> calls);

}  // namespace troupe::app
