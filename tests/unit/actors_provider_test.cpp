#include "actors/provider.hpp"

#include <caf/actor_system.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <catch2/catch.hpp>

#include <map>

using namespace troupe;
using namespace troupe::actors;
using std::chrono::milliseconds;

namespace {

/// An upstream whose every stream the test holds in its hands.
struct fake_client final : providers::model_client {
  struct stream final : providers::model_stream {
    bool is_cancelled = false;
    void cancel() override { is_cancelled = true; }
  };
  struct call {
    providers::model_request request;
    providers::model_sink sink;
    std::shared_ptr<stream> handle;
  };
  std::vector<call> calls;

  std::shared_ptr<providers::model_stream> start(providers::model_request request, providers::model_sink sink) override {
    calls.push_back({std::move(request), std::move(sink), std::make_shared<stream>()});
    return calls.back().handle;
  }
  void text(std::size_t i, std::string_view piece) {
    providers::model_output out;
    out.text.add(piece);
    calls.at(i).sink(std::move(out));
  }
  void end(std::size_t i, providers::model_end e = {}) {
    providers::model_output out;
    out.end = std::move(e);
    calls.at(i).sink(std::move(out));
  }
};

providers::model_end broken(bool retryable, std::optional<milliseconds> after = {}) {
  providers::model_end e;
  e.error = {core::errc::provider_error, "broken"};
  e.retryable = retryable;
  e.retry_after = after;
  return e;
}

struct settings : caf::actor_system_config {
  settings() {
    set("scheduler.policy", caf::atom("testing"));
    set("logger.inline-output", true);
    set("logger.console", caf::atom("none"));
  }
};

struct fixture {
  settings config;
  caf::actor_system system{config};
  caf::scheduler::test_coordinator& sched = dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler());
  std::shared_ptr<fake_client> upstream = std::make_shared<fake_client>();
  std::shared_ptr<std::map<int, std::vector<model_delivery>>> heard =
      std::make_shared<std::map<int, std::vector<model_delivery>>>();
  std::map<int, agent_loop_actor> loops;
  provider_actor subject;

  explicit fixture(provider_options options = {}) {
    sched.clock().current_time += std::chrono::hours(1);
    subject = system.spawn(provider, options, upstream);
  }
  ~fixture() {
    for (auto& [n, l] : loops) caf::anon_send_exit(l, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(subject, caf::exit_reason::user_shutdown);
    run();
    loops.clear();
    subject = nullptr;
  }
  fixture(const fixture&) = delete;
  fixture& operator=(const fixture&) = delete;

  void run() {
    while (sched.try_run_once()) continue;
  }
  void advance(milliseconds by) {
    sched.advance_time(by);
    run();
  }
  static core::uuid call_id(int n) { return {1, static_cast<std::uint64_t>(n)}; }
  void start(int n) {
    auto listen = [where = heard, n](agent_loop_actor::pointer) -> agent_loop_actor::behavior_type {
      return {[where, n](model_delivery& m) { (*where)[n].push_back(std::move(m)); }, [](tool_outcome&) {},
              [](const approval_outcome&) {}, [](const stop_run&) {}};
    };
    loops[n] = system.spawn(listen);
    auto request = std::make_shared<providers::model_request>();
    request->call_number = static_cast<std::uint32_t>(n);
    caf::anon_send(subject, start_model{call_id(n), request, caf::actor_cast<caf::strong_actor_ptr>(loops[n])});
    run();
  }
  void cancel(int n) {
    caf::anon_send(subject, cancel_model{call_id(n)});
    run();
  }
  [[nodiscard]] const std::vector<model_delivery>& of(int n) { return (*heard)[n]; }
};

}  // namespace

TEST_CASE("provider: text and end go to the loop that asked, each once") {
  fixture f;
  f.start(1);
  f.upstream->text(0, "a");
  f.upstream->end(0);
  f.run();
  REQUIRE(f.of(1).size() == 2);
  CHECK(f.of(1)[0].output.text.text == "a");
  CHECK(f.of(1)[1].output.end.has_value());
  CHECK(f.of(1)[1].attempt == 1);
}

