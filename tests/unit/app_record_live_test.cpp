#include "app/record/command_tap.hpp"
#include "app/record/model_tap.hpp"
#include "app/record/remote_log.hpp"
#include "app/scenario/client_view.hpp"
#include "providers/scripted.hpp"
#include "tools/base64.hpp"

#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <algorithm>
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

std::vector<core::event> events_of(const char* document, const std::map<std::string, boost::json::object>& traces = {}) {
  return app::events_of_export(boost::json::parse(document).as_object(), traces,
                               [](const std::string&) { return core::effect::idempotent; });
}
template <class T>
const core::event* find(const std::vector<core::event>& all) {
  auto it = std::find_if(all.begin(), all.end(), [](const auto& e) { return e.template as<T>(); });
  return it == all.end() ? nullptr : &*it;
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

TEST_CASE("remote log: answers, costs and times are put between the frames they belong to") {
  const std::string run = core::uuid_of_name("run").str();
  const std::string trace(32, 'a');
  std::string document = R"({ "session": { "lastSeq": 9 },
  "messages": [ { "id": "Q", "runId": "RUN", "role": "user", "content": "hi", "seq": 2, "createdAt": "2026-01-01T00:00:01.000Z" },
    { "id": "A", "runId": "RUN", "role": "assistant", "content": "", "cut": false, "seq": 6, "createdAt": "2026-01-01T00:00:02.000Z",
      "toolCalls": [ { "toolCallId": "c", "tool": "t", "input": { "a": 1 } } ] },
    { "id": "B", "runId": "RUN", "role": "assistant", "content": "Done", "cut": false, "seq": 13, "createdAt": "2026-01-01T00:00:04.000Z" } ],
  "traces": [ { "id": "TRACE", "runId": "RUN" } ], "queue": [], "approvals": [],
  "files": [ { "fileId": "F", "name": "n", "contentType": "t", "size": 1, "createdAt": "2026-01-01T00:00:09.000Z" } ],
  "events": [ { "type": "session.created", "seq": 1 },
    { "type": "message.created", "messageId": "Q", "role": "user", "content": "hi", "attachments": [ { "fileId": "F", "name": "n" } ], "seq": 2 },
    { "type": "run.started", "runId": "RUN", "messageId": "A", "traceId": "TRACE", "seq": 3 },
    { "type": "message.tool_start", "toolCallId": "c", "tool": "t", "input": { "a": 1 }, "seq": 8 },
    { "type": "message.tool_complete", "toolCallId": "c", "tool": "t", "success": true, "output": "x", "durationMs": 500, "seq": 9 },
    { "type": "message.content_delta", "text": "Do", "seq": 11 }, { "type": "message.content_delta", "text": "ne", "seq": 12 },
    { "type": "message.complete", "messageId": "B", "traceId": "TRACE", "seq": 15 } ] })";
  auto put = [&](const std::string& name, const std::string& value) {
    for (auto at = document.find('"' + name + '"'); at != std::string::npos; at = document.find('"' + name + '"'))
      document.replace(at, name.size() + 2, '"' + value + '"');
  };
  put("RUN", run);
  put("TRACE", trace);
  for (const auto* name : {"Q", "A", "B", "F"}) put(name, core::uuid_of_name(name).str());
  std::map<std::string, boost::json::object> traces;
  traces[trace] = boost::json::parse(R"({ "startedAt": "2026-01-01T00:00:01.000Z", "endedAt": "2026-01-01T00:00:04.000Z",
    "usage": { "promptTokens": 30, "completionTokens": 5 }, "spans": [ { "kind": "run" },
    { "kind": "model_call", "startedAt": "2026-01-01T00:00:01.000Z", "usage": { "promptTokens": 10, "completionTokens": 2 } },
    { "kind": "model_call", "startedAt": "2026-01-01T00:00:03.000Z", "usage": { "promptTokens": 20, "completionTokens": 3 } } ] })")
                      .as_object();
  auto events = events_of(document.c_str(), traces);
  std::string kinds;
  auto begin = *app::time_of("2026-01-01T00:00:00.000Z");
  for (const auto& e : events)
    kinds += std::string(core::kind_of(e.payload)) + "@" + std::to_string((e.at - begin).count()) + " ";
  CHECK(kinds ==
        "file_added@1000 message_added@1000 run_started@1000 step_started@1000 message_completed@2000 usage_recorded@2000 "
        "tool_started@2000 tool_completed@2500 step_started@3000 text_delta@3333 text_delta@3666 message_completed@4000 "
        "usage_recorded@4000 run_completed@4000 ");
  CHECK(find<core::run_started>(events)->as<core::run_started>()->message == core::message_id{core::uuid_of_name("Q")});
  CHECK(find<core::tool_started>(events)->as<core::tool_started>()->effect == core::effect::idempotent);
  CHECK(find<core::message_completed>(events)->as<core::message_completed>()->calls.front().arguments == R"({"a":1})");
  CHECK(find<core::text_delta>(events)->as<core::text_delta>()->message == core::message_id{core::uuid_of_name("B")});
  const auto* done = find<core::run_completed>(events)->as<core::run_completed>();
  CHECK(done->steps == 2);
  CHECK(done->tokens == core::token_usage{30, 0, 5});
}

TEST_CASE("remote log: what a server may send instead is no crash") {
  for (const auto* document :
       {"{}", R"({"events":1})", R"({"events":[1,{}]})", R"({"events":[{"type":"message.tool_start"}]})",
        R"({"events":[{"type":"run.started","seq":1},{"type":"run.started","seq":1}]})",
        R"({"events":[{"type":"message.complete","seq":-1},{"type":"message.content_delta","text":"x","seq":9}]})",
        R"({"events":[{"type":"message.queued","seq":1}],"files":[{}],"messages":[{"role":"assistant"}]})"})
    CHECK_NOTHROW(events_of(document));
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
