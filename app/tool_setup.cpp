#include "app/tool_setup.hpp"

#include "tools/builtin.hpp"
#include "tools/command.hpp"
#include "tools/http/http_tools.hpp"
#include "tools/mcp/server.hpp"
#include "tools/program.hpp"

namespace troupe::app {

namespace {

using core::errc;
using core::error;

core::result<void> add_made(tools::toolbox& box, core::result<std::unique_ptr<tools::tool>> made) {
  if (!made) return made.error();
  return box.add(std::move(*made));
}

core::result<void> add_server(tools::toolbox& box, const core::tool_config& config, const tools::process_host& host,
                              providers::curl_loop& loop, const tool_log& log) {
  tools::mcp_options options;
  options.log = log;
  auto made = tools::make_mcp_source(config, host, loop, std::move(options));
  if (!made) return made.error();
  return box.add(std::shared_ptr<tools::tool_source>(std::move(*made)));
}

core::result<void> add_declared(tools::toolbox& box, const core::tool_config& config, const tools::process_host& host,
                                providers::curl_loop& loop, const tool_log& log) {
  if (config.kind == "command") return add_made(box, tools::make_command(config, host));
  if (config.kind == "program") return add_made(box, tools::make_program(config, host));
  if (config.kind == "http") return add_made(box, tools::make_http_tool(config, loop));
  if (config.kind == "http_request") return add_made(box, tools::make_http_request(config, loop));
  if (config.kind == "mcp") return add_server(box, config, host, loop, log);
  return error{errc::configuration_error, "tool `" + config.name + "`: there is no kind `" + config.kind + "`"};
}

}  // namespace

core::result<tools::toolbox> make_toolbox(const core::config& config, const tools::process_host& host,
                                          providers::curl_loop* loop, const tool_log& log) {
  auto box = tools::builtin_tools();
  if (!box) return box.error();
  if (auto added = box->add(tools::make_read_output()); !added) return added.error();
  if (!loop) return box;
  if (!config.tools.contains("http_request")) {
    core::tool_config usual;
    usual.name = usual.kind = "http_request";
    if (auto added = add_made(*box, tools::make_http_request(usual, *loop)); !added) return added.error();
  }
  for (const auto& entry : config.tools)
    if (auto added = add_declared(*box, entry.second, host, *loop, log); !added) return added.error();
  return box;
}

}  // namespace troupe::app
