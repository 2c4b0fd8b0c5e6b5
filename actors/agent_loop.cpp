#include "actors/agent_loop.hpp"

#include "actors/tool_invocation.hpp"
#include "providers/attachments.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace troupe::actors {

namespace {

using core::errc;
using core::run_phase;
using payloads = std::vector<core::event_payload>;
using providers::model_files;
using self_pointer = agent_loop_actor::stateful_pointer<agent_loop_state>;

/// Tool names that providers accept have no dots (DESIGN §6).
std::shared_ptr<const std::vector<providers::tool_description>> describe(const tools::toolbox& box,
                                                                         const core::agent_config& agent) {
  auto out = std::make_shared<std::vector<providers::tool_description>>();
  for (const auto& name : agent.tools)
    if (const auto* tool = box.find(name))
      out->push_back({tool->spec().name, tool->spec().description, tool->spec().parameters});
  return out;
}

/// More than this no request carries: the newest files are given, of others only names.
constexpr std::int64_t max_file_bytes_of_request = 32 << 20;

std::vector<core::file_id> files_to_read(const core::history& history, const core::agent_config& agent) {
  std::vector<core::file_id> out;
  std::int64_t left = max_file_bytes_of_request;
  const auto& messages = history.messages();
  for (auto message = messages.rbegin(); message != messages.rend(); ++message)
    for (const auto& file : message->attachments) {
      if (providers::use_of(file, agent.takes_images, agent.takes_files) == providers::attachment_use::name) continue;
      if (file.size > left || std::find(out.begin(), out.end(), file.file) != out.end()) continue;
      left -= file.size;
      out.push_back(file.file);
    }
  return out;
}

/// What the log keeps as input: the arguments where they are JSON (as the log writes JSON, without its blanks), else the
/// model's text as a JSON string.
std::string logged_input(const std::string& arguments) {
  if (arguments.empty()) return "{}";
  boost::system::error_code error;
  auto value = boost::json::parse(arguments, error, {}, {.max_depth = 64});
  return boost::json::serialize(error ? boost::json::value(arguments) : value);
}

struct loop {
  self_pointer self;
  agent_loop_state& s = self->state;

  [[nodiscard]] core::millis now() const { return s.services->environment->now(); }
  [[nodiscard]] agent_loop_actor me() const { return agent_loop_actor{self}; }

  void remember(const payloads& facts) {
    for (const auto& f : facts) s.order.history.apply({0, 0, core::millis{0}, f});
  }

  /// Nobody waits for these facts.
  void tell(payloads facts) {
    remember(facts);
    caf::anon_send(s.session, record{std::move(facts)});
  }

  /// `then` runs once the facts are on disk. A store that fails ends the loop; the session starts again from its log.
  template <class Then>
  void tell_and(payloads facts, Then then) {
    remember(facts);
    self->request(s.session, caf::infinite, record{std::move(facts)})
        .then([then = std::move(then)](const recorded&) mutable { then(); }, [me = self](const caf::error&) { me->quit(); });
  }

  void finish(payloads facts) {
    remember(facts);
    self->send(s.session, finish_run{s.order.run, std::move(facts), std::move(s.order.history)});
    self->quit();
  }

  // ---- beginning ----

  void begin() {
    const auto& before = s.order.before;
    s.tokens = before.tokens;
    s.cost = before.cost;
    for (const auto& c : before.calls) s.used_call_ids.push_back(c.id);
    if (!before.active || before.step == 0 || before.step_open) {
      s.message = s.order.reply;  // a step that runs again writes the same message again
      s.machine = core::run_machine(s.order.agent->limits.max_steps, before.step == 0 ? 0 : before.step - 1);
      go_on(s.machine.begin());
      return;
    }
    resume_tools();
  }

