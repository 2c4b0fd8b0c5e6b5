#include "actors/tool_invocation.hpp"

namespace troupe::actors {

namespace {

/// Text for the model; what a tool says is bounded here, whoever wrote it.
constexpr std::size_t max_output_bytes = 256 << 10;

tools::tool_result run_safely(const tools::tool& tool, const tools::tool_context& context,
                              const boost::json::object& arguments) {
  try {
    auto result = tool.run(context, arguments);
    if (result.output.size() > max_output_bytes) {
      auto size = result.output.size();
      result.output.resize(max_output_bytes);
      // Back to a code point's first byte, so that what is left stays UTF-8.
      while (!result.output.empty() && (static_cast<unsigned char>(result.output.back()) & 0xC0) == 0x80)
        result.output.pop_back();
      if (!result.output.empty() && (static_cast<unsigned char>(result.output.back()) & 0x80) != 0) result.output.pop_back();
      result.output += "\n[cut: " + std::to_string(size) + " bytes in all]";
    }
    return result;
  } catch (const std::exception& e) {
    return {false, "The tool failed: " + std::string(e.what())};
  }
}

}  // namespace

tool_invocation_actor::behavior_type tool_invocation(tool_invocation_actor::stateful_pointer<tool_invocation_state> self,
                                                     services_ptr services, agent_loop_actor loop, tools::tool_context context,
                                                     const tools::tool* tool, boost::json::object arguments,
                                                     std::chrono::milliseconds time_limit) {
  auto& s = self->state;
  s.loop = std::move(loop);
  s.call = context.call;
  s.started_at = services->environment->now();
  context.cancelled = s.cancelled;

  if (tool->spec().is_instant) {
    auto result = run_safely(*tool, context, arguments);
    self->send(self, tool_outcome{s.call, result.ok, std::move(result.output), 0});
  } else {
    auto me = tool_invocation_actor{self};
    services->run_blocking([me, tool, context = std::move(context), arguments = std::move(arguments)] {
      auto result = run_safely(*tool, context, arguments);
      caf::anon_send(me, tool_outcome{context.call, result.ok, std::move(result.output), 0});
    });
    self->delayed_send(self, time_limit, timeout_tick{});
  }

  return {
      [self, services](tool_outcome& outcome) {
        outcome.ms = (services->environment->now() - self->state.started_at).count();
        self->send(self->state.loop, std::move(outcome));
        self->quit();
      },
      [self, time_limit](const timeout_tick&) {
        self->state.cancelled->store(true);
        self->send(
            self->state.loop,
            tool_outcome{self->state.call, false,
                         "The tool gave no result within " + std::to_string(time_limit.count()) + " ms.", time_limit.count()});
        self->quit();
      },
      [self](const stop_run&) {
        self->state.cancelled->store(true);
        self->quit();
      },
  };
}

}  // namespace troupe::actors
