// One program that runs for one call of a tool: what `command` and `program` have in common. Lives on the thread of the host's
// io_context; the running_call may be destroyed anywhere.
#pragma once

#include "tools/process/process.hpp"
#include "tools/tool.hpp"

#include <functional>
#include <memory>
#include <string>

namespace troupe::tools {

/// A file that a program writes may become this large.
inline constexpr std::uint64_t max_program_file_bytes = 256 << 20;

struct program_outcome {
  process_end end;
  std::string output;     ///< plain text where stderr was joined, else bytes as they came
  std::string errors;     ///< the last of stderr, plain text; empty where it was joined
  bool too_much = false;  ///< it wrote more than `output_bytes` and was ended
};

struct program_job {
  process_options options;          ///< where it joins its output, that is shown as progress, else stderr is
  std::filesystem::path workspace;  ///< made first
  std::string input;
  std::size_t output_bytes = 0;
  std::function<tool_result(program_outcome&)> judge;
};

[[nodiscard]] std::unique_ptr<running_call> run_program(const process_host& host, program_job job,
                                                        std::shared_ptr<call_listener> listener);

/// What every kind of program gets of a configuration: limits and the sandbox.
[[nodiscard]] process_options options_for(const core::tool_config& config, const std::filesystem::path& workspace);
/// Why a tool that wants a sandbox cannot be run here, or empty.
[[nodiscard]] std::string missing_sandbox(const core::tool_config& config, const process_host& host);
/// In one sentence, e.g. `Exit status 0.`; names the limit that ended it and its option.
[[nodiscard]] std::string describe(const program_outcome& outcome, const core::tool_config& config);
[[nodiscard]] bool has_succeeded(const program_outcome& outcome);

}  // namespace troupe::tools