  /// A restart came between the model's answer and the last result: what may run again does, the rest is settled.
  void resume_tools() {
    const auto& before = s.order.before;
    s.last_message = before.reply;
    s.machine = core::run_machine(s.order.agent->limits.max_steps, before.step);
    std::vector<core::call_state> states;
    payloads facts;
    std::vector<std::size_t> again;
    for (auto i = before.step_calls_from; i < before.calls.size(); ++i) {
      const auto& c = before.calls[i];
      agent_loop_state::call call{{c.id, c.tool, c.input}, s.services->tools->find(c.tool), {}, {}, c.settled, {}};
      auto question = std::find_if(before.open_approvals.begin(), before.open_approvals.end(),
                                   [&](const auto& a) { return a.call == c.id; });
      bool waits = question != before.open_approvals.end();
      if (!c.settled && !waits) {
        auto arguments =
            call.tool ? s.services->tools->check(*call.tool, c.input) : core::result<boost::json::object>(core::error{});
        if (c.effect == core::effect::once || !arguments) {
          facts.emplace_back(core::tool_outcome_unknown{s.order.run, c.id, c.tool});
          facts.emplace_back(core::tool_completed{s.order.run, c.id, c.tool, false,
                                                  "Outcome unknown: the server stopped while this call ran. It may or may "
                                                  "not have taken effect; it was not run again.",
                                                  0});
          call.settled = true;
        } else {
          call.arguments = std::move(*arguments);
          again.push_back(s.calls.size());
        }
      }
      if (waits) call.question = question->approval;
      if (waits && call.tool)
        if (auto arguments = s.services->tools->check(*call.tool, c.input)) call.arguments = std::move(*arguments);
      states.push_back(call.settled ? core::call_state::settled
                       : waits      ? core::call_state::waiting
                                    : core::call_state::started);
      s.calls.push_back(std::move(call));
    }
    if (!facts.empty()) tell(std::move(facts));
    // The result of every call that the log lacks but that is settled now was told above; nothing is run before.
    auto phase = s.machine.resume_calls(std::move(states));
    for (auto i : again) run_call(i);
    if (phase != run_phase::running_tools && phase != run_phase::parked) go_on(phase);
  }

  /// Carries out what the machine decided.
  void go_on(run_phase phase) {
    switch (phase) {
      case run_phase::calling_model:
        return call_model();
      case run_phase::failed:
        return fail({errc::iteration_limit,
                     "The agent stopped after " + std::to_string(s.machine.step()) + " steps, its limit (limits.max_steps)."});
      default:
        return;
    }
  }

  // ---- model ----

  void call_model() {
    if (s.message.is_nil() || s.message == s.last_message) s.message = s.services->environment->make<core::message_id>();
    s.text.clear();
    s.calls.clear();
    s.first_delta_at = core::millis{0};
    const auto& agent = *s.order.agent;
    if (auto budget = agent.limits.budget; budget && s.order.session_spend + s.cost >= *budget) {
      s.machine.model_failed();
      return fail(
          {errc::budget_exceeded, "The session has spent its budget (limits.budget_usd of agent " + agent.id.str() + ")."});
    }
    if (auto why = s.services->spending->reached(agent.project, agent.id, now())) {
      s.machine.model_failed();
      return fail({errc::budget_exceeded, std::move(*why)});
    }
    if (s.files) return ask_model();
    read_files(files_to_read(s.order.history, agent), std::make_shared<model_files>());
  }

  /// One after the other; one that cannot be found is told to the model by its name only.
  void read_files(std::vector<core::file_id> left, std::shared_ptr<model_files> found) {
    if (left.empty()) {
      s.files = std::move(found);
      return ask_model();
    }
    core::get_file question{s.order.session, left.back()};
    left.pop_back();
    auto go_on_without = [this_loop = *this, left, found](const caf::error&) mutable { this_loop.read_files(left, found); };
    self->request(s.services->reader_for(s.order.session), caf::infinite, ask{question})
        .then(
            [this_loop = *this, left, found](core::answer& a) mutable {
              auto file = std::make_shared<core::file_record>(std::get<core::file_record>(std::move(a)));
              found->emplace(file->file.file, std::move(file));
              this_loop.read_files(std::move(left), std::move(found));
            },
            std::move(go_on_without));
  }

