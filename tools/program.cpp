#include "tools/program.hpp"

#include "tools/process/program_call.hpp"
#include "tools/process/sandbox.hpp"
#include "tools/schema.hpp"
#include "tools/text.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>

namespace troupe::tools {

namespace json = boost::json;
using core::errc;
using core::error;

namespace {

tool_spec program_spec(const core::tool_config& config) {
  tool_spec spec;
  spec.name = config.name;
  spec.description = config.description;
  spec.parameters = config.parameters.empty() ? R"({"type":"object"})" : config.parameters;
  spec.effect = config.effect.value_or(core::effect::once);
  spec.time_limit = config.time_limit.value_or(spec.time_limit);
  spec.approval = config.approval.value_or(core::approval_policy::by_effect);
  spec.risk = config.risk.empty() ? "medium" : config.risk;
  spec.source = "program";
  spec.mode = tool_mode::streaming;
  return spec;
}

/// A JSON string is the text in it; any other JSON, and what is no JSON, goes to the model as it is.
tool_result result_of(std::string output) {
  while (output.ends_with('\n') || output.ends_with('\r')) output.pop_back();
  if (output.starts_with('"'))
    if (auto value = parse_bounded(output, "output"); value && value->is_string()) output = std::string(value->get_string());
  if (!is_plain_text(output)) return {false, "Failed: its output is not UTF-8 text without NUL."};
  return {true, std::move(output)};
}

class program_tool final : public tool {
 public:
  program_tool(const core::tool_config& config, const process_host& host)
      : tool(program_spec(config)), config_(std::make_shared<const core::tool_config>(config)), host_(host) {}

  std::unique_ptr<running_call> start(const tool_context& context, const json::object& arguments,
                                      std::shared_ptr<call_listener> listener) const override {
    if (auto trouble = missing_sandbox(*config_, host_); !trouble.empty()) {
      listener->done({false, std::move(trouble)});
      return std::make_unique<running_call>();
    }
    program_job job;
    job.options = options_for(*config_, context.workspace);
    job.options.command = config_->command;
    // Scripts and data that the configuration names; what the model says is not on the command line.
    if (job.options.sandbox)
      for (const auto& text : config_->command)
        if (text.starts_with('/')) job.options.sandbox->readable.emplace_back(text);
    // An operator's PATH is for the program's own children.
    if (auto found = find_program(config_->command.front(), program_path)) job.options.command.front() = found->native();
    job.options.environment["TROUPE_IDEMPOTENCY_KEY"] = context.idempotency_key;
    job.options.environment["TROUPE_SESSION_ID"] = context.session.str();
    job.options.environment["TROUPE_CALL_ID"] = context.call.str();
    job.workspace = context.workspace;
    job.input = json::serialize(arguments) + "\n";
    job.output_bytes = std::min<std::size_t>(config_->output_bytes, max_output_bytes);
    job.judge = [config = config_](program_outcome& outcome) {
      if (has_succeeded(outcome)) return result_of(std::move(outcome.output));
      auto text = describe(outcome, *config);
      while (outcome.errors.ends_with('\n')) outcome.errors.pop_back();
      if (!outcome.errors.empty()) text += " It said:\n" + outcome.errors;
      return tool_result{false, std::move(text)};
    };
    return run_program(host_, std::move(job), std::move(listener));
  }

 private:
  std::shared_ptr<const core::tool_config> config_;
  process_host host_;
};

}  // namespace

core::result<std::unique_ptr<tool>> make_program(const core::tool_config& config, const process_host& host) {
  if (config.command.empty() || config.command.front().empty())
    return error{errc::configuration_error,
                 "tool `" + config.name + "`: `command` is empty; give the program and its arguments"};
  const auto& name = config.command.front();
  if (!name.starts_with('/') && name.find('/') != std::string::npos)
    return error{errc::configuration_error, "tool `" + config.name + "`: " + tools::quoted(name) +
                                                " in `command` is neither a plain name (looked up in " +
                                                std::string(program_path) + ") nor an absolute path"};
  return std::unique_ptr<tool>(std::make_unique<program_tool>(config, host));
}

}  // namespace troupe::tools
