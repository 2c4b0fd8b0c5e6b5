#include "tools/command.hpp"

#include "tools/process/program_call.hpp"
#include "tools/process/sandbox.hpp"
#include "tools/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace troupe::tools {

namespace json = boost::json;
using core::errc;
using core::error;

namespace {

constexpr std::size_t max_arguments = 1'000;
/// The kernel takes no longer ones (MAX_ARG_STRLEN).
constexpr std::size_t max_argument_bytes = (128 << 10) - 1;
/// So that the result with its first line stays below what a tool may give.
constexpr std::size_t most_output = max_output_bytes - 1'024;

std::string parameters_of(const core::tool_config& config) {
  json::array programs(config.programs.begin(), config.programs.end());
  json::object text{{"type", "string"}};
  json::object properties;
  properties["program"] = json::object{{"type", "string"}, {"enum", std::move(programs)}};
  properties["arguments"] = json::object{{"type", "array"},
                                         {"items", text},
                                         {"maxItems", max_arguments},
                                         {"description", "Passed on as they are; there is no shell."}};
  properties["input"] = json::object{{"type", "string"}, {"description", "What the program reads from its standard input."}};
  return json::serialize(json::object{{"type", "object"},
                                      {"properties", std::move(properties)},
                                      {"required", json::array{"program"}},
                                      {"additionalProperties", false}});
}

std::string description_of(const core::tool_config& config) {
  if (!config.description.empty()) return config.description;
  std::string out =
      "Runs a program in the session's workspace folder and gives what it writes. No shell: no pipes, redirections, "
      "wildcards or variables. Programs: ";
  for (const auto& name : config.programs) out += (&name == &config.programs.front() ? "" : ", ") + name;
  out += '.';
  if (config.sandbox && !config.network) out += " There is no network.";
  return out;
}

tool_spec command_spec(const core::tool_config& config) {
  tool_spec spec;
  spec.name = config.name;
  spec.description = description_of(config);
  spec.parameters = parameters_of(config);
  spec.effect = config.effect.value_or(core::effect::once);
  spec.time_limit = config.time_limit.value_or(spec.time_limit);
  spec.approval = config.approval.value_or(core::approval_policy::always);
  spec.risk = config.risk.empty() ? "high" : config.risk;
  spec.source = "command";
  spec.mode = tool_mode::streaming;
  return spec;
}

class command_tool final : public tool {
 public:
  command_tool(const core::tool_config& config, const process_host& host)
      : tool(command_spec(config)), config_(std::make_shared<const core::tool_config>(config)), host_(host) {}

  std::unique_ptr<running_call> start(const tool_context& context, const json::object& arguments,
                                      std::shared_ptr<call_listener> listener) const override {
    program_job job;
    if (auto trouble = prepare_job(job, context, arguments); !trouble.empty()) {
      listener->done({false, std::move(trouble)});
      return std::make_unique<running_call>();
    }
    return run_program(host_, std::move(job), std::move(listener));
  }

 private:
  /// Why the program cannot be run, or empty.
  std::string prepare_job(program_job& job, const tool_context& context, const json::object& arguments) const {
    if (auto trouble = missing_sandbox(*config_, host_); !trouble.empty()) return trouble;
    std::string_view name = arguments.at("program").as_string();
    // The environment may name another PATH for the program's own children.
    auto program = find_program(name, program_path);
    if (!program) {
      if (name.starts_with('/')) return "Not run: " + tools::quoted(name) + " is not there on this server, or may not be run.";
      return "Not run: there is no program " + tools::quoted(name) + " in " + std::string(program_path) + " on this server.";
    }
    job.options = options_for(*config_, context.workspace);
    job.options.command.push_back(program->native());
    if (auto* list = arguments.if_contains("arguments"))
      for (const auto& item : list->as_array()) job.options.command.emplace_back(item.as_string());
    for (std::size_t i = 1; i < job.options.command.size(); ++i) {
      const auto& text = job.options.command[i];
      if (text.find('\0') != std::string::npos) return "Not run: argument " + std::to_string(i) + " holds a NUL character.";
      if (text.size() > max_argument_bytes)
        return "Not run: argument " + std::to_string(i) + " has more than " + std::to_string(max_argument_bytes) +
               " bytes; pass it as `input` or in a file.";
    }
    if (auto* input = arguments.if_contains("input")) job.input = input->as_string();
    job.options.joins_output = true;
    job.workspace = context.workspace;
    job.output_bytes = std::min<std::size_t>(config_->output_bytes, most_output);
    job.judge = [config = config_](program_outcome& outcome) {
      auto text = describe(outcome, *config);
      if (outcome.too_much) text += " This is how it began:";
      if (!outcome.output.empty()) text += "\n\n" + outcome.output;
      return tool_result{has_succeeded(outcome), std::move(text)};
    };
    return {};
  }

  std::shared_ptr<const core::tool_config> config_;
  process_host host_;
};

}  // namespace

core::result<std::unique_ptr<tool>> make_command(const core::tool_config& config, const process_host& host) {
  if (config.programs.empty())
    return error{errc::configuration_error, "tool `" + config.name + "`: `programs` is empty; list what may be run"};
  for (const auto& name : config.programs)
    if (name.empty() || !is_plain_text(name) || (!name.starts_with('/') && name.find('/') != std::string::npos))
      return error{errc::configuration_error, "tool `" + config.name + "`: " + tools::quoted(name) +
                                                  " in `programs` is neither a plain name (looked up in " +
                                                  std::string(program_path) + ") nor an absolute path"};
  return std::unique_ptr<tool>(std::make_unique<command_tool>(config, host));
}

}  // namespace troupe::tools