  void ask_model() {
    const auto& agent = *s.order.agent;
    const auto& options = s.order.options;
    tell({core::step_started{s.order.run, s.machine.step(), s.message, agent.provider.str(), agent.model}});
    ++s.order.model_calls;
    s.call_started_at = now();
    auto request = std::make_shared<providers::model_request>();
    request->model = agent.model;
    request->instructions = agent.instructions;
    request->history = s.order.history.snapshot();
    request->tools = s.tools;
    request->files = s.files;
    request->takes_images = agent.takes_images;
    request->takes_files = agent.takes_files;
    request->max_output_tokens =
        std::min(agent.limits.max_output_tokens, options.max_output_tokens.value_or(agent.limits.max_output_tokens));
    request->temperature = options.temperature ? options.temperature : agent.temperature;
    request->session = s.order.session;
    request->call_number = s.order.model_calls;
    s.model_call = s.services->environment->new_uuid();
    self->send(s.provider, start_model{s.model_call, std::move(request), caf::actor_cast<caf::strong_actor_ptr>(self)});
  }

  void on_output(model_delivery& m) {
    if (m.call != s.model_call || s.machine.phase() != run_phase::calling_model) return;
    auto& out = m.output;
    if (!out.text.empty() || !out.reasoning.empty()) {
      if (s.first_delta_at.count() == 0) s.first_delta_at = now();
      s.text += out.text.text;
      self->send(s.session, stream_text{s.message, std::move(out.text), std::move(out.reasoning)});
    }
    if (out.end) on_end(*out.end, m.attempt);
  }

  void on_end(providers::model_end& end, std::uint32_t attempts) {
    s.model_call = {};
    payloads facts;
    if (end.error.code != errc::ok) {
      s.machine.model_failed();
      if (end.usage) add_usage(end, attempts, facts);
      return fail(std::move(end.error), std::move(facts));
    }
    make_call_ids_unique(end.calls);
    auto phase = s.machine.model_ended(end.calls.size());
    facts.emplace_back(
        core::message_completed{s.order.run, s.machine.step(), s.message, std::move(s.text), end.calls, end.finish, false});
    s.text.clear();
    s.last_message = s.message;
    add_usage(end, attempts, facts);
    if (phase == run_phase::completed) {
      facts.emplace_back(core::run_completed{s.order.run, s.message, s.order.trace, s.tokens, s.cost, s.machine.step()});
      return finish(std::move(facts));
    }
    start_calls(std::move(end.calls), std::move(facts));
  }

  /// Results are matched by id, and some models repeat theirs or send none.
  void make_call_ids_unique(std::vector<core::tool_call>& calls) {
    auto& used = s.used_call_ids;
    for (auto& c : calls) {
      auto wanted = c.id.empty() ? std::string("call") : c.id.str();
      for (int n = 2; c.id.empty() || std::find(used.begin(), used.end(), c.id) != used.end(); ++n)
        c.id.value = wanted + "_" + std::to_string(n);
      used.push_back(c.id);
    }
  }

  void add_usage(const providers::model_end& end, std::uint32_t attempts, payloads& facts) {
    const auto& agent = *s.order.agent;
    auto tokens = end.usage.value_or(core::token_usage{});
    auto cost = agent.price ? core::cost_of(tokens, *agent.price) : core::micro_usd{};
    s.tokens += tokens;
    s.cost += cost;
    facts.emplace_back(core::usage_recorded{s.order.run, s.machine.step(), agent.provider.str(), agent.model, tokens, cost,
                                            !end.usage, s.call_started_at, s.first_delta_at, attempts});
  }

  // ---- tools ----

