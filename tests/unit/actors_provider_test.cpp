#include "actors/provider.hpp"
#include "app/scenario/virtual_world.hpp"
#include "tests/support/model_listener.hpp"

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

struct provider_fixture {
  settings config;
  caf::actor_system system{config};
  caf::scheduler::test_coordinator& sched = dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler());
  std::shared_ptr<fake_client> upstream = std::make_shared<fake_client>();
  std::shared_ptr<std::map<int, std::vector<model_delivery>>> heard =
      std::make_shared<std::map<int, std::vector<model_delivery>>>();
  std::map<int, agent_loop_actor> loops;
  std::shared_ptr<app::virtual_environment> environment = std::make_shared<app::virtual_environment>();
  provider_actor subject;

  explicit provider_fixture(provider_options options = {}) {
    sched.clock().current_time += std::chrono::hours(1);
    subject = system.spawn(provider, options, environment, upstream);
  }
  ~provider_fixture() {
    for (auto& [n, l] : loops) caf::anon_send_exit(l, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(subject, caf::exit_reason::user_shutdown);
    run();
    loops.clear();
    subject = nullptr;
  }
  provider_fixture(const provider_fixture&) = delete;
  provider_fixture& operator=(const provider_fixture&) = delete;

  void run() {
    while (sched.try_run_once()) continue;
  }
  void advance(milliseconds by) {
    environment->set_now(environment->now() + by);
    sched.advance_time(by);
    run();
  }
  static core::uuid call_id(int n) { return {1, static_cast<std::uint64_t>(n)}; }
  void start(int n, std::uint64_t session = 0) {
    auto listen = [where = heard, n](agent_loop_actor::pointer) {
      return testing::model_listener([where, n](model_delivery& m) { (*where)[n].push_back(std::move(m)); });
    };
    loops[n] = system.spawn(listen);
    auto request = std::make_shared<providers::model_request>();
    request->call_number = static_cast<std::uint32_t>(n);
    request->session = {core::uuid{0, session}};
    caf::anon_send(subject, start_model{call_id(n), request, caf::actor_cast<caf::strong_actor_ptr>(loops[n])});
    run();
  }
  void cancel(int n) {
    caf::anon_send(subject, cancel_model{call_id(n)});
    run();
  }
  /// The last call of the upstream ends so.
  void end_last(providers::model_end e = {}) {
    upstream->end(upstream->calls.size() - 1, std::move(e));
    run();
  }
  /// Time passes in steps of a millisecond until the upstream has had so many calls, or so much of it has.
  milliseconds wait_for_calls(std::size_t count, milliseconds most) {
    milliseconds waited{0};
    for (; upstream->calls.size() < count && waited < most; ++waited) advance(milliseconds{1});
    return waited;
  }
  [[nodiscard]] const std::vector<model_delivery>& of(int n) { return (*heard)[n]; }
  [[nodiscard]] std::string error_of(int n) {
    REQUIRE_FALSE(of(n).empty());
    REQUIRE(of(n).back().output.end.has_value());
    return of(n).back().output.end->error.text;
  }
};

}  // namespace

TEST_CASE("provider: text and end go to the loop that asked, each once") {
  provider_fixture f;
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
  provider_fixture f({.max_concurrent = 2});
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
  provider_fixture f({.max_concurrent = 1});
  for (int n = 1; n <= 3; ++n) f.start(n);
  f.cancel(2);
  f.upstream->end(0);
  f.run();
  REQUIRE(f.upstream->calls.size() == 2);
  CHECK(f.upstream->calls[1].request.call_number == 3);
}

TEST_CASE("provider: a cancelled stream is closed at once and makes room") {
  provider_fixture f({.max_concurrent = 1});
  f.start(1);
  f.start(2);
  f.cancel(1);
  CHECK(f.upstream->calls[0].handle->is_cancelled);
  CHECK(f.upstream->calls.size() == 2);
  f.cancel(1);
  CHECK(f.upstream->calls.size() == 2);
}

TEST_CASE("provider: a stream whose loop is gone is closed and makes room") {
  provider_fixture f({.max_concurrent = 1});
  f.start(1);
  f.start(2);
  caf::anon_send_exit(f.loops[1], caf::exit_reason::kill);
  f.run();
  CHECK(f.upstream->calls[0].handle->is_cancelled);
  CHECK(f.upstream->calls.size() == 2);
}

