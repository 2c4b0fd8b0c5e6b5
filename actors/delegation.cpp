#include "actors/delegation.hpp"

#include "core/access.hpp"
#include "tools/text.hpp"

namespace troupe::actors {

namespace {

using delegation_pointer = delegation_actor::stateful_pointer<delegation_state>;

constexpr const char* child_dialect = core::all_dialects.back();
constexpr std::uint32_t page_size = 1'000;
constexpr std::size_t max_progress_bytes = 256 << 10;
constexpr std::size_t max_child_title = 200;
constexpr std::chrono::milliseconds progress_pause{50};

/// Hands the child's events to the delegation.
class child_sink final : public event_sink {
 public:
  explicit child_sink(delegation_actor to) : to_(std::move(to)) {}
  void deliver(core::event_batch_ptr batch) noexcept override { caf::anon_send(to_, child_events{std::move(batch)}); }

 private:
  delegation_actor to_;
};

/// The sub-agent acts for the owner of the session it works for.
core::principal owner_of(const core::session_record& parent) {
  core::principal who;
  who.id = parent.owner;
  return who;
}

struct delegation_core {
  delegation_pointer self;
  delegation_state& s = self->state;

  [[nodiscard]] core::principal owner() const { return owner_of(s.order.parent); }
  template <class Then>
  void ask_child(core::command command, Then then) {
    self->request(s.directory, caf::infinite, submit{s.order.child, owner(), std::move(command)})
        .then([me = self, then](core::command_reply& reply) { then(delegation_core{me}, reply); },
              [me = self](const caf::error& e) { delegation_core{me}.fail(from_caf(e).text); });
  }
  void tell_child(core::command command) { caf::anon_send(s.directory, submit{s.order.child, owner(), std::move(command)}); }

  // ---- beginning ----

  void begin() {
    core::open_session open;
    open.project = s.order.parent.project;
    open.agent = s.order.agent;
    open.dialect = child_dialect;
    open.owner = s.order.parent.owner;
    open.title = s.order.task.substr(0, s.order.task.find_first_of("\r\n"));
    open.title = std::string(tools::cut_text(open.title, max_child_title));
    open.parent = s.order.parent.id;
    open.parent_call = s.order.call;
    open.depth = s.order.parent.depth + 1;
    ask_child(std::move(open), [](delegation_core me, const core::command_reply& reply) {
      if (std::get<core::session_opened>(reply).created && !me.s.order.parent.participants.empty()) {
        core::update_session update;
        update.participants = me.s.order.parent.participants;
        me.tell_child(std::move(update));
      }
      me.look_on();
    });
  }
  void look_on() {
    s.sink = std::make_shared<child_sink>(delegation_actor{self});
    self->request(s.directory, caf::infinite, attach{s.order.child, s.sink})
        .then(
            [me = self](const attached& at) {
              me->state.attached_at = at.published;
              delegation_core{me}.give_task();
            },
            [me = self](const caf::error& e) { delegation_core{me}.fail(from_caf(e).text); });
  }
  void give_task() {
    core::send_message message;
    message.content = s.order.task;
    message.client_message_id = "delegate:" + s.order.call.str();
    ask_child(std::move(message), [](delegation_core me, const core::command_reply& reply) {
      me.s.run = std::get<core::message_accepted>(reply).run;
      me.read_on();
    });
  }
  /// What had happened before: after a restart the child may be far, or done.
  void read_on() {
    if (s.folded >= s.attached_at) return catch_up();
    self->request(s.directory, caf::infinite, read_events{s.order.child, s.folded, s.attached_at, page_size})
        .then(
            [me = self](const event_page& page) {
              delegation_core core{me};
              for (const auto& e : page.events) core.fold(e);
              if (page.events.empty()) core.s.folded = core.s.attached_at;
              core.read_on();
            },
            [me = self](const caf::error& e) { delegation_core{me}.fail(from_caf(e).text); });
  }
  void catch_up() {
    s.caught_up = true;
    s.progress.clear();  // it was passed on when it was new
    for (const auto& batch : std::exchange(s.early, {})) take(*batch);
    ask_open_questions();
  }

  // ---- what the child does ----

  void take(const core::event_batch& batch) {
    for (const auto& e : batch.events)
      if (!e.is_transient() && e.seq > s.folded) fold(e);
    ask_open_questions();
    if (s.progress.empty() || s.progress_armed) return;
    s.progress_armed = true;
    self->delayed_send(self, progress_pause, timeout_tick{});
  }

  void fold(const core::event& e) {
    s.folded = e.seq;
    if (const auto* text = e.as<core::text_delta>()) {
      if (s.progress_bytes + s.progress.size() < max_progress_bytes) s.progress += text->pieces.text;
    } else if (const auto* message = e.as<core::message_completed>()) {
      if (message->calls.empty()) s.answer = message->content;
    } else if (const auto* usage = e.as<core::usage_recorded>()) {
      s.tokens += usage->tokens;
      s.cost += usage->cost;
    } else if (const auto* result = e.as<core::tool_completed>()) {
      s.tokens += result->child_tokens;
      s.cost += result->child_cost;
    } else if (const auto* question = e.as<core::approval_requested>()) {
      s.questions.emplace(question->approval, *question);
    } else if (const auto* decision = e.as<core::approval_decided>()) {
      decided_there(*decision);
    } else if (const auto* done = e.as<core::run_completed>()) {
      if (done->run == s.run) finish(true, std::move(s.answer));
    } else if (const auto* failed = e.as<core::run_failed>()) {
      if (failed->run == s.run) finish(false, "The agent " + s.order.agent.str() + " failed: " + failed->text);
    } else if (const auto* stopped = e.as<core::run_cancelled>()) {
      if (stopped->run == s.run) finish(false, "The agent " + s.order.agent.str() + " was stopped before it had an answer.");
    }
  }

