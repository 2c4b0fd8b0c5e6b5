// All actors over a real store in a temporary folder, on CAF's test scheduler, with a model that answers what the test says
// and remembers what it was asked. For tests of several sessions and principals.
#pragma once

#include "app/actor_stack.hpp"
#include "app/scenario/virtual_world.hpp"
#include "core/query.hpp"
#include "storage/store.hpp"

#include <caf/actor_system.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <catch2/catch.hpp>

#include <stdlib.h>

#include <filesystem>

namespace troupe::test {

/// Answers every call at once, or when it is let go.
class heard_model final : public providers::model_client {
 public:
  std::vector<providers::model_request> asked;
  std::function<providers::model_output(const providers::model_request&)> answer = [](const auto&) { return says("Hello."); };
  bool holds = false;
  std::optional<core::token_usage> counted;  ///< told as soon as it is asked
  int cancelled = 0;

  static providers::model_output says(const std::string& text, std::vector<core::tool_call> calls = {}) {
    providers::model_output out;
    if (!text.empty()) out.text.add(text);
    out.end = providers::model_end{};
    out.end->usage = core::token_usage{1'000, 0, 0};
    out.end->calls = std::move(calls);
    if (!out.end->calls.empty()) out.end->finish = core::finish_reason::tool_calls;
    return out;
  }
  static providers::model_output fails(const std::string& why, bool retryable = true, const std::string& text = {}) {
    providers::model_output out;
    if (!text.empty()) out.text.add(text);
    out.end = providers::model_end{};
    out.end->error = {core::errc::provider_error, why};
    out.end->retryable = retryable;
    return out;
  }
  std::shared_ptr<providers::model_stream> start(providers::model_request request, providers::model_sink sink) override {
    struct stream final : providers::model_stream {
      int& times;
      explicit stream(int& n) : times(n) {}
      void cancel() override { ++times; }
    };
    asked.push_back(std::move(request));
    if (counted) {
      providers::model_output early;
      early.usage = counted;
      sink(std::move(early));
    }
    held_.push_back([this, sink = std::move(sink), at = asked.size() - 1] { sink(answer(asked[at])); });
    if (!holds) let_go();
    return std::make_shared<stream>(cancelled);
  }
  void let_go() {
    for (auto& f : std::exchange(held_, {})) f();
  }
  /// What is held is never said.
  void drop_held() { held_.clear(); }

 private:
  std::vector<std::function<void()>> held_;
};

class recording_sink final : public actors::event_sink {
 public:
  std::vector<core::event> events;
  std::vector<core::event> recalled;
  void deliver(core::event_batch_ptr batch) noexcept override {
    events.insert(events.end(), batch->events.begin(), batch->events.end());
  }
  void recall(core::event_batch_ptr batch) noexcept override {
    recalled.insert(recalled.end(), batch->events.begin(), batch->events.end());
  }
  template <class Kind>
  [[nodiscard]] std::vector<Kind> all() const {
    std::vector<Kind> out;
    for (const auto& e : events)
      if (const auto* k = e.as<Kind>()) out.push_back(*k);
    return out;
  }
};

class world {
 public:
  using reply = core::result<core::command_reply>;
  using change = std::function<void(core::config&, core::project_config&, core::agent_config&)>;

  std::shared_ptr<app::virtual_environment> environment = std::make_shared<app::virtual_environment>();
  std::shared_ptr<heard_model> model = std::make_shared<heard_model>();
  std::shared_ptr<heard_model> spare = std::make_shared<heard_model>();          ///< of the provider `spare`
  std::shared_ptr<recording_sink> watcher = std::make_shared<recording_sink>();  ///< of the dialect `watched`
  std::filesystem::path folder;

  using more_tools = std::function<void(tools::toolbox&)>;

