#include "tools/mcp/server.hpp"

#include "tools/mcp/supervisor.hpp"

#include <algorithm>

namespace troupe::tools {

namespace {

class source final : public mcp_source {
 public:
  explicit source(std::shared_ptr<mcp::supervisor> server) : server_(std::move(server)) {}
  ~source() override { server_->stop(true, {}); }
  [[nodiscard]] const std::string& name() const noexcept override { return server_->name(); }
  [[nodiscard]] std::vector<tool_ptr> tools() const override { return server_->tools(); }
  void when_ready(std::function<void()> f) override { server_->when_ready(std::move(f)); }
  [[nodiscard]] std::string status() const override { return server_->status(); }
  void stop(std::function<void()> stopped) override { server_->stop(false, std::move(stopped)); }

 private:
  std::shared_ptr<mcp::supervisor> server_;
};

bool is_line(const std::string& text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' && c != '\t'; });
}

}  // namespace

core::result<std::shared_ptr<mcp_source>> make_mcp_source(const core::tool_config& config, const process_host& host,
                                                          providers::curl_loop& loop, mcp_options options) {
  auto wrong = [&](std::string text) {
    return core::error{core::errc::configuration_error, "tool `" + config.name + "`: " + std::move(text)};
  };
  if (config.name.empty() || config.name.find('.') != std::string::npos)
    return wrong("the name of an MCP server must not be empty nor hold a dot: its tools are called `name.tool`");
  if (config.command.empty() == config.url.empty()) return wrong("an MCP server has either `command` or `url`");
  if (!config.url.empty() && !config.url.starts_with("http://") && !config.url.starts_with("https://"))
    return wrong("url must begin with http:// or https://");
  for (const auto& [name, value] : config.headers)
    if (name.empty() || name.find_first_of(" :\t") != std::string::npos || !is_line(name) || !is_line(value))
      return wrong("headers: `" + name + "` cannot be sent as a header");
  if (config.start_timeout <= std::chrono::milliseconds{0}) return wrong("start_timeout_ms must be above 0");
  auto server = std::make_shared<mcp::supervisor>(config, host, loop, std::move(options));
  server->start();
  return std::shared_ptr<mcp_source>(std::make_shared<source>(std::move(server)));
}

}  // namespace troupe::tools
