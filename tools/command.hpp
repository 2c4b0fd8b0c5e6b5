// The tool of kind `command`: the model runs programs of an allow-list in the session's workspace, without a shell.
#pragma once

#include "tools/process/process.hpp"
#include "tools/tool.hpp"

#include <memory>

namespace troupe::tools {

/// A `configuration_error` where `programs` is empty or names something that cannot be looked up.
[[nodiscard]] core::result<std::unique_ptr<tool>> make_command(const core::tool_config& config, const process_host& host);

}  // namespace troupe::tools
