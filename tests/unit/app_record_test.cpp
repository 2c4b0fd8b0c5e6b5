#include "app/record/recording.hpp"
#include "app/record/session_record.hpp"
#include "app/scenario/runner.hpp"
#include "app/scenario/stage.hpp"
#include "tests/support/configuration_text.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace troupe;
using std::chrono::milliseconds;
using testing::has;

namespace {

/// A session that is used, and then recorded from its log.
struct used_session {
  app::scenario made;
  std::unique_ptr<app::stage> stage;

  explicit used_session(const std::string& model,
                        const std::string& agent = R"({ "tools": ["calculator", "write_file", "delete_file"] })") {
    auto parsed =
        app::parse_scenario(R"({ "scenario": "x", "price": { "input": 2, "output": 8 }, "agent": )" + agent + R"(, "model": )" +
                                model + R"(, "steps": [ { "expect": { "kind": "run_started" } } ] })",
                            "x.json");
    INFO((parsed ? std::string() : parsed.error().text));
    REQUIRE(parsed.has_value());
    made = std::move(*parsed);
    auto opened = app::stage::open(made.config);
    REQUIRE(opened.has_value());
    stage = std::move(*opened);
  }
  void send(core::command c, const std::string& who = {}) {
    REQUIRE(stage->send({who, who}, std::move(c)).has_value());
    REQUIRE(stage->last_reply().has_value());
    INFO((*stage->last_reply() ? std::string() : stage->last_reply()->error().text));
    REQUIRE(stage->last_reply()->has_value());
  }
  void say(const std::string& text, const std::string& who = {}) { send(core::send_message{text, {}, std::nullopt}, who); }
  void wait(int ms) { REQUIRE(stage->advance(milliseconds{ms}).has_value()); }

  [[nodiscard]] std::vector<core::event> log() const {
    auto queries = stage->store().open_queries();
    REQUIRE(queries.has_value());
    auto out = app::read_log(**queries, stage->session(), {});
    REQUIRE(out.has_value());
    return *out;
  }
  /// The answer of a command that had no effect, as somebody who listened tells it.
  void try_to(core::command c, const std::string& who = {}) {
    // What was shown; not all text of it is stored.
    for (const auto& e : stage->take_events()) shown = std::max(shown, e.seq);
    auto after = shown;
    REQUIRE(stage->send({who, who}, c).has_value());
    REQUIRE(stage->last_reply().has_value());
    notes.refused.push_back({after, after, stage->environment().now(), {who, who}, c, *stage->last_reply()});
  }
  app::live_notes notes{};
  core::seq_t shown = 0;

