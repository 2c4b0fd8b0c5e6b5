// Sessions before a store that answers when the test says so: what must be on disk before it counts.
#include "actors/directory.hpp"
#include "actors/listener.hpp"
#include "actors/provider.hpp"
#include "actors/reader.hpp"
#include "app/scenario/scenario.hpp"
#include "app/scenario/virtual_world.hpp"
#include "providers/scripted.hpp"
#include "storage/store.hpp"

#include <caf/actor_system.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <catch2/catch.hpp>

#include <stdlib.h>

#include <filesystem>

using namespace troupe;
using namespace troupe::actors;
namespace fs = std::filesystem;

namespace {

struct slow_store_settings : caf::actor_system_config {
  slow_store_settings() {
    set("scheduler.policy", caf::atom("testing"));
    set("logger.inline-output", true);
    set("logger.console", caf::atom("none"));
  }
};

/// Commits when it is told, all that waits at once.
struct slow_state {
  std::vector<storage::append> waiting;
  std::vector<caf::typed_response_promise<committed>> promises;
};
persistence_actor::behavior_type slow_persistence(persistence_actor::stateful_pointer<slow_state> self,
                                                  storage::journal* journal, std::shared_ptr<std::vector<core::event>> stored) {
  return {
      [self](append& a) -> caf::result<committed> {
        self->state.waiting.push_back(std::move(a.what));
        self->state.promises.push_back(self->make_response_promise<committed>());
        return self->state.promises.back();
      },
      [](const store_agent&) -> caf::result<agent_stored> { return agent_stored{}; },
      [self, journal, stored](const commit_tick&) {
        auto& s = self->state;
        REQUIRE(journal->commit(s.waiting).has_value());
        for (const auto& a : s.waiting) stored->insert(stored->end(), a.batch->events.begin(), a.batch->events.end());
        s.waiting.clear();
        for (auto& p : std::exchange(s.promises, {})) p.deliver(committed{});
      },
  };
}

struct recording_sink final : event_sink {
  std::vector<core::event> events;
  void deliver(core::event_batch_ptr batch) noexcept override {
    events.insert(events.end(), batch->events.begin(), batch->events.end());
  }
};

using answer_slot = std::shared_ptr<std::optional<core::result<core::command_reply>>>;

struct slow_store_fixture {
  fs::path folder;
  std::unique_ptr<storage::store> store;
  std::shared_ptr<app::virtual_environment> environment = std::make_shared<app::virtual_environment>();
  app::virtual_timers timers{*environment};
  slow_store_settings config;
  caf::actor_system system{config};
  caf::scheduler::test_coordinator& sched = dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler());
  std::shared_ptr<std::vector<core::event>> stored = std::make_shared<std::vector<core::event>>();
  std::shared_ptr<recording_sink> sink = std::make_shared<recording_sink>();
  std::vector<caf::actor> all;
  persistence_actor writer;
  directory_actor sessions;
  listener_actor way_in;
  core::session_id session{{7, 7}};

  explicit slow_store_fixture(const std::string& agent) {
    auto pattern = (fs::temp_directory_path() / "troupe-slow-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    folder = pattern;
    sched.clock().current_time += std::chrono::hours(1);
    auto parsed = app::parse_scenario(R"({"scenario": "x", "agent": )" + agent + R"(, "model": {
      "rules": [{"when": {"after": "tool"}, "say": [{"text": "ok"}]}],
      "otherwise": [{"tool": "write_file", "arguments": {"path": "a", "content": "b"}, "id": "c"}]},
      "steps": [{"expect": {"kind": "run_started"}}]})",
                                      "test");
    INFO((parsed ? std::string() : parsed.error().text));
    REQUIRE(parsed.has_value());
    auto opened = storage::store::open_in_memory();
    REQUIRE(opened.has_value());
    store = std::move(*opened);
    auto box = tools::builtin_tools();
    REQUIRE(box.has_value());
    auto client = providers::make_scripted(parsed->config->providers.begin()->second, timers);
    REQUIRE(client.has_value());

    auto parts = std::make_shared<services>();
    parts->config = parsed->config;
    parts->environment = environment;
    parts->tools = std::make_shared<const tools::toolbox>(std::move(*box));
    parts->workspaces = folder;
    parts->run_blocking = [](const std::function<void()>& f) { f(); };
    parts->spending = std::make_shared<spend_ledger>(parsed->config);
    writer = system.spawn(slow_persistence, &store->writer(), stored);
    parts->persistence = writer;
    parts->readers.push_back(system.spawn(reader, std::shared_ptr<storage::queries>(std::move(*store->open_queries()))));
    auto model =
        system.spawn(provider, provider_options{}, environment, std::shared_ptr<providers::model_client>(std::move(*client)));
    parts->providers.emplace(parsed->config->providers.begin()->first, model);
    sessions = system.spawn(directory, parts);
    way_in = system.spawn(listener, parts, sessions);
    all = {caf::actor_cast<caf::actor>(way_in), caf::actor_cast<caf::actor>(model),
           caf::actor_cast<caf::actor>(parts->readers[0])};
    caf::anon_send(way_in, attach{session, sink, false},
                   reply_to<attached>{std::make_shared<const std::function<void(core::result<attached>)>>([](auto) {})});
    (void)send(core::open_session{{std::string(app::scenario_project)}, {std::string(app::scenario_agent)}, "test", {}, {}});
    commit();
  }
  ~slow_store_fixture() {
    caf::anon_send_exit(sessions, caf::exit_reason::user_shutdown);
    for (int i = 0; i < 20; ++i) commit();
    for (const auto& a : all) caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(writer, caf::exit_reason::user_shutdown);
    run();
    all.clear();
    fs::remove_all(folder);
  }
  slow_store_fixture(const slow_store_fixture&) = delete;
  slow_store_fixture& operator=(const slow_store_fixture&) = delete;

  void run() {
    while (sched.try_run_once()) continue;
  }
  void commit() {
    caf::anon_send(writer, commit_tick{});
    run();
  }
  answer_slot send(core::command command, const std::string& by = {}) {
    auto slot = std::make_shared<std::optional<core::result<core::command_reply>>>();
    auto done = [slot](core::result<core::command_reply> r) { *slot = std::move(r); };
    caf::anon_send(way_in, submit{session, {by, by}, std::move(command)},
                   reply_to<core::command_reply>{
                       std::make_shared<const std::function<void(core::result<core::command_reply>)>>(std::move(done))});
    run();
    return slot;
  }
  [[nodiscard]] bool has_written() const { return fs::exists(folder / session.str() / "a"); }
  template <class Kind>
  [[nodiscard]] static const Kind* find(const std::vector<core::event>& events) {
    for (const auto& e : events)
      if (const auto* k = e.as<Kind>()) return k;
    return nullptr;
  }
  core::approval_settled settled(const answer_slot& slot) const {
    REQUIRE(slot->has_value());
    REQUIRE(slot->value().has_value());
    return std::get<core::approval_settled>(slot->value().value());
  }
};