  [[nodiscard]] bool needs_approval(const tools::tool& tool) const {
    const auto& policy = s.order.agent->approval;
    auto it = policy.find(tool.spec().name);
    return (it == policy.end() ? tool.spec().approval : it->second) == core::approval_policy::always;
  }

  [[nodiscard]] bool may_use(const std::string& tool) const {
    const auto& allowed = s.order.agent->tools;
    return std::find(allowed.begin(), allowed.end(), tool) != allowed.end();
  }

  /// Intents, refusals and questions of one step are one group of facts: a restart finds all of them or none.
  void start_calls(std::vector<core::tool_call> asked, payloads facts) {
    std::vector<std::size_t> refused;
    payloads results, questions;
    for (auto& a : asked) {
      auto i = s.calls.size();
      agent_loop_state::call call{std::move(a), nullptr, {}, {}, false, {}};
      auto input = logged_input(call.asked.arguments);
      auto refuse = [&](std::string why) {
        results.emplace_back(core::tool_completed{s.order.run, call.asked.id, call.asked.tool, false, std::move(why), 0});
        refused.push_back(i);
      };
      const auto* tool = may_use(call.asked.tool) ? s.services->tools->find(call.asked.tool) : nullptr;
      auto effect = tool ? tool->spec().effect : core::effect::read_only;
      facts.emplace_back(core::tool_started{s.order.run, call.asked.id, call.asked.tool, input, effect});
      if (!tool) {
        refuse("Tool not found: " + call.asked.tool);
      } else if (auto arguments = s.services->tools->check(*tool, call.asked.arguments); !arguments) {
        refuse("Invalid arguments: " + arguments.error().text);
      } else {
        call.tool = tool;
        call.arguments = std::move(*arguments);
        if (needs_approval(*tool)) {
          call.question = s.services->environment->make<core::approval_id>();
          questions.emplace_back(core::approval_requested{s.order.run, call.question, call.asked.id, call.asked.tool, input,
                                                          core::approval_kind::tool, tool->spec().risk,
                                                          now() + s.order.agent->limits.approval_timeout});
        }
      }
      s.calls.push_back(std::move(call));
    }
    std::move(results.begin(), results.end(), std::back_inserter(facts));
    std::move(questions.begin(), questions.end(), std::back_inserter(facts));
    tell_and(std::move(facts), [this_loop = *this, refused = std::move(refused)]() mutable { this_loop.dispatch(refused); });
  }

  void dispatch(const std::vector<std::size_t>& refused) {
    if (s.machine.is_over()) return;
    for (std::size_t i = 0; i < s.calls.size(); ++i) {
      auto& call = s.calls[i];
      if (!call.tool) continue;
      if (!call.question.is_nil())
        s.machine.call_waits(i);
      else
        run_call(i);
    }
    // Last, because the final result of a step starts the next one.
    auto phase = s.machine.phase();
    for (auto i : refused) {
      s.calls[i].settled = true;
      phase = s.machine.call_settled(i);
    }
    if (!refused.empty()) go_on(phase);
  }

  void run_call(std::size_t i) {
    auto& call = s.calls[i];
    tools::tool_context context;
    context.session = s.order.session;
    context.call = call.asked.id;
    context.idempotency_key = s.order.run.str() + "/" + std::to_string(s.machine.step()) + "/" + call.asked.id.str();
    context.workspace = s.services->workspaces / s.order.session.str();
    context.environment = s.services->environment;
    auto limit = std::min(call.tool->spec().time_limit, s.order.agent->limits.tool_timeout);
    call.invocation =
        self->spawn<caf::linked>(tool_invocation, s.services, me(), std::move(context), call.tool, call.arguments, limit);
  }

  [[nodiscard]] std::optional<std::size_t> find_open(const core::tool_call_id& id) const {
    for (std::size_t i = 0; i < s.calls.size(); ++i)
      if (s.calls[i].asked.id == id && !s.calls[i].settled) return i;
    return std::nullopt;
  }