  [[nodiscard]] std::string recorded(const app::redaction& hidden = app::redaction({}), bool knows_agent = true) const {
    app::recording_source source;
    source.log = log();
    auto queries = stage->store().open_queries();
    source.files = app::read_files(**queries, source.log, stage->session());
    source.notes = notes;
    if (knows_agent) source.agent = app::agent_of(source.log, *made.config);
    auto tools = tools::builtin_tools();
    source.tools = &*tools;
    source.made_by = "test";
    auto text = app::make_recording(std::move(source), hidden);
    INFO((text ? std::string() : text.error().text));
    REQUIRE(text.has_value());
    return *text;
  }
};

app::scenario parsed(const std::string& text) {
  auto s = app::parse_scenario(text, "recorded.json");
  INFO(text);
  INFO((s ? std::string() : s.error().text));
  REQUIRE(s.has_value());
  return std::move(*s);
}
void plays(const app::scenario& s, const app::run_options& options) {
  auto outcome = app::run_scenario(s, options);
  INFO(outcome.text);
  CHECK(outcome.what == app::verdict::passed);
}
/// As it was, with a restart after every step, and with a crash at every boundary.
void replays(const std::string& text) {
  INFO(text);
  auto s = parsed(text);
  app::run_options options;
  auto plain = app::run_scenario(s, options);
  INFO(plain.text);
  REQUIRE(plain.what == app::verdict::passed);
  options.restart_every_step = true;
  plays(s, options);
  options.restart_every_step = false;
  for (options.crash_at = 1; options.crash_at <= plain.boundaries; ++options.crash_at) {
    INFO("crash at " << options.crash_at);
    plays(s, options);
  }
}

constexpr const char* tool_model = R"({ "rules": [
  { "when": { "tool": "delete_file" }, "say": [ { "stream": "Gone: ${result}", "every_ms": 7 } ] },
  { "when": { "tool": "write_file" }, "say": [ { "tool": "delete_file", "arguments": { "path": "a.txt" } } ] },
  { "when": { "user": "file" }, "say": [ { "reasoning": "Let me see. " }, { "text": ["May", " I? "] }, { "delay_ms": 40 },
     { "tool": "write_file", "arguments": { "path": "a.txt", "content": "$x ${user}" } }, { "usage": { "prompt": 1000, "completion": 10 } } ] },
  { "when": { "user": "slow" }, "say": [ { "stream": "one two three four five six", "every_ms": 100 } ] },
  { "when": { "user": "fail" }, "say": [ { "text": "So " }, { "delay_ms": 30 }, { "error": { "text": "it broke", "code": "TIMEOUT" } } ] } ],
  "otherwise": [ { "text": "$ok ${user}" } ] })";

}  // namespace