const std::string writes = R"({"tools": ["write_file"]})";
const std::string asking_model = R"({"tools": ["write_file"], "approval": {"write_file": "always"}})";

}  // namespace

TEST_CASE("session: neither the answer nor the event of a message comes before it is on disk") {
  slow_store_fixture f(writes);
  auto sent = f.send(core::send_message{"go", {}, std::nullopt});
  CHECK_FALSE(sent->has_value());
  CHECK_FALSE(slow_store_fixture::find<core::message_added>(f.sink->events));
  f.commit();
  CHECK(sent->has_value());
  CHECK(slow_store_fixture::find<core::message_added>(f.sink->events));
}

TEST_CASE("session: a tool is not carried out before its intent is on disk, nor its result shown before that is") {
  slow_store_fixture f(writes);
  (void)f.send(core::send_message{"go", {}, std::nullopt});
  int commits = 0;
  while (!slow_store_fixture::find<core::run_completed>(f.sink->events)) {
    CHECK((!f.has_written() || slow_store_fixture::find<core::tool_started>(*f.stored)));
    CHECK((!slow_store_fixture::find<core::tool_completed>(f.sink->events) ||
           slow_store_fixture::find<core::tool_completed>(*f.stored)));
    REQUIRE(++commits < 50);
    f.commit();
  }
  CHECK(f.has_written());
}

TEST_CASE("session: while a decision is being stored a second one waits, and is told the winner") {
  slow_store_fixture f(asking_model);
  (void)f.send(core::send_message{"go", {}, std::nullopt});
  for (int i = 0; i < 10; ++i) f.commit();
  const auto* question = slow_store_fixture::find<core::approval_requested>(f.sink->events);
  REQUIRE(question);
  auto approval = question->approval;
  auto first = f.send(core::decide_approval{approval, {}, true, "fine", {}}, "alice");
  auto second = f.send(core::decide_approval{approval, {}, false, {}, {}}, "bob");
  CHECK_FALSE(first->has_value());
  CHECK_FALSE(second->has_value());
  CHECK_FALSE(f.has_written());
  CHECK_FALSE(slow_store_fixture::find<core::approval_decided>(f.sink->events));
  f.commit();
  CHECK(f.has_written());
  CHECK(f.settled(first).won);
  CHECK_FALSE(f.settled(second).won);
  CHECK(f.settled(second).decision == core::decision::approved);
  CHECK(f.settled(second).by == "alice");
  auto third = f.send(core::decide_approval{approval, {}, false, {}, {}}, "carol");
  CHECK(f.settled(third).by == "alice");
  CHECK_FALSE(f.settled(third).won);
}

TEST_CASE("session: a run that is stopped takes its open questions with it") {
  slow_store_fixture f(asking_model);
  (void)f.send(core::send_message{"go", {}, std::nullopt});
  for (int i = 0; i < 10; ++i) f.commit();
  REQUIRE(slow_store_fixture::find<core::approval_requested>(f.sink->events));
  (void)f.send(core::cancel_run{}, "alice");
  for (int i = 0; i < 5; ++i) f.commit();
  REQUIRE(slow_store_fixture::find<core::run_cancelled>(f.sink->events));
  auto events = f.sink->events.size();
  auto day = std::chrono::hours(25);
  f.environment->set_now(f.environment->now() + day);
  f.sched.advance_time(day);
  for (int i = 0; i < 5; ++i) f.commit();
  CHECK(f.sink->events.size() == events);
}