TEST_CASE("provider: sessions take turns, and the calls of one keep their order") {
  provider_fixture f({.max_concurrent = 1});
  f.start(1, 1);
  for (int n = 2; n <= 4; ++n) f.start(n, 1);
  f.start(5, 2);
  f.start(6, 3);
  f.start(7, 2);
  std::vector<std::uint32_t> order;
  for (std::size_t i = 0; i < 7; ++i) {
    REQUIRE(f.upstream->calls.size() == i + 1);
    order.push_back(f.upstream->calls[i].request.call_number);
    f.end_last();
  }
  CHECK(order == std::vector<std::uint32_t>{1, 2, 5, 6, 3, 7, 4});
}

TEST_CASE("provider: what may be tried again is, after growing pauses, and the loop hears the last error only") {
  provider_fixture f({.max_retries = 2, .first_backoff = milliseconds{100}});
  f.start(1);
  f.end_last(broken(true));
  CHECK(f.of(1).empty());
  auto first = f.wait_for_calls(2, milliseconds{1000});
  CHECK(first >= milliseconds{50});
  CHECK(first <= milliseconds{100});
  f.end_last(broken(true));
  auto second = f.wait_for_calls(3, milliseconds{1000});
  CHECK(second >= milliseconds{100});
  CHECK(second <= milliseconds{200});
  f.end_last(broken(true));
  REQUIRE(f.of(1).size() == 1);
  CHECK(f.of(1)[0].attempt == 3);
  CHECK(f.of(1)[0].output.end->error.code == core::errc::provider_error);
  f.advance(std::chrono::hours{1});
  CHECK(f.upstream->calls.size() == 3);
}

TEST_CASE("provider: calls that failed together do not come back together, and a replay pauses the same") {
  auto pauses = [] {
    provider_fixture f({.first_backoff = milliseconds{1000}, .breaker_failures = 0});
    std::vector<milliseconds> out;
    for (int n = 1; n <= 20; ++n) f.start(n);
    for (std::size_t i = 0; i < 20; ++i) f.upstream->end(i, broken(true));
    f.run();
    milliseconds at{0};
    for (std::size_t n = 21; n <= 40; ++n) out.push_back(at += f.wait_for_calls(n, milliseconds{1000}));
    return out;
  };
  auto once = pauses();
  CHECK(once.front() >= milliseconds{500});
  CHECK(once.back() <= milliseconds{1000});
  CHECK(once.back() - once.front() >= milliseconds{200});
  CHECK(pauses() == once);
}

TEST_CASE("provider: an upstream that names its delay is not asked before it, one that names too long a delay not again") {
  provider_fixture f;
  f.start(1);
  f.end_last(broken(true, milliseconds{5000}));
  f.advance(milliseconds{4999});
  CHECK(f.upstream->calls.size() == 1);
  f.advance(milliseconds{626});
  CHECK(f.upstream->calls.size() == 2);
  f.end_last(broken(true, std::chrono::minutes{5}));
  CHECK(f.of(1).size() == 1);
}

