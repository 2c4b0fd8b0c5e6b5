#include "actors/tool_invocation.hpp"

#include "providers/utf8.hpp"
#include "tools/text.hpp"

#include <boost/json/parse.hpp>

namespace troupe::actors {

namespace {

using invocation_pointer = tool_invocation_actor::stateful_pointer<tool_invocation_state>;

constexpr std::chrono::milliseconds show_pause{50};

tools::tool_result run_safely(const tools::tool& tool, const tools::tool_context& context,
                              const boost::json::object& arguments) {
  try {
    return tool.run(context, arguments);
  } catch (const std::exception& e) {
    return {false, "The tool failed: " + providers::to_utf8(e.what())};
  }
}

struct invocation_core {
  invocation_pointer self;
  tool_invocation_state& s = self->state;

  [[nodiscard]] caf::actor_clock::time_point now() const { return self->clock().now(); }

  void start(const tools::tool& tool, const tools::tool_context& context, const boost::json::object& arguments) {
    s.inbox = std::make_shared<call_inbox>(s.call, tool_invocation_actor{self});
    try {
      s.running = tool.start(context, arguments, s.inbox);
    } catch (const std::exception& e) {
      self->send(self, tool_outcome{s.call, false, "The tool failed: " + providers::to_utf8(e.what()), 0});
    }
  }

  void allow(caf::actor_clock::duration_type time) {
    s.deadline = now() + time;
    self->delayed_send(self, time, timeout_tick{});
  }

  /// The call is over: whatever runs for it ends.
  void leave() {
    s.cancelled->store(true);
    s.running.reset();
    self->quit();
  }

  void show_output() {
    if (!s.inbox) return;
    auto text = s.inbox->take();
    if (text.empty()) return;
    s.shown_at = now();
    self->send(s.loop, tool_output{s.call, std::move(text)});
  }
  void on_output() {
    if (!s.inbox) return;
    auto due = s.shown_at + show_pause;
    if (now() >= due || s.inbox->is_full()) return show_output();
    if (s.is_show_armed) return;
    s.is_show_armed = true;
    self->delayed_send(self, due - now(), timeout_tick{});
  }

  void on_question(tool_question& m) {
    if (s.is_asking) return;
    s.is_asking = true;
    s.left = s.deadline - now();
    show_output();
    self->send(s.loop, std::move(m));
  }
  void on_answer(const tool_answer& m) {
    if (!std::exchange(s.is_asking, false)) return;
    allow(std::max<caf::actor_clock::duration_type>(s.left, std::chrono::milliseconds{1}));
    tools::answer out;
    out.accepted = m.what.decision == core::decision::approved;
    boost::system::error_code broken;
    auto content = boost::json::parse(m.what.answer, broken);
    if (!broken && content.is_object()) out.content = std::move(content.get_object());
    if (s.running) s.running->answer(std::move(out));
  }

  void on_tick(std::chrono::milliseconds time_limit) {
    if (s.is_show_armed && now() >= s.shown_at + show_pause) {
      s.is_show_armed = false;
      show_output();
    }
    if (s.is_asking || now() < s.deadline) return;
    show_output();
    auto why = "The tool gave no result within " + std::to_string(time_limit.count()) + " ms.";
    self->send(s.loop, tool_outcome{s.call, false, std::move(why), time_limit.count()});
    leave();
  }
};

}  // namespace

tool_invocation_actor::behavior_type tool_invocation(invocation_pointer self, services_ptr services, agent_loop_actor loop,
                                                     tools::tool_context context, tools::tool_ptr tool,
                                                     boost::json::object arguments, std::chrono::milliseconds time_limit) {
  auto& s = self->state;
  s.loop = std::move(loop);
  s.call = context.call;
  s.started_at = services->environment->now();
  context.cancelled = s.cancelled;
  invocation_core core{self};
  if (tool->spec().mode != tools::tool_mode::instant) core.allow(time_limit);

  switch (tool->spec().mode) {
    case tools::tool_mode::streaming:
      core.start(*tool, context, arguments);
      break;
    case tools::tool_mode::blocking: {
      auto me = tool_invocation_actor{self};
      services->run_blocking([me, tool, context = std::move(context), arguments = std::move(arguments)] {
        auto result = run_safely(*tool, context, arguments);
        caf::anon_send(me, tool_outcome{context.call, result.ok, std::move(result.output), 0, std::move(result.files)});
      });
      break;
    }
    default: {
      auto result = run_safely(*tool, context, arguments);
      self->send(self, tool_outcome{s.call, result.ok, std::move(result.output), 0, std::move(result.files)});
    }
  }

  return {
      [self](const tool_output&) { invocation_core{self}.on_output(); },
      [self](tool_question& m) { invocation_core{self}.on_question(m); },
      [self](const tool_answer& m) { invocation_core{self}.on_answer(m); },
      [self, services](tool_outcome& outcome) {
        invocation_core me{self};
        me.show_output();
        outcome.ms = (services->environment->now() - me.s.started_at).count();
        self->send(me.s.loop, std::move(outcome));
        me.leave();
      },
      [self, time_limit](const timeout_tick&) { invocation_core{self}.on_tick(time_limit); },
      [self](const stop_run&) { invocation_core{self}.leave(); },
  };
}

}  // namespace troupe::actors