TEST_CASE("recording: tools, an approval and money come back as they were, also over restarts and crashes") {
  used_session s(tool_model, R"({ "tools": ["write_file", "delete_file"], "limits": { "budget_usd": 0.004 } })");
  s.say("$file", "ada");
  s.wait(1'000);
  s.send(core::decide_approval{{}, {}, true, "go on", {}}, "bob");
  s.wait(5'000);
  s.say("thanks", "ada");
  auto text = s.recorded();
  CHECK(has(text, R"("text":["May"," I? "])"));
  CHECK(has(text, R"({"approve":"$approval_1","note":"go on"},"as":"bob")"));
  CHECK(has(text, R"("kind":"cost_alert")"));
  CHECK(has(text, R"("output":"Deleted a.txt.")"));
  replays(text);
}

TEST_CASE("recording: a replay answers calls from the recording and runs no tool") {
  used_session s(R"({ "rules": [ { "when": { "after": "tool" }, "say": [ { "text": "${result}" } ] } ],
                      "otherwise": [ { "tool": "calculator", "arguments": { "expression": "6*7" } } ] })");
  s.say("go");
  auto text = s.recorded();
  auto at = text.find(R"("output":"42")");
  REQUIRE(at != std::string::npos);
  // What was recorded counts, right or not.
  text.replace(at, 13, R"("output":"43")");
  auto outcome = app::run_scenario(parsed(text), {});
  CHECK(outcome.what == app::verdict::failed);
  CHECK(has(outcome.text, R"(output: expected "42", came "43")"));
}

TEST_CASE("recording: stopping, queueing, interrupting, failing, pausing and clearing keep their order") {
  used_session s(tool_model);
  s.say("slow 1", "ada");
  s.wait(250);
  s.say("queued", "bob");
  s.wait(30);
  s.send(core::cancel_run{}, "ada");
  s.wait(500);
  s.say("fail");
  s.wait(500);
  s.say("slow 2");
  s.wait(150);
  s.say("second");
  s.wait(100);
  s.send(core::send_message{"now", "m-1", core::busy_policy::interrupt});
  s.wait(3'000);
  s.send(core::clear_history{});
  s.say("after");
  auto text = s.recorded();
  CHECK(has(text, R"("on_busy":"interrupt")"));
  CHECK(has(text, R"({"error":{"text":"it broke","code":"TIMEOUT"}})"));
  CHECK(has(text, R"({"send":{"clear":true}})"));
  plays(parsed(text), {});
}

TEST_CASE("recording: an expired question, a denied one and an edited one") {
  used_session s(tool_model,
                 R"({ "tools": ["write_file", "delete_file"], "approval": { "write_file": "always", "delete_file": "never" },
                                  "limits": { "approval_timeout_ms": 5000 } })");
  s.say("file 1");
  s.wait(10'000);
  s.say("file 2");
  s.wait(100);
  s.send(core::decide_approval{{}, {}, false, "no", {}});
  s.wait(3'000);
  s.say("file 3");
  s.wait(100);
  s.send(core::decide_approval{{}, {}, true, {}, R"({"path":"b.txt","content":"b"})"});
  s.wait(3'000);
  plays(parsed(s.recorded()), {});
  // What the log alone tells is enough.
  auto alone = s.recorded(app::redaction({}), false);
  CHECK(has(alone, R"("approval_timeout_ms":5000)"));
  CHECK_FALSE(has(alone, R"("price")"));
  plays(parsed(alone), {});
}

TEST_CASE("recording: a crash of the recorded server leaves no trace but an unknown outcome") {
  used_session s(R"({ "rules": [ { "when": { "tool": "delete_file" }, "say": [ { "text": "Result: ${result}" } ] } ],
                      "otherwise": [ { "text": ["One, ", "two. "] }, { "delay_ms": 1000 }, { "text": "Three." }, { "tool": "delete_file", "arguments": { "path": "a" } } ] })",
                 R"({ "tools": ["delete_file"], "approval": { "delete_file": "never" } })");
  s.say("go");
  s.wait(300);
  REQUIRE(s.stage->crash().has_value());
  s.stage->crash_before("tool_completed");
  s.wait(2'000);
  auto text = s.recorded();
  CHECK(has(text, R"("never":true)"));
  CHECK(has(text, R"({"crash":true})"));
  CHECK(has(text, R"({"expect":{"kind":"text_delta","message":"$answer_1","text":"One, two. Three."}})"));
  plays(parsed(text), {});
}

TEST_CASE("recording: a session that goes on while it is recorded, and one without messages") {
  used_session s(tool_model);
  CHECK(app::make_recording({s.log(), nullptr, nullptr, {}}, app::redaction({})).has_error());
  s.say("slow");
  s.wait(450);
  plays(parsed(s.recorded()), {});
}

TEST_CASE("recording: a log above its limits is refused by number and by bytes, before all of it is read") {
  used_session s(R"({ "otherwise": [ { "text": "Yes." } ] })");
  for (int i = 0; i < 5; ++i) {
    s.say(std::string(1'000, 'x'));
    s.wait(100);
  }
  const auto count = s.log().size();
  auto queries = s.stage->store().open_queries();
  REQUIRE(queries.has_value());
  auto read = [&](app::log_limits most) { return app::read_log(**queries, s.stage->session(), {}, most); };
  CHECK(read({count, 100'000})->size() == count);
  auto many = read({count - 1, 100'000});
  REQUIRE(many.has_error());
  CHECK(many.error().code == core::errc::payload_too_large);
  CHECK(many.error().text.find("more than " + std::to_string(count - 1) + " events") != std::string::npos);
  // The text of a message is in its event and, as the question, in the run's.
  auto large = read({count, 9'000});
  REQUIRE(large.has_error());
  CHECK(large.error().code == core::errc::payload_too_large);
  CHECK(large.error().text.find("more than 9000 bytes") != std::string::npos);
}

TEST_CASE("recording: exact times of text replace those of the log") {
  core::text_pieces pieces;
  for (auto piece : {"a", "b", "c"}) pieces.add(piece);
  used_session s(R"({ "otherwise": [ { "text": ["a", "b", "c"], "every_ms": 20 } ] })");
  s.say("go");
  s.wait(1'000);
  auto queries = s.stage->store().open_queries();
  auto coarse = app::read_log(**queries, s.stage->session(), {});
  auto is_text = [](const core::event& e) { return e.as<core::text_delta>() != nullptr; };
  REQUIRE(std::count_if(coarse->begin(), coarse->end(), is_text) == 1);
  auto row = *std::find_if(coarse->begin(), coarse->end(), is_text);
  app::text_times times{
      {row.first, row.at}, {row.first + 1, row.at + milliseconds{20}}, {row.first + 2, row.at + milliseconds{40}}};
  auto exact = app::read_log(**queries, s.stage->session(), times);
  std::vector<std::pair<std::string, core::seq_t>> found;
  for (const auto& e : *exact)
    if (is_text(e)) found.emplace_back(e.as<core::text_delta>()->pieces.text, e.seq);
  CHECK(found == std::vector<std::pair<std::string, core::seq_t>>{{"a", row.first}, {"b", row.first + 1}, {"c", row.seq}});
}

TEST_CASE("redaction: keys, tokens and passwords are hidden in texts and in JSON") {
  app::redaction hidden({"hunter2-secret", "abc"});
  auto plain = [&](std::string_view text) { return hidden.text(text); };
  CHECK(plain("my key is hunter2-secret, abc") == "my key is [redacted], abc");
  CHECK(plain("cut: hunter2-sec…") == "cut: [redacted]…");
  CHECK(plain("Authorization: Bearer abcdef.ghi") == "Authorization: [redacted]");
  CHECK(plain("curl -H 'X-API-Key: 12345678'") == "curl -H 'X-API-Key: [redacted]'");
  CHECK(plain("password=swordfish&user=ada") == "password=[redacted]&user=ada");
  CHECK(plain("use sk-test-0000000000000000 here") == "use [redacted] here");
  CHECK(plain("t eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdefghij e") == "t [redacted] e");
  CHECK(plain(R"({"api_key":"k","apiKey":["k"],"n":{"Access-Token":"t"},"max_tokens":5,"path":"a"})") ==
        R"({"api_key":"[redacted]","apiKey":"[redacted]","n":{"Access-Token":"[redacted]"},"max_tokens":5,"path":"a"})");
  CHECK(plain("the secret of good tea is time") == "the secret of good tea is time");
  CHECK(plain("[redacted]") == "[redacted]");
}

TEST_CASE("redaction: nothing of a secret is left in a recording, and the recording still replays") {
  used_session s(
      R"({ "rules": [ { "when": { "after": "tool" }, "say": [ { "text": ["The key hun", "ter2-", "secret is good."] } ] } ],
                      "otherwise": [ { "tool": "write_file", "arguments": { "path": "a", "content": "password=hunter2-secret" } } ] })");
  s.say("write hunter2-secret down");
  auto text = s.recorded(app::redaction({"hunter2-secret"}));
  CHECK_FALSE(has(text, "hunter2"));
  CHECK_FALSE(has(text, "ter2-"));
  CHECK(has(text, R"("text":["The key [redacted]"," is good."])"));
  replays(text);
}

TEST_CASE("recording: files and changes of the queue are commands of it") {
  used_session s(tool_model);
  auto add = [&](const char* name, const char* type, std::string bytes) {
    s.send(core::add_file{name, type, std::make_shared<const std::string>(std::move(bytes))}, "ada");
    return std::get<core::file_stored>(**s.stage->last_reply()).file.file;
  };
  auto note = add("$note.txt", "text/plain", "$x");
  auto dot = add("dot.png", "image/png", "\x89PNG");
  add("long.txt", "text/plain", std::string(app::max_recorded_file_bytes + 1, 'x'));
  core::send_message first{"slow", {}, std::nullopt};
  first.attachments = {note, dot};
  s.send(first);
  s.wait(150);
  std::vector<core::message_id> waiting;
  for (const auto* text : {"one", "two", "three"}) {
    s.say(text);
    waiting.push_back(std::get<core::message_accepted>(**s.stage->last_reply()).message);
  }
  auto edit = [&](std::size_t which, std::optional<std::string> content, std::uint32_t position) {
    core::edit_queued e;
    e.message = waiting[which];
    e.content = std::move(content);
    e.position = position;
    s.send(e);
  };
  edit(2, "$third", 1);
  edit(0, std::nullopt, 3);
  edit(1, "second", 0);
  s.wait(3'000);
  auto text = s.recorded();
  CHECK(has(text, R"({"send":{"file":"$$note.txt","type":"text/plain","text":"$$x"},"as":"ada"})"));
  CHECK(has(text, R"("base64":"iVBORw==")"));
  CHECK(has(text, R"("text":"[left out: 1048577 bytes]")"));
  CHECK(has(text, R"("attachments":["$file_1","$file_2"])"));
  CHECK(has(text, R"({"edit":"$message_4","content":"$$third","position":1})"));
  CHECK(has(text, R"({"edit":"$message_3","position":2})"));  // the same as the second to place 3
  CHECK(has(text, R"({"edit":"$message_3","content":"second"})"));
  plays(parsed(text), {});
}

TEST_CASE("recording: refused commands are refused again, where the session's state says why") {
  used_session s(tool_model, R"({ "tools": ["write_file", "delete_file"], "limits": { "max_queue": 1 } })");
  s.send(core::send_message{"file", "m-1", std::nullopt}, "ada");
  s.wait(100);
  s.send(core::decide_approval{{}, {}, true, "yes", {}}, "bob");
  s.wait(200);  // the log knows the times of text to 70 ms only
  auto decided = s.log();
  auto it = std::find_if(decided.begin(), decided.end(), [](const auto& e) { return e.template as<core::approval_decided>(); });
  REQUIRE(it != decided.end());
  s.try_to(core::decide_approval{it->as<core::approval_decided>()->approval, {}, false, "no", {}}, "cem");
  s.wait(2'000);
  s.try_to(core::send_message{"file", "m-1", std::nullopt}, "ada");
  s.try_to(core::decide_approval{{}, {}, true, {}, {}});
  s.say("slow");
  s.wait(150);
  s.try_to(core::send_message{"my key is hunter2-secret", {}, core::busy_policy::reject}, "ada");
  s.say("wait");
  s.try_to(core::send_message{"too many", {}, std::nullopt});
  s.try_to(core::clear_history{});
  s.wait(2'000);
  s.send(core::change_status{core::session_status::paused});
  s.try_to(core::send_message{"anybody?", {}, std::nullopt});
  auto text = s.recorded(app::redaction({"hunter2-secret"}));
  for (auto part :
       {R"({"send":{"deny":"$approval_1","note":"no"},"as":"cem"},)", R"({"reply":{"won":false,"decision":"approved"}})",
        R"({"reply":{"repeated":true,"message":"$message_1"}})", R"({"reply":{"error":"APPROVAL_NOT_PENDING"}})",
        R"({"send":{"message":"my key is [redacted]","on_busy":"reject"},"as":"ada"})", R"({"reply":{"error":"BUSY"}})",
        R"({"reply":{"error":"QUEUE_FULL"}})", R"({"reply":{"error":"SESSION_CLOSED"}})", R"("limits":{"max_queue":1)"}) {
    INFO(part);
    CHECK(has(text, part));
  }
  replays(text);

  // The answer may be heard when the run is over already, or before it is shown to have begun.
  for (auto& r : s.notes.refused)
    if (r.reply.has_error() && r.reply.error().code == core::errc::busy) r.answered_after = r.asked_after + 1'000;
  plays(parsed(s.recorded()), {});
  for (auto& r : s.notes.refused)
    if (r.reply.has_error() && r.reply.error().code == core::errc::session_closed) r.asked_after = r.answered_after -= 1;
  plays(parsed(s.recorded()), {});
}

TEST_CASE("recording: attempts that failed are made again, told or only counted") {
  used_session s(
      R"({ "rules": [ { "when": { "user": "x" }, "say": [ { "error": { "text": "no room", "retryable": true } } ] } ],
                      "otherwise": [ { "delay_ms": 2000 }, { "text": "So." } ] })");
  s.say("go");
  s.wait(3'000);
  auto text = s.recorded();
  CHECK_FALSE(has(text, "failed"));
  auto log = s.log();
  auto step = std::find_if(log.begin(), log.end(), [](const auto& e) { return e.template as<core::step_started>(); });
  auto failed = [&](int ms, bool was_repeated) {
    return app::failed_attempt{step->at + milliseconds{ms}, {1, 1, "go"}, {core::errc::rate_limited, "no room"}, was_repeated};
  };
  s.notes.attempts = {failed(-500, true), failed(10, true), failed(700, true), failed(900, false)};
  text = s.recorded();
  CHECK(has(text, R"("failed":[{"text":"no room","code":"RATE_LIMITED"},{"text":"no room","code":"RATE_LIMITED"}])"));
  CHECK(has(text, R"("attempts":3)"));
  replays(text);
  s.notes.attempts.clear();
  app::recording_source counted;
  counted.log = s.log();
  for (auto& e : counted.log)
    if (auto* usage = std::get_if<core::usage_recorded>(&e.payload)) usage->attempts = 2;
  auto alone = app::make_recording(std::move(counted), app::redaction({}));
  REQUIRE(alone.has_value());
  CHECK(has(*alone, R"("failed":[{"text":"An attempt failed; the log does not tell why."}])"));
  replays(*alone);
}

TEST_CASE("recording: a remembered approval is given again, and taken back again") {
  used_session s(tool_model, R"({ "tools": ["write_file", "delete_file"] })");
  s.say("file", "ada");
  s.wait(500);
  core::decide_approval yes{{}, {}, true, {}, {}};
  yes.remember = core::remember_options{core::grant_scope::session, "[]", std::chrono::hours{1}};
  s.send(yes, "bob");
  s.wait(5'000);
  s.say("file again", "ada");  // nobody is asked
  s.wait(5'000);
  auto log = s.log();
  auto given = std::find_if(log.begin(), log.end(), [](const auto& e) { return e.template as<core::grant_given>(); });
  REQUIRE(given != log.end());
  s.send(core::revoke_grant{given->as<core::grant_given>()->grant}, "bob");
  s.say("file", "ada");
  s.wait(500);
  s.send(core::decide_approval{{}, {}, false, {}, {}}, "bob");
  s.wait(5'000);
  auto text = s.recorded();
  CHECK(has(text, R"("remember":{"scope":"session","when":[],"expires_in_ms":3600000}},"as":"bob")"));
  CHECK(has(text, R"({"send":{"revoke":"$grant_1"},"as":"bob"})"));
  CHECK(has(text, R"("skip": {"url":"an approval is remembered"})"));
  replays(text);
}

TEST_CASE("recording: two people approve a call, and not who asked for it") {
  used_session s(tool_model, R"({ "tools": ["write_file", "delete_file"],
                                  "approval": { "delete_file": { "policy": "always", "deciders": 2, "not_requester": true } } })");
  s.say("file", "ada");
  s.wait(500);
  s.send(core::decide_approval{{}, {}, true, "first", {}}, "bob");
  s.wait(500);
  s.send(core::decide_approval{{}, {}, true, "second", R"({"path":"b.txt"})"}, "cem");
  s.wait(500);
  s.send(core::decide_approval{{}, {}, true, "third", {}}, "bob");
  s.wait(5'000);
  auto text = s.recorded();
  CHECK(has(text, R"("deciders":2,"not_requester":true)"));
  CHECK(has(text, R"({"send":{"approve":"$approval_1","note":"first"},"as":"bob"})"));
  CHECK(has(text, R"("kind":"approval_endorsed","approval":"$approval_1")"));
  CHECK(has(text, R"("skip": {"url":"two people approve a call"})"));
  replays(text);
}
