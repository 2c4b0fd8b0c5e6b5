// The way to one MCP server: a program's stdin and stdout, or HTTP. Made and owned by the server (server.cpp); all of it, the
// handlers too, on the thread of the tools. Handlers are never called from within send().
#pragma once

#include "core/config.hpp"
#include "providers/curl_loop.hpp"
#include "tools/mcp/session.hpp"
#include "tools/process/process.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace troupe::tools::mcp {

using log_function = std::function<void(std::string_view level, std::string_view text)>;

struct channel_handlers {
  /// `origin` as session::receive has it.
  std::function<void(message m, std::int64_t origin)> on_message;
  std::function<void(std::int64_t request, request_failure failure)> on_request_failed;
  /// The way is gone, in plain words; nothing comes after it.
  std::function<void(std::string why)> on_down;
  log_function log;
};

class channel {
 public:
  virtual ~channel() = default;  ///< closes at once and tells nobody
  virtual void send(outgoing m) = 0;
  /// Nobody waits for this request any more.
  virtual void abandon(std::int64_t request) = 0;
  /// The era is known, and the version.
  virtual void established(era how, const std::string& version) = 0;
  /// In good order: `closed` is called once, when nothing is left.
  virtual void close(std::function<void()> closed) = 0;
};

/// A program runs from the start; what keeps it from running is told through on_down.
[[nodiscard]] std::unique_ptr<channel> start_stdio(const core::tool_config& config, const process_host& host,
                                                   channel_handlers handlers);
[[nodiscard]] std::unique_ptr<channel> start_http(const core::tool_config& config, providers::curl_loop& loop,
                                                  channel_handlers handlers);

}  // namespace troupe::tools::mcp
