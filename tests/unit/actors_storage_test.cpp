// The two actors in front of the database: persistence and reader.
#include "actors/persistence.hpp"
#include "actors/reader.hpp"

#include <caf/actor_system.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <catch2/catch.hpp>

#include <memory>
#include <optional>

using namespace troupe;
using namespace troupe::actors;
using core::errc;

namespace {

struct fake_journal final : storage::journal {
  std::vector<std::vector<storage::append>> commits;
  std::optional<core::error> failure;

  core::result<void> commit(std::span<const storage::append> appends) override {
    commits.emplace_back(appends.begin(), appends.end());
    if (failure) return *failure;
    return {};
  }
  core::result<void> store_agent(const core::agent_version_record& version) override {
    agents.push_back(version);
    if (failure) return *failure;
    return {};
  }
  std::vector<core::agent_version_record> agents;
};

/// Cannot read while it is told so.
struct fake_queries final : storage::queries {
  std::shared_ptr<bool> is_broken = std::make_shared<bool>(false);

  void look() const {
    if (*is_broken) throw core::bad_result({errc::storage_unavailable, "disk I/O error"});
  }
  std::optional<core::session_record> session(core::session_id) override { return look(), std::nullopt; }
  core::page<core::session_record> sessions(const storage::session_filter&, core::window) override {
    return look(), core::page<core::session_record>{};
  }
  std::optional<core::session_state> session_state(core::session_id) override { return look(), std::nullopt; }
  std::vector<core::session_id> sessions_in_flight() override { return {}; }
  std::vector<core::event> events(core::session_id, core::seq_t, core::seq_t, std::size_t) override {
    return look(), std::vector<core::event>{};
  }
  core::seq_t run_start_before(core::session_id, core::seq_t) override { return look(), 0; }
  std::vector<core::event> history_events(core::session_id, core::seq_t) override { return look(), std::vector<core::event>{}; }
  core::page<core::message_record> messages(core::session_id, core::window) override { return {}; }
  std::vector<core::tool_call_record> tool_calls(core::session_id) override { return {}; }
  core::page<core::run_record> runs(core::session_id, core::window) override { return {}; }
  std::optional<core::run_record> run(core::run_id) override { return {}; }
  std::optional<core::message_record> message(core::session_id, core::message_id) override { return {}; }
  std::optional<core::message_record> message_by_client_id(core::session_id, const std::string&) override { return {}; }
  std::optional<core::approval_record> approval(core::approval_id) override { return {}; }
  core::page<core::approval_record> approvals(const storage::approval_filter&, core::window) override { return {}; }
  std::optional<core::grant_record> grant(core::grant_id) override { return {}; }
  core::page<core::grant_record> grants(const storage::grant_filter&, core::window) override { return {}; }
  std::vector<core::grant_record> grants_in_force(core::millis) override { return {}; }
  void each_event(core::session_id, core::seq_t, const event_taker&) override {}
  core::page<core::agent_version_record> agent_versions(const core::project_id&, const core::agent_id&, core::window) override {
    return {};
  }
  std::optional<core::agent_version_record> agent_version(const core::project_id&, const core::agent_id&,
                                                          std::uint32_t) override {
    return {};
  }
  std::optional<core::agent_version_record> agent_version_of(const core::project_id&, const core::agent_id&,
                                                             std::uint64_t) override {
    return {};
  }
  std::vector<core::agent_version_record> newest_agent_versions() override { return {}; }
  std::optional<core::tool_output_part> tool_output(core::session_id, const core::tool_call_id&, std::int64_t,
                                                    std::int64_t) override {
    return {};
  }
  std::vector<core::session_record> children(core::session_id) override { return {}; }
  std::vector<core::span_record> spans(core::trace_id) override { return {}; }
  core::page<core::span_record> traces(const storage::trace_filter&, core::window) override { return {}; }
  std::vector<core::usage_day> usage_by_day(const core::project_id&, core::millis) override { return {}; }
  core::page<core::usage_share> usage_by(const core::project_id&, core::millis, core::usage_key, core::window) override {
    return {};
  }
  core::page<core::alert_record> alerts(const storage::alert_filter&, core::window) override { return {}; }
  std::vector<storage::agent_day> usage_since(core::millis) override { return {}; }
  std::optional<core::session_id> resolve(const core::project_id&, const std::string&) override { return {}; }
  std::optional<core::file_record> file(core::session_id, core::file_id) override { return {}; }
  std::vector<core::file_record> files(core::session_id) override { return {}; }
};

struct storage_settings : caf::actor_system_config {
  storage_settings() {
    set("scheduler.policy", caf::atom("testing"));
    set("logger.inline-output", true);
    set("logger.console", caf::atom("none"));
  }
};

const core::session_id one{{1, 1}};
const core::session_id two{{1, 2}};

struct storage_fixture {
  storage_settings config;
  caf::actor_system system{config};
  caf::scheduler::test_coordinator& sched = dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler());
  fake_journal journal;
  std::vector<errc> fatal;
  persistence_actor writer;
  std::shared_ptr<fake_queries> queries = std::make_shared<fake_queries>();
  reader_actor reading;