  void settle(std::size_t i, core::tool_completed result) {
    auto& call = s.calls[i];
    call.settled = true;
    call.invocation = tool_invocation_actor();
    tell({std::move(result)});
    go_on(s.machine.call_settled(i));
  }

  void on_result(tool_outcome& m) {
    auto i = find_open(m.call);
    if (!i || s.machine.is_over()) return;
    settle(*i, {s.order.run, m.call, s.calls[*i].asked.tool, m.ok, std::move(m.output), m.ms});
  }

  void on_decision(const approval_outcome& m) {
    auto i = find_open(m.call);
    if (!i || s.machine.is_over()) return;
    auto& call = s.calls[*i];
    call.question = {};
    auto refuse = [&](std::string why) { settle(*i, {s.order.run, m.call, call.asked.tool, false, std::move(why), 0}); };
    if (m.decision == core::decision::expired) return refuse("Nobody approved this call in time; it was not carried out.");
    if (m.decision == core::decision::denied)
      return refuse("The user denied this call; it was not carried out." + (m.note.empty() ? "" : " Note: " + m.note));
    if (!call.tool) return refuse("Tool not found: " + call.asked.tool);
    if (!m.edited_input.empty()) {
      auto edited = s.services->tools->check(*call.tool, m.edited_input);
      if (!edited) return refuse("Invalid arguments after editing: " + edited.error().text);
      call.arguments = std::move(*edited);
    }
    s.machine.call_released(*i);
    run_call(*i);
  }

  // ---- ends ----

  /// What is still open gets its end, so that the history stays valid.
  void close_open(payloads& facts, const std::string& why, const std::string& by = {}) {
    if (!s.text.empty())
      facts.emplace_back(core::message_completed{
          s.order.run, s.machine.step(), s.message, std::move(s.text), {}, core::finish_reason::stop, true});
    for (auto& call : s.calls) {
      if (call.settled) continue;
      call.settled = true;
      if (call.invocation) self->send(call.invocation, stop_run{});
      if (!call.question.is_nil())
        facts.emplace_back(
            core::approval_decided{s.order.run, call.question, call.asked.id, core::decision::denied, by, why, {}});
      facts.emplace_back(core::tool_completed{s.order.run, call.asked.id, call.asked.tool, false, why, 0});
    }
  }

  void fail(core::error error, payloads facts = {}) {
    close_open(facts, "The run failed before this call was carried out.");
    facts.emplace_back(core::run_failed{s.order.run, error.code, std::move(error.text), s.machine.step()});
    finish(std::move(facts));
  }

  void on_stop(const stop_run& m) {
    if (s.machine.is_over()) return;
    if (!s.model_call.is_nil()) self->send(s.provider, cancel_model{s.model_call});
    s.model_call = {};
    s.machine.stop();
    payloads facts;
    bool text_kept = !s.text.empty();
    close_open(facts, "The user stopped the run before this call had a result.", m.by);
    facts.emplace_back(core::run_cancelled{s.order.run, m.by, text_kept});
    finish(std::move(facts));
  }
};

}  // namespace

agent_loop_actor::behavior_type agent_loop(self_pointer self, services_ptr services, session_actor session, run_order order) {
  auto& s = self->state;
  s.services = std::move(services);
  s.session = std::move(session);
  s.order = std::move(order);
  s.tools = describe(*s.services->tools, *s.order.agent);
  auto provider = s.services->providers.find(s.order.agent->provider);
  if (provider != s.services->providers.end()) s.provider = provider->second;
  if (s.provider)
    loop{self}.begin();
  else
    loop{self}.fail({errc::configuration_error, "Provider not found: " + s.order.agent->provider.str()});
  return {
      [self](model_delivery& m) { loop{self}.on_output(m); },
      [self](tool_outcome& m) { loop{self}.on_result(m); },
      [self](const approval_outcome& m) { loop{self}.on_decision(m); },
      [self](const stop_run& m) { loop{self}.on_stop(m); },
  };
}

}  // namespace troupe::actors