  /// Whoever looks at the parent sees the question there too.
  void ask_open_questions() {
    if (!s.caught_up) return;
    for (const auto& [id, question] : s.questions) {
      if (!s.asked.insert(id).second) continue;
      core::approval_requested mirror = question;
      mirror.origin = s.order.child;
      mirror.origin_approval = id;
      self->send(s.loop, tool_question{s.order.call, std::move(mirror)});
    }
  }
  /// The command that decides the question's other copy in the same way; both sessions know it by the child's id.
  static core::decide_approval same_as(const core::approval_decided& decision) {
    core::decide_approval out;
    out.approval = decision.approval;
    out.approved = decision.decision == core::decision::approved;
    out.note = decision.note;
    out.edited_input = decision.edited_input;
    out.choice = decision.choice;
    out.answer = decision.answer;
    return out;
  }
  [[nodiscard]] core::principal decider_of(const core::approval_decided& decision) const {
    auto who = owner();
    if (!decision.by.empty()) who.id = decision.by;
    return who;
  }
  /// Somebody decided in the child's own session: the mirror is settled with it.
  void decided_there(const core::approval_decided& decision) {
    s.questions.erase(decision.approval);
    if (s.asked.erase(decision.approval) == 0) return;
    caf::anon_send(s.directory, submit{s.order.parent.id, decider_of(decision), same_as(decision)});
  }
  /// Somebody decided at the mirror.
  void decided_here(const core::approval_decided& decision) {
    const auto id = decision.approval;
    if (s.asked.erase(id) == 0) return;
    const auto deciders = s.questions.count(id) != 0 ? s.questions.at(id).deciders : 1;
    s.questions.erase(id);
    auto same = same_as(decision);
    auto who = decider_of(decision);
    caf::anon_send(s.directory, submit{s.order.child, who, same});
    // As many people as it takes have decided at the mirror already; the child counts principals.
    for (std::uint32_t more = 1; more < deciders && same.approved; ++more) {
      who.id = s.order.parent.id.str() + "#" + std::to_string(more);
      caf::anon_send(s.directory, submit{s.order.child, who, same});
    }
  }

  void pass_progress() {
    s.progress_armed = false;
    if (s.progress.empty()) return;
    s.progress_bytes += s.progress.size();
    self->send(s.loop, tool_output{s.order.call, std::exchange(s.progress, {})});
  }

  // ---- ends ----

  void finish(bool ok, std::string output) {
    pass_progress();
    tool_outcome outcome;
    outcome.call = s.order.call;
    outcome.ok = ok;
    outcome.output = output.empty() ? "The agent " + s.order.agent.str() + " answered without text." : std::move(output);
    outcome.ms = (s.services->environment->now() - s.started_at).count();
    outcome.child_tokens = s.tokens;
    outcome.child_cost = s.cost;
    self->send(s.loop, std::move(outcome));
    self->quit();
  }
  void fail(const std::string& why) { finish(false, "The agent " + s.order.agent.str() + " could not be asked: " + why); }
};

}  // namespace

core::session_id child_session_of(const core::session_id& parent, const core::run_id& run, std::uint32_t step,
                                  const core::tool_call_id& call) {
  return {core::uuid_of_name("delegate/" + parent.str() + "/" + run.str() + "/" + std::to_string(step) + "/" + call.str())};
}

void stop_sub_agent(const directory_actor& directory, const core::session_record& parent, const core::session_id& child) {
  caf::anon_send(directory, submit{child, owner_of(parent), core::cancel_run{}});
}

delegation_state::~delegation_state() {
  if (sink) caf::anon_send(directory, detach{order.child, sink});
}

delegation_actor::behavior_type delegation(delegation_pointer self, services_ptr services, directory_actor directory,
                                           agent_loop_actor loop, delegation_order order) {
  auto& s = self->state;
  s.services = std::move(services);
  s.directory = std::move(directory);
  s.loop = std::move(loop);
  s.order = std::move(order);
  s.started_at = s.services->environment->now();
  delegation_core{self}.begin();
  return {
      [self](tool_output& m) { self->send(self->state.loop, std::move(m)); },
      [self](tool_question& m) { self->send(self->state.loop, std::move(m)); },
      [self](const tool_answer& m) { delegation_core{self}.decided_here(m.what); },
      [self](tool_outcome& m) { self->send(self->state.loop, std::move(m)); },
      [self](const timeout_tick&) { delegation_core{self}.pass_progress(); },
      [self](const stop_run&) { self->quit(); },
      [self](const child_events& m) {
        if (self->state.caught_up)
          delegation_core{self}.take(*m.batch);
        else
          self->state.early.push_back(m.batch);
      },
  };
}

}  // namespace troupe::actors
