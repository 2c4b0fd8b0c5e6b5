// The provider actor with a real client on real sockets and threads: how fast a run that nobody wants any more lets go of its
// upstream, and when an upstream that is busy is asked again.
#include "actors/provider.hpp"
#include "app/caf_settings.hpp"
#include "providers/openai.hpp"
#include "tests/support/model_client_bench.hpp"
#include "tests/support/model_listener.hpp"

#include <caf/actor_system.hpp>
#include <catch2/catch.hpp>

#include <atomic>

using namespace troupe;
using namespace troupe::actors;
using namespace troupe::testing;
using std::chrono::milliseconds;
using test_clock = std::chrono::steady_clock;

namespace {

const std::string first_text = chunk("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hel\"}}]}\n\n");
const std::string last_text = chunk("data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n") +
                              chunk("data: [DONE]\n\n") + last_chunk;
const core::uuid the_call{1, 1};

/// A provider actor on CAF's own threads, and a loop that notes what it hears.
struct running_provider {
  client_world world;
  core::result<std::unique_ptr<providers::model_client>> client = world.make();
  app::caf_settings settings{2};
  caf::actor_system system{settings};
  heard_stream heard;
  std::atomic<std::uint32_t> attempts{0};
  provider_actor provider;
  agent_loop_actor loop;

  explicit running_provider(std::string base_url) : world(providers::make_openai, std::move(base_url)) {
    REQUIRE(client.has_value());
    provider = system.spawn(actors::provider, provider_options{}, core::system_environment(),
                            std::shared_ptr<providers::model_client>(std::move(*client)));
    loop = system.spawn([this](agent_loop_actor::pointer) {
      return model_listener([this, sink = heard.sink()](model_delivery& m) {
        attempts = m.attempt;
        sink(std::move(m.output));
      });
    });
    caf::anon_send(provider, start_model{the_call, std::make_shared<providers::model_request>(model_question()),
                                         caf::actor_cast<caf::strong_actor_ptr>(loop)});
  }
  ~running_provider() {
    caf::anon_send_exit(provider, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(loop, caf::exit_reason::user_shutdown);
    provider = nullptr;
    loop = nullptr;
    system.await_all_actors_done();
  }
  running_provider(const running_provider&) = delete;
  running_provider& operator=(const running_provider&) = delete;
};

/// An upstream that begins an answer (or does not) and tells when its client has gone.
struct patient_upstream {
  std::promise<void> asked;
  std::promise<test_clock::time_point> left;
  raw_http_server server;

  explicit patient_upstream(std::string says)
      : server([this, says = std::move(says)](raw_connection& c) {
          c.read_request();
          if (!says.empty()) c.send(says);
          asked.set_value();
          c.wait_closed();
          left.set_value(test_clock::now());
        }) {}
  void wait_until_asked() { REQUIRE(asked.get_future().wait_for(patience) == std::future_status::ready); }
  milliseconds left_after(test_clock::time_point since) {
    auto when = left.get_future();
    REQUIRE(when.wait_for(patience) == std::future_status::ready);
    return std::chrono::duration_cast<milliseconds>(when.get() - since);
  }
};

/// Fails where an upstream is left later than that.
void leaves_in_every_way(milliseconds limit) {
  SECTION("while it streams") {
    patient_upstream upstream(stream_head() + first_text);
    running_provider p(upstream.server.base_url());
    p.heard.wait_text("Hel");
    auto since = test_clock::now();
    caf::anon_send(p.provider, cancel_model{the_call});
    CHECK(upstream.left_after(since) < limit);
    CHECK_FALSE(p.heard.end);
  }
  SECTION("before the first byte") {
    patient_upstream upstream({});
    running_provider p(upstream.server.base_url());
    upstream.wait_until_asked();
    auto since = test_clock::now();
    caf::anon_send(p.provider, cancel_model{the_call});
    CHECK(upstream.left_after(since) < limit);
    CHECK(p.heard.outputs == 0);
  }
  SECTION("because its loop is gone") {
    patient_upstream upstream(stream_head() + first_text);
    running_provider p(upstream.server.base_url());
    p.heard.wait_text("Hel");
    auto since = test_clock::now();
    caf::anon_send_exit(p.loop, caf::exit_reason::kill);
    CHECK(upstream.left_after(since) < limit);
  }
}

}  // namespace

TEST_CASE("provider over sockets: a cancelled call leaves its upstream long before a limit would end it") {
  leaves_in_every_way(patience);
}

TEST_CASE("provider over sockets: a cancelled call leaves its upstream within 100 ms", "[.][measures]") {
  leaves_in_every_way(milliseconds{100});
}

TEST_CASE("provider over sockets: an upstream that says when to come back is asked again then, not before") {
  std::atomic<int> requests{0};
  std::promise<test_clock::time_point> refused, asked_again;
  raw_http_server server([&](raw_connection& c) {
    while (!c.read_request().empty()) {
      if (++requests == 1) {
        refused.set_value(test_clock::now());
        c.send(response("429 Too Many Requests", "Retry-After: 1\r\n", R"({"error":{"message":"slow down"}})"));
      } else {
        asked_again.set_value(test_clock::now());
        c.send(stream_head() + first_text + last_text);
      }
    }
  });
  running_provider p(server.base_url());
  auto end = p.heard.wait_end();
  CHECK(end.error.code == core::errc::ok);
  CHECK(p.heard.text == "Hel");
  CHECK(p.attempts == 2);
  CHECK(asked_again.get_future().get() - refused.get_future().get() >= milliseconds{995});
}
