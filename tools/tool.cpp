#include "tools/tool.hpp"

#include "tools/schema.hpp"

namespace troupe::tools {

namespace json = boost::json;
using core::errc;
using core::error;

void running_call::answer(tools::answer) {}

tool::tool(tool_spec spec) : spec_(std::move(spec)) {}
tool::~tool() = default;

core::result<void> tool::prepare() {
  if (spec_.name.empty()) return error{errc::configuration_error, "a tool has no name"};
  auto compiled = schema::compile(spec_.parameters);
  if (!compiled) return error{errc::configuration_error, "tool `" + spec_.name + "`: " + compiled.error().text};
  schema_ = std::make_unique<schema>(std::move(*compiled));
  return {};
}

core::result<json::object> tool::check(std::string_view arguments) const {
  if (arguments.find_first_not_of(" \t\r\n") == std::string_view::npos) arguments = "{}";
  auto parsed = parse_bounded(arguments, "the input of `" + spec_.name + "`");
  if (!parsed) return parsed.error();
  if (auto fits = schema_->check(*parsed); !fits)
    return error{fits.error().code, "the input of `" + spec_.name + "` does not fit: " + fits.error().text};
  return std::move(parsed->get_object());
}

tool_result tool::run(const tool_context&, const json::object&) const {
  return {false, "The tool `" + spec_.name + "` cannot be run this way."};
}

std::unique_ptr<running_call> tool::start(const tool_context&, const json::object&,
                                          std::shared_ptr<call_listener> listener) const {
  listener->done({false, "The tool `" + spec_.name + "` cannot be run this way."});
  return std::make_unique<running_call>();
}

}  // namespace troupe::tools
