#include "tools/http/tool_basis.hpp"

#include "tools/http/http_tools.hpp"

#include <algorithm>
#include <fstream>

namespace troupe::tools {

bool is_http_method(std::string_view method) noexcept {
  return std::find(http_methods.begin(), http_methods.end(), method) != http_methods.end();
}

bool takes_body(std::string_view method) noexcept {
  return method == "POST" || method == "PUT" || method == "PATCH" || method == "DELETE";
}

core::effect effect_of_method(std::string_view method) noexcept {
  if (method == "GET" || method == "HEAD" || method == "OPTIONS") return core::effect::read_only;
  return method == "PUT" || method == "DELETE" ? core::effect::idempotent : core::effect::once;
}

core::error wrong_tool(const std::string& name, const std::string& text) {
  return {core::errc::configuration_error, "tool `" + name + "`: " + text};
}

tool_spec basic_spec(const core::tool_config& config, core::effect usual_effect) {
  tool_spec spec;
  spec.name = config.name;
  spec.description = config.description;
  spec.effect = config.effect.value_or(usual_effect);
  if (config.time_limit) spec.time_limit = *config.time_limit;
  spec.approval = config.approval.value_or(core::approval_policy::by_effect);
  spec.risk = !config.risk.empty() ? config.risk : spec.effect == core::effect::read_only ? "low" : "medium";
  spec.source = config.kind;
  spec.mode = tool_mode::streaming;
  return spec;
}

core::result<void> check_basis(const core::tool_config& config) {
  if (!config.ca_file.empty() && !std::ifstream(config.ca_file).good())
    return wrong_tool(config.name, "ca_file " + config.ca_file + " cannot be read; check the path and its permissions");
  if (config.time_limit && *config.time_limit <= std::chrono::milliseconds{0})
    return wrong_tool(config.name, "its time limit must be above 0");
  if (config.output_bytes == 0 || config.output_bytes > max_output_bytes)
    return wrong_tool(config.name, "output_bytes must be 1 to " + std::to_string(max_output_bytes));
  return {};
}

std::unique_ptr<running_call> refuse(const std::shared_ptr<call_listener>& listener, const std::string& text) {
  listener->done({false, "The request was not sent: " + text + "."});
  return std::make_unique<running_call>();
}

}  // namespace troupe::tools
