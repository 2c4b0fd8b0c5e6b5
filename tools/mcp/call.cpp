#include "tools/mcp/call.hpp"

#include "tools/mcp/supervisor.hpp"

namespace troupe::tools::mcp {

namespace json = boost::json;

namespace {

class handle final : public running_call {
 public:
  handle(std::weak_ptr<supervisor> owner, std::shared_ptr<open_call> call) : owner_(std::move(owner)), call_(std::move(call)) {}
  ~handle() override {
    if (call_->is_over.exchange(true)) return;
    if (auto owner = owner_.lock()) owner->give_up(call_);
  }
  void answer(tools::answer a) override {
    if (auto owner = owner_.lock()) owner->answer(call_, std::move(a));
  }

 private:
  std::weak_ptr<supervisor> owner_;
  std::shared_ptr<open_call> call_;
};

}  // namespace

mcp_tool::mcp_tool(tool_spec spec, remote_tool remote, std::weak_ptr<supervisor> owner)
    : tool(std::move(spec)), remote_(std::move(remote)), owner_(std::move(owner)) {}

core::result<void> mcp_tool::prepare_all() {
  if (auto good = prepare(); !good) return good;
  if (remote_.output_schema.empty()) return {};
  auto compiled = schema::compile(remote_.output_schema);
  if (!compiled) return core::error{compiled.error().code, "outputSchema: " + compiled.error().text};
  output_ = std::move(*compiled);
  return {};
}

std::unique_ptr<running_call> mcp_tool::start(const tool_context& context, const json::object& arguments,
                                              std::shared_ptr<call_listener> listener) const {
  auto call = std::make_shared<open_call>();
  call->tool = shared_from_this();
  call->arguments = arguments;
  call->owner = context.session.str();
  if (!context.trace.is_nil() && context.environment)
    call->meta.emplace("traceparent", "00-" + context.trace.value.hex() + "-" +
                                          context.environment->random_uuid().hex().substr(0, 16) + "-01");
  call->listener = std::move(listener);
  if (auto owner = owner_.lock())
    owner->submit(call);
  else
    call->finish({false, "The MCP server `" + spec().source + "` has been stopped. The call was not made."});
  return std::make_unique<handle>(owner_, std::move(call));
}

}  // namespace troupe::tools::mcp
