#include "app/record/command_tap.hpp"
#include "app/record/model_tap.hpp"
#include "providers/scripted.hpp"
#include "tools/base64.hpp"

#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <future>

using namespace troupe;
using core::millis;

namespace {

const core::session_id session{core::uuid_of_name("s")};

std::shared_ptr<app::live_log> make_log() {
  auto now = std::make_shared<std::int64_t>(0);
  return std::make_shared<app::live_log>([now] { return millis{++*now}; });
}

core::result<core::command_reply> refusal(core::errc code) { return core::error{code, "no"}; }

/// A listener that answers every command the same.
actors::listener_actor::behavior_type answering(actors::listener_actor::pointer, core::result<core::command_reply> reply) {
  return {[reply](actors::submit&, const actors::reply_to<core::command_reply>& to) { (*to.done)(reply); },
          [](actors::attach&, const actors::reply_to<actors::attached>&) {},
          [](actors::read_events&, const actors::reply_to<actors::event_page>&) {},
          [](actors::ask&, const actors::reply_to<core::answer>& to) {
            (*to.done)(core::error{core::errc::not_found, "asked"});
          },
          [](actors::store_agent&, const actors::reply_to<actors::agent_stored>& to) { (*to.done)(actors::agent_stored{}); },
          [](actors::detach&) {},
          [](actors::announce&) {}};
}

}  // namespace

TEST_CASE("live log: what the conversation refused is kept, what worked and what others forbade is not") {
  auto log = make_log();
  core::send_message message;
  message.content = "hi";
  log->answered(session, 0, {}, message, refusal(core::errc::busy));
  CHECK(log->notes(session).refused.empty());  // nobody has shown anything of it
  log->shown(session, 7);
  log->shown(session, 5);
  CHECK(log->position(session) == 7);
  core::message_accepted repeated;
  repeated.repeated = true;
  core::approval_settled lost;
  for (const auto& reply :
       {refusal(core::errc::busy), refusal(core::errc::forbidden), refusal(core::errc::not_found),
        core::result<core::command_reply>(core::message_accepted{}), core::result<core::command_reply>(repeated),
        core::result<core::command_reply>(lost), core::result<core::command_reply>(core::done{})})
    log->answered(session, 3, {"ada", {}}, message, reply);
  CHECK(log->unread() == std::vector<core::session_id>{session});
  auto notes = log->notes(session);
  REQUIRE(notes.refused.size() == 3);
  CHECK(notes.refused[0].asked_after == 3);
  CHECK(notes.refused[0].answered_after == 7);
  CHECK(notes.refused[0].by.id == "ada");
  CHECK(notes.refused[0].reply.error().code == core::errc::busy);
  CHECK(log->unread().empty());
}

TEST_CASE("live log: it keeps no more than its bound") {
  auto log = make_log();
  log->shown(session, 1);
  core::send_message message;
  message.content = std::string(1 << 20, 'x');
  for (int i = 0; i < 100; ++i) log->answered(session, 1, {}, message, refusal(core::errc::busy));
  CHECK(log->notes(session).refused.size() < 40);
}

TEST_CASE("command tap: answers come through, and refusals are heard") {
  auto log = make_log();
  log->shown(session, 9);
  caf::actor_system_config config;
  caf::actor_system system(config);
  auto tap = app::tap_commands(system, system.spawn(answering, refusal(core::errc::queue_full)), log);
  std::promise<core::result<core::command_reply>> answered;
  core::send_message message;
  message.content = "hi";
  caf::anon_send(
      tap, actors::submit{session, {"ada", {}}, message},
      actors::reply_to<core::command_reply>{std::make_shared<const std::function<void(core::result<core::command_reply>)>>(
          [&](core::result<core::command_reply> r) { answered.set_value(std::move(r)); })});
  CHECK(answered.get_future().get().error().code == core::errc::queue_full);
  std::promise<core::result<core::answer>> asked;
  caf::anon_send(tap, actors::ask{core::list_queue{session}},
                 actors::reply_to<core::answer>{std::make_shared<const std::function<void(core::result<core::answer>)>>(
                     [&](core::result<core::answer> r) { asked.set_value(std::move(r)); })});
  CHECK(asked.get_future().get().error().text == "asked");
  auto notes = log->notes(session);
  REQUIRE(notes.refused.size() == 1);
  CHECK(std::get<core::send_message>(notes.refused[0].command).content == "hi");
}

TEST_CASE("model tap: failures before anything was shown are heard, and whether the call was made again") {
  class failing final : public providers::model_client {
   public:
    std::vector<providers::model_output> outputs;
    std::shared_ptr<providers::model_stream> start(providers::model_request, providers::model_sink sink) override {
      auto out = std::move(outputs.front());
      outputs.erase(outputs.begin());
      sink(std::move(out));
      return nullptr;
    }
  };
  auto end = [](core::errc code, bool retryable, const char* text = "") {
    providers::model_output out;
    if (*text) out.text.add(text);
    out.end = providers::model_end{};
    out.end->error = {code, "why"};
    out.end->retryable = retryable;
    return out;
  };
  auto inner = std::make_shared<failing>();
  inner->outputs = {end(core::errc::provider_error, true),
                    end(core::errc::timeout, true),
                    end(core::errc::ok, false, "Hello"),
                    end(core::errc::provider_error, false),
                    end(core::errc::provider_error, true, "Hel"),
                    end(core::errc::provider_error, true),
                    end(core::errc::ok, false)};
  auto log = make_log();
  log->shown(session, 1);
  auto client = app::tap_model(inner, log);
  std::string told;
  auto ask = [&](const char* question) {
    providers::model_request request;
    request.session = session;
    core::history_message user;
    user.content = question;
    request.history = std::make_shared<const std::vector<core::history_message>>(std::vector{user, user});
    if (std::string_view(question) == "a")
      request.history = std::make_shared<const std::vector<core::history_message>>(std::vector{user});
    (void)client->start(std::move(request), [&](providers::model_output o) { told += o.text.text; });
  };
  for (int i = 0; i < 6; ++i) ask("a");
  ask("b");
  CHECK(told == "HelloHel");
  auto notes = log->notes(session);
  REQUIRE(notes.attempts.size() == 3);
  CHECK(notes.attempts[0].was_repeated);
  CHECK(notes.attempts[1].error.code == core::errc::timeout);
  CHECK(notes.attempts[1].was_repeated);
  CHECK_FALSE(notes.attempts[2].was_repeated);
  CHECK(notes.attempts[2].place.user == "a");
}

TEST_CASE("base64: bytes come back, and what is none is refused") {
  for (std::size_t size = 0; size < 20; ++size) {
    std::string bytes(size, '\xfe');
    CHECK(tools::from_base64(tools::to_base64(bytes)) == bytes);
  }
  CHECK(tools::to_base64("Man") == "TWFu");
  for (const auto* none : {"TWF", "TW=u", "T===", "TWFu\n", " TWFu", "TW!u", "====", "TWFuTQ=a"}) {
    INFO(none);
    CHECK_FALSE(tools::from_base64(none));
  }
}
