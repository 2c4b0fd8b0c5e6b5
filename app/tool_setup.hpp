// The tools of a server: the built-in ones and those of the configuration. Called by app/ at start-up, on the main thread.
#pragma once

#include "core/config.hpp"
#include "core/error.hpp"
#include "providers/curl_loop.hpp"
#include "tools/process/process.hpp"
#include "tools/tool.hpp"

#include <functional>
#include <string_view>

namespace troupe::app {

/// Hears of MCP servers for the log; `level` is debug, info or warn. On the thread of the tools.
using tool_log = std::function<void(std::string_view level, std::string_view text)>;

/// Starts the MCP servers of the configuration. `host.io` and `loop` are those of the thread of the tools and outlive the
/// toolbox. Without a `loop` only what needs neither: the built-in tools but http_request. A `configuration_error` names the
/// tool.
[[nodiscard]] core::result<tools::toolbox> make_toolbox(const core::config& config, const tools::process_host& host,
                                                        providers::curl_loop* loop, const tool_log& log = {});

}  // namespace troupe::app