TEST_CASE("provider: no attempt begins later than 10 s after the first, or 30 s where the upstream names delays") {
  provider_fixture f({.max_retries = 1000, .breaker_failures = 0});
  SECTION("none named") {
    f.start(1);
    milliseconds total{0};
    while (f.of(1).empty()) {
      f.end_last(broken(true));
      total += f.wait_for_calls(f.upstream->calls.size() + 1, milliseconds{12'000});
      if (!f.of(1).empty()) total -= milliseconds{12'000};
    }
    CHECK(total <= milliseconds{10'000});
    CHECK(f.upstream->calls.size() > 4);
  }
  SECTION("named") {
    f.start(1);
    f.end_last(broken(true, milliseconds{14'000}));
    auto first = f.wait_for_calls(2, milliseconds{60'000});
    CHECK(first >= milliseconds{14'000});
    f.end_last(broken(true, milliseconds{14'000}));
    CHECK(f.wait_for_calls(3, milliseconds{60'000}) + first <= milliseconds{30'000});
    f.end_last(broken(true, milliseconds{14'000}));
    CHECK(f.of(1).size() == 1);
  }
  SECTION("an attempt that took that long is the last") {
    f.start(1);
    f.advance(milliseconds{10'001});
    f.end_last(broken(true));
    CHECK(f.of(1).size() == 1);
  }
}

TEST_CASE("provider: after too many failures in a row calls are refused at once, with provider, time and reason") {
  provider_fixture f({.name = "local", .max_concurrent = 2, .max_retries = 0, .breaker_failures = 3});
  for (int n = 1; n <= 3; ++n) {
    f.start(n);
    f.end_last(broken(true));
    CHECK(f.error_of(n) == "broken");
  }
  f.start(4);
  CHECK(f.upstream->calls.size() == 3);
  CHECK(f.error_of(4) ==
        "provider \"local\" is not asked for now: it has failed 3 times in a row since 2023-11-14T22:13:20Z; it is tried again "
        "at 2023-11-14T22:13:35Z. Its last error: broken");
  CHECK(f.of(4).back().output.end->error.code == core::errc::provider_error);
  CHECK(f.of(4).back().output.end->retryable);
}

TEST_CASE("provider: what waits when the breaker opens is refused, and a call between two attempts gets its own error") {
  provider_fixture f({.name = "local", .max_concurrent = 2, .breaker_failures = 2});
  for (int n = 1; n <= 4; ++n) f.start(n);
  f.upstream->end(0, broken(true));
  f.run();
  CHECK(f.upstream->calls.size() == 3);
  f.upstream->end(1, broken(true));
  f.run();
  CHECK(f.error_of(4).find("it has failed 2 times") != std::string::npos);
  CHECK(f.of(1).empty());
  f.advance(milliseconds{500});
  CHECK(f.error_of(1) == "broken");
  CHECK(f.error_of(2) == "broken");
  CHECK(f.upstream->calls.size() == 3);
}

TEST_CASE("provider: when its pause is over one call tries the upstream, and all follow when that is answered") {
  provider_fixture f({.name = "local", .max_retries = 0, .breaker_failures = 1, .breaker_open = milliseconds{1000}});
  f.start(1);
  f.end_last(broken(true));
  f.advance(milliseconds{999});
  f.start(2);
  CHECK(f.of(2).size() == 1);
  f.advance(milliseconds{1});
  f.start(3);
  REQUIRE(f.upstream->calls.size() == 2);
  f.start(4);
  CHECK(f.error_of(4).find("one call is trying it at this moment") != std::string::npos);
  CHECK(f.upstream->calls.size() == 2);
  SECTION("its first text is answer enough") {
    f.upstream->text(1, "a");
    f.run();
    f.start(5);
    CHECK(f.upstream->calls.size() == 3);
  }
  SECTION("so is a refusal of the request") {
    f.end_last(broken(false));
    f.start(5);
    CHECK(f.upstream->calls.size() == 3);
  }
  SECTION("a failure begins a new pause") {
    f.end_last(broken(true));
    f.advance(milliseconds{999});
    f.start(5);
    CHECK(f.error_of(5).find("2 times in a row") != std::string::npos);
    f.advance(milliseconds{1});
    f.start(6);
    CHECK(f.upstream->calls.size() == 3);
  }
  SECTION("one that is cancelled leaves it to the next") {
    f.cancel(3);
    f.start(5);
    CHECK(f.upstream->calls.size() == 3);
    f.start(6);
    CHECK(f.of(6).size() == 1);
  }
}

TEST_CASE("provider: requests that the upstream refuses, and answers, do not open the breaker") {
  provider_fixture f({.max_retries = 0, .breaker_failures = 2});
  int n = 0;
  for (auto retryable : {true, false, true, false, true}) {
    f.start(++n);
    f.end_last(broken(retryable));
  }
  f.start(++n);
  f.end_last();
  f.start(++n);
  f.end_last(broken(true));
  f.start(++n);
  CHECK(f.upstream->calls.size() == 8);
}

TEST_CASE("provider: nothing is tried again after text was shown, or when the error is final") {
  provider_fixture f;
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
  provider_fixture f({.max_concurrent = 1});
  f.start(1);
  f.start(2);
  f.upstream->end(0, broken(true));
  f.run();
  CHECK(f.upstream->calls.size() == 2);
  f.cancel(1);
  f.advance(std::chrono::hours{1});
  CHECK(f.upstream->calls.size() == 2);
}