TEST_CASE("provider: over the limit calls wait, and start in the order they came") {
  fixture f({.max_concurrent = 2});
  for (int n = 1; n <= 4; ++n) f.start(n);
  CHECK(f.upstream->calls.size() == 2);
  f.upstream->end(1);
  f.run();
  REQUIRE(f.upstream->calls.size() == 3);
  CHECK(f.upstream->calls[2].request.call_number == 3);
  f.upstream->end(0);
  f.run();
  REQUIRE(f.upstream->calls.size() == 4);
  CHECK(f.upstream->calls[3].request.call_number == 4);
}

TEST_CASE("provider: a waiting call that is cancelled never starts") {
  fixture f({.max_concurrent = 1});
  for (int n = 1; n <= 3; ++n) f.start(n);
  f.cancel(2);
  f.upstream->end(0);
  f.run();
  REQUIRE(f.upstream->calls.size() == 2);
  CHECK(f.upstream->calls[1].request.call_number == 3);
}

TEST_CASE("provider: a cancelled stream is closed at once and makes room") {
  fixture f({.max_concurrent = 1});
  f.start(1);
  f.start(2);
  f.cancel(1);
  CHECK(f.upstream->calls[0].handle->is_cancelled);
  CHECK(f.upstream->calls.size() == 2);
  f.cancel(1);
  CHECK(f.upstream->calls.size() == 2);
}

TEST_CASE("provider: a stream whose loop is gone is closed and makes room") {
  fixture f({.max_concurrent = 1});
  f.start(1);
  f.start(2);
  caf::anon_send_exit(f.loops[1], caf::exit_reason::kill);
  f.run();
  CHECK(f.upstream->calls[0].handle->is_cancelled);
  CHECK(f.upstream->calls.size() == 2);
}

TEST_CASE("provider: what may be tried again is, after growing pauses, and the loop hears the last error only") {
  fixture f({.max_retries = 2, .first_backoff = milliseconds{100}});
  f.start(1);
  f.upstream->end(0, broken(true));
  f.run();
  CHECK(f.of(1).empty());
  f.advance(milliseconds{99});
  CHECK(f.upstream->calls.size() == 1);
  f.advance(milliseconds{1});
  REQUIRE(f.upstream->calls.size() == 2);
  f.upstream->end(1, broken(true));
  f.run();
  f.advance(milliseconds{199});
  CHECK(f.upstream->calls.size() == 2);
  f.advance(milliseconds{1});
  REQUIRE(f.upstream->calls.size() == 3);
  f.upstream->end(2, broken(true));
  f.run();
  REQUIRE(f.of(1).size() == 1);
  CHECK(f.of(1)[0].attempt == 3);
  CHECK(f.of(1)[0].output.end->error.code == core::errc::provider_error);
  f.advance(std::chrono::hours{1});
  CHECK(f.upstream->calls.size() == 3);
}

TEST_CASE("provider: an upstream that names its delay is asked again after it; one that names too long a delay is not") {
  fixture f;
  f.start(1);
  f.upstream->end(0, broken(true, milliseconds{5000}));
  f.run();
  f.advance(milliseconds{4999});
  CHECK(f.upstream->calls.size() == 1);
  f.advance(milliseconds{1});
  CHECK(f.upstream->calls.size() == 2);
  f.upstream->end(1, broken(true, std::chrono::minutes{5}));
  f.run();
  CHECK(f.of(1).size() == 1);
}

TEST_CASE("provider: nothing is tried again after text was shown, or when the error is final") {
  fixture f;
  f.start(1);
  f.upstream->text(0, "a");
  f.upstream->end(0, broken(true));
  f.start(2);
  f.upstream->end(1, broken(false));
  f.run();
  f.advance(std::chrono::hours{1});
  CHECK(f.upstream->calls.size() == 2);
  CHECK(f.of(1).size() == 2);
  CHECK(f.of(2).size() == 1);
}

TEST_CASE("provider: a call that waits for its next attempt holds no place and can be cancelled") {
  fixture f({.max_concurrent = 1});
  f.start(1);
  f.start(2);
  f.upstream->end(0, broken(true));
  f.run();
  CHECK(f.upstream->calls.size() == 2);
  f.cancel(1);
  f.advance(std::chrono::hours{1});
  CHECK(f.upstream->calls.size() == 2);
}