  storage_fixture() {
    persistence_options options;
    options.max_batch = 3;
    options.on_fatal = [this](const core::error& e) { fatal.push_back(e.code); };
    writer = system.spawn(persistence, options, &journal);
    reading = system.spawn(reader, queries);
  }
  ~storage_fixture() {
    caf::anon_send_exit(writer, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(reading, caf::exit_reason::user_shutdown);
    run();
  }
  storage_fixture(const storage_fixture&) = delete;
  storage_fixture& operator=(const storage_fixture&) = delete;

  void run() {
    while (sched.try_run_once()) continue;
  }
  static append of(core::session_id session, core::seq_t seq) {
    auto batch = std::make_shared<core::event_batch>();
    batch->session = session;
    batch->events.push_back({seq, seq, core::millis{0}, core::session_closed{}});
    return {{batch, std::nullopt}};
  }
  /// What the writer answers, in order: ok or the error.
  std::vector<errc> write(std::vector<append> appends) {
    std::vector<errc> out(appends.size(), errc::internal_error);
    auto asker = system.spawn([this, &out, &appends](caf::event_based_actor* me) {
      for (std::size_t i = 0; i < appends.size(); ++i)
        me->request(writer, caf::infinite, std::move(appends[i]))
            .then([&out, i](const committed&) { out[i] = errc::ok; },
                  [&out, i](const caf::error& e) { out[i] = from_caf(e).code; });
    });
    run();
    return out;
  }
};

using codes = std::vector<errc>;

}  // namespace

TEST_CASE("persistence: what waits is one commit, and every sender is told after it") {
  storage_fixture f;
  CHECK(f.write({storage_fixture::of(one, 1), storage_fixture::of(two, 1)}) == codes{errc::ok, errc::ok});
  REQUIRE(f.journal.commits.size() == 1);
  CHECK(f.journal.commits[0].size() == 2);
  CHECK(f.write({storage_fixture::of(one, 2), storage_fixture::of(one, 3), storage_fixture::of(one, 4),
                 storage_fixture::of(one, 5)}) == codes(4, errc::ok));
  REQUIRE(f.journal.commits.size() == 3);
  CHECK(f.journal.commits[1].size() == 3);
}

TEST_CASE("persistence: a full disk is told to the senders and does not end the process") {
  storage_fixture f;
  f.journal.failure = core::error{errc::storage_unavailable, "disk full"};
  CHECK(f.write({storage_fixture::of(one, 1)}) == codes{errc::storage_unavailable});
  CHECK(f.fatal.empty());
  f.journal.failure = core::error{errc::internal_error, "fsync failed"};
  CHECK(f.write({storage_fixture::of(two, 1)}) == codes{errc::internal_error});
  CHECK(f.fatal == codes{errc::internal_error});
}

TEST_CASE("persistence: after a loss a session's later events are refused until it begins again where it lost") {
  storage_fixture f;
  f.journal.failure = core::error{errc::storage_unavailable, "disk full"};
  CHECK(f.write({storage_fixture::of(one, 5), storage_fixture::of(one, 6)}) == codes(2, errc::storage_unavailable));
  f.journal.failure.reset();
  CHECK(f.write({storage_fixture::of(one, 7), storage_fixture::of(two, 1)}) == codes{errc::storage_unavailable, errc::ok});
  CHECK(f.journal.commits.back().size() == 1);
  CHECK(f.write({storage_fixture::of(one, 5), storage_fixture::of(one, 6)}) == codes{errc::ok, errc::ok});
}

TEST_CASE("reader: what cannot be read is an error, and the reader answers again when it can") {
  storage_fixture f;
  auto ask_once = [&] {
    std::optional<errc> code;
    auto asker = f.system.spawn([&](caf::event_based_actor* me) {
      me->request(f.reading, caf::infinite, load_session{one})
          .then([&](const loaded_session&) { code = errc::ok; }, [&](const caf::error& e) { code = from_caf(e).code; });
    });
    f.run();
    return code;
  };
  CHECK(ask_once() == errc::ok);
  *f.queries->is_broken = true;
  CHECK(ask_once() == errc::storage_unavailable);
  *f.queries->is_broken = false;
  CHECK(ask_once() == errc::ok);
}

TEST_CASE("persistence: a version of an agent is stored by itself, and what the disk says goes to who asked") {
  storage_fixture f;
  auto store = [&](std::uint32_t version) {
    auto out = errc::internal_error;
    auto asker = f.system.spawn([&](caf::event_based_actor* me) {
      store_agent m;
      m.what.version = version;
      me->request(f.writer, caf::infinite, std::move(m))
          .then([&out](const agent_stored&) { out = errc::ok; }, [&out](const caf::error& e) { out = from_caf(e).code; });
    });
    f.run();
    return out;
  };
  CHECK(store(1) == errc::ok);
  REQUIRE(f.journal.agents.size() == 1);
  CHECK(f.journal.agents[0].version == 1);
  f.journal.failure = core::error{errc::version_conflict, "taken"};
  CHECK(store(1) == errc::version_conflict);
  f.journal.failure = core::error{errc::storage_unavailable, "disk full"};
  CHECK(store(2) == errc::storage_unavailable);
  CHECK(f.fatal.empty());
}