  explicit world(const change& to = {}, const more_tools& add = {}) {
    auto pattern = (std::filesystem::temp_directory_path() / "troupe-world-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    folder = pattern;
    auto made = std::make_shared<core::config>();
    core::project_config project{{"p"}, "p", {"a"}, {}, {}};
    core::agent_config agent;
    agent.id = {"a"};
    agent.project = {"p"};
    agent.provider = {"model"};
    agent.model = "m";
    agent.titles = core::title_source::none;                           // one event less to tell in every test
    agent.price = core::token_price{1'000'000, 1'000'000, 1'000'000};  // a call of `says` costs one dollar
    made->default_project = {"p"};
    if (to) to(*made, project, agent);
    project.agents.emplace(agent.id, std::make_shared<const core::agent_config>(agent));
    made->projects.emplace(project.id, project);
    config_ = made;
    auto box = tools::builtin_tools();
    REQUIRE(box.has_value());
    if (add) add(*box);
    tools_ = std::make_shared<const tools::toolbox>(std::move(*box));
    core::storage_config storage;
    storage.data = folder.string();
    storage.full_sync = false;
    storage.readers = 1;
    auto opened = storage::store::open(storage);
    INFO((opened ? std::string() : opened.error().text));
    REQUIRE(opened.has_value());
    store_ = std::move(*opened);
    start();
  }
  ~world() {
    stop();
    store_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }
  world(const world&) = delete;
  world& operator=(const world&) = delete;

  /// Runs everything that can run at this moment.
  void settle() {
    while (scheduler().try_run_once() || work_.run_one()) continue;
  }
  /// At most so many jobs.
  void run_some(std::size_t jobs) {
    for (; jobs > 0; --jobs)
      if (!scheduler().try_run_once() && !work_.run_one()) return;
  }
  void advance(std::chrono::milliseconds by) {
    environment->set_now(environment->now() + by);
    scheduler().clock().advance_time(by);
    settle();
  }
  void restart() {
    stop();
    start();
  }

  std::shared_ptr<std::optional<reply>> post(const core::session_id& to, core::principal by, core::command c) {
    auto out = std::make_shared<std::optional<reply>>();
    caf::anon_send(process_->listener, actors::submit{to, std::move(by), std::move(c)},
                   to_function<core::command_reply>([out](reply r) { *out = std::move(r); }));
    return out;
  }
  reply send(const core::session_id& to, core::principal by, core::command c) {
    auto out = post(to, std::move(by), std::move(c));
    settle();
    REQUIRE(out->has_value());
    return std::move(**out);
  }
  /// The reply of a command that must be carried out.
  template <class Reply = core::done>
  Reply must(const core::session_id& to, core::principal by, core::command c) {
    auto r = send(to, std::move(by), std::move(c));
    INFO((r ? std::string() : r.error().text));
    REQUIRE(r.has_value());
    REQUIRE(std::holds_alternative<Reply>(*r));
    return std::get<Reply>(*r);
  }
  core::error refused(const core::session_id& to, core::principal by, core::command c) {
    auto r = send(to, std::move(by), std::move(c));
    REQUIRE(r.has_error());
    return r.error();
  }
  core::session_id opened(std::uint64_t n, core::open_session c = {{"p"}, {"a"}, "watched", {}, {}}, core::principal by = {}) {
    core::session_id id{{9, n}};
    CHECK(must<core::session_opened>(id, std::move(by), std::move(c)).created);
    return id;
  }
  std::shared_ptr<recording_sink> attached(const core::session_id& to) {
    auto sink = std::make_shared<recording_sink>();
    caf::anon_send(process_->listener, actors::attach{to, sink, false}, to_function<actors::attached>([](auto) {}));
    settle();
    return sink;
  }

  std::unique_ptr<storage::queries> queries() {
    auto q = store_->open_queries();
    REQUIRE(q.has_value());
    return std::move(*q);
  }
  std::vector<core::event> log(const core::session_id& id) { return queries()->events(id, 0, 1'000'000, 100'000); }
  template <class Kind>
  std::vector<Kind> all(const core::session_id& id) {
    std::vector<Kind> out;
    for (const auto& e : log(id))
      if (const auto* k = e.as<Kind>()) out.push_back(*k);
    return out;
  }
  core::session_record record(const core::session_id& id) {
    auto found = queries()->session(id);
    REQUIRE(found.has_value());
    return *found;
  }
  /// What is wrong with the store, in words.
  std::string defects() {
    auto report = storage::check(folder.string());
    REQUIRE(report.has_value());
    std::string out;
    for (const auto& f : report->findings) out += f.subject + ": " + f.text + "\n";
    return out;
  }

 private:
  struct settings : caf::actor_system_config {
    settings() {
      set("scheduler.policy", caf::atom("testing"));
      set("logger.inline-output", true);
      set("logger.console", caf::atom("none"));
    }
  };
  struct process {
    settings config;
    caf::actor_system system{config};
    std::unique_ptr<app::actor_stack> stack;
    actors::listener_actor listener;
  };

  template <class T, class F>
  static actors::reply_to<T> to_function(F f) {
    return {std::make_shared<const std::function<void(core::result<T>)>>(std::move(f))};
  }
  [[nodiscard]] caf::scheduler::test_coordinator& scheduler() const {
    return dynamic_cast<caf::scheduler::test_coordinator&>(process_->system.scheduler());
  }
  void start() {
    process_ = std::make_unique<process>();
    scheduler().clock().current_time += std::chrono::hours(1);  // CAF takes 0 for "no time"
    app::actor_stack_parts parts;
    parts.config = config_;
    parts.environment = environment;
    parts.tools = tools_;
    parts.workspaces = folder / "workspaces";
    parts.run_blocking = [this](std::function<void()> f) { work_.add(std::move(f)); };
    parts.store = store_.get();
    parts.clients.emplace(core::provider_id{"model"}, model);
    parts.clients.emplace(core::provider_id{"spare"}, spare);
    parts.detached = false;
    (*parts.watchers)["watched"].push_back(watcher);
    auto in_flight = queries()->sessions_in_flight();
    auto stack = app::actor_stack::start(process_->system, std::move(parts));
    REQUIRE(stack.has_value());
    process_->stack = std::move(*stack);
    process_->listener = process_->stack->spawn_listener();
    process_->stack->resume(in_flight);
    settle();
  }
  void stop() {
    work_.drop_all();
    model->drop_held();
    spare->drop_held();
    process_->listener = nullptr;
    process_->stack->stop([this] {
      while (scheduler().try_run_once()) continue;
    });
    process_->stack = nullptr;
    process_ = nullptr;
  }

  core::config_ptr config_;
  std::shared_ptr<const tools::toolbox> tools_;
  std::unique_ptr<storage::store> store_;
  app::work_queue work_;
  std::unique_ptr<process> process_;
};

inline core::principal user(std::string id, std::uint8_t scopes = core::scope::user) {
  auto name = id;
  return {std::move(id), std::move(name), scopes, {}};
}
inline core::send_message say(std::string text) { return {std::move(text), {}, std::nullopt}; }
inline core::add_file file(std::string name, std::string type, std::string data) {
  return {std::move(name), std::move(type), std::make_shared<const std::string>(std::move(data))};
}

}  // namespace troupe::test
