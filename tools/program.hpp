// The tool of kind `program`: a program of the operator's that reads the arguments as one JSON object on stdin and writes the
// result on stdout.
#pragma once

#include "tools/process/process.hpp"
#include "tools/tool.hpp"

#include <memory>

namespace troupe::tools {

/// A `configuration_error` where `command` is empty or begins with something that cannot be looked up.
[[nodiscard]] core::result<std::unique_ptr<tool>> make_program(const core::tool_config& config, const process_host& host);

}  // namespace troupe::tools
