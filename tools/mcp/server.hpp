// The tools of one MCP server, kept alive: a program that this server starts and starts again, or an address. Made by app/ per
// entry of `tools` whose kind is `mcp`. Lives on the thread of the tools; what the base class offers is for any thread.
#pragma once

#include "core/config.hpp"
#include "providers/curl_loop.hpp"
#include "tools/process/process.hpp"
#include "tools/tool.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string_view>

namespace troupe::tools {

struct mcp_options {
  /// `level` is debug, info or warn. On the tools' thread.
  std::function<void(std::string_view level, std::string_view text)> log;
  std::chrono::milliseconds probe_limit{2'000};  ///< for the modern era to show itself
  std::chrono::milliseconds first_backoff{200};  ///< before a server is started again; doubled each time, with jitter
  std::chrono::milliseconds longest_backoff{30'000};
  std::chrono::milliseconds healthy_after{60'000};  ///< then the backoff begins anew
  std::chrono::milliseconds patience{1'000};        ///< so long a call waits for a server that is down
  std::chrono::milliseconds hang_limit{
      10'000};  ///< a program that says nothing for so long after a call was given up is killed
  std::size_t calls_at_once = 64;
  std::size_t calls_waiting = 1'000;  ///< for their turn
};

class mcp_source : public tool_source {
 public:
  /// In good order: calls fail, the program is asked to leave and then made to, the HTTP session is ended. `stopped` is called
  /// on the tools' thread when nothing is left. Any thread. Dropping the source instead ends everything at once.
  virtual void stop(std::function<void()> stopped) = 0;
};

/// Starts at once; a `configuration_error` says what is wrong with `config`. Where `host.io` has ended, drop the source before
/// it.
[[nodiscard]] core::result<std::shared_ptr<mcp_source>> make_mcp_source(const core::tool_config& config,
                                                                        const process_host& host, providers::curl_loop& loop,
                                                                        mcp_options options = {});

}  // namespace troupe::tools
