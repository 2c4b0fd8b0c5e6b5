// A call of a tool of an MCP server, between who started it (any thread) and the supervisor (the tools' thread).
#pragma once

#include "tools/mcp/listing.hpp"
#include "tools/schema.hpp"
#include "tools/tool.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/json/object.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace troupe::tools::mcp {

class supervisor;

/// Made by make_shared.
class mcp_tool final : public tool, public std::enable_shared_from_this<mcp_tool> {
 public:
  mcp_tool(tool_spec spec, remote_tool remote, std::weak_ptr<supervisor> owner);
  /// Also compiles the output schema. Before it is shown to anyone.
  [[nodiscard]] core::result<void> prepare_all();

  [[nodiscard]] const remote_tool& remote() const noexcept { return remote_; }
  [[nodiscard]] const schema* output() const noexcept { return output_ ? &*output_ : nullptr; }
  [[nodiscard]] std::unique_ptr<running_call> start(const tool_context& context, const boost::json::object& arguments,
                                                    std::shared_ptr<call_listener> listener) const override;

 private:
  remote_tool remote_;
  std::optional<schema> output_;
  std::weak_ptr<supervisor> owner_;
};

struct open_call {
  std::uint64_t key = 0;  ///< given by the supervisor
  std::shared_ptr<const mcp_tool> tool;
  boost::json::object arguments;
  std::string owner;
  boost::json::object meta;
  std::shared_ptr<call_listener> listener;
  /// Set by whoever ends it, from either side.
  std::atomic<bool> is_over{false};

  // Only for the supervisor.
  std::optional<boost::asio::steady_timer> patience;
  std::chrono::steady_clock::time_point begun{};
  int attempts = 0;

  void finish(tool_result result) {
    if (!is_over.exchange(true)) listener->done(std::move(result));
  }
};

}  // namespace troupe::tools::mcp
