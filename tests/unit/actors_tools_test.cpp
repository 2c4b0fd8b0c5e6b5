// Calls of tools while a run goes on: which tools there are, output as it comes, limits, long outputs, files.
#include "actors/tool_policy.hpp"
#include "actors_tool_desk.hpp"

using namespace troupe;
using namespace troupe::test;
using core::tool_completed;
using core::tool_progress;
using std::chrono::milliseconds;

namespace {

/// An agent with the streaming tool `desk` and the built-in `clock`.
struct desk_world {
  std::shared_ptr<tool_desk> desk = std::make_shared<tool_desk>();
  world w;
  core::session_id session;

  explicit desk_world(const world::change& more = {}, core::effect effect = core::effect::idempotent)
      : w(
            [&](core::config& c, core::project_config& p, core::agent_config& a) {
              a.tools = {"desk", "clock"};
              if (more) more(c, p, a);
            },
            [&](tools::toolbox& box) { REQUIRE(box.add(desk_tool_named(desk, "desk", effect)).has_value()); }) {
    session = w.opened(1);
  }
  void run(std::vector<core::tool_call> calls = {call_of("c", "desk")}) {
    ask_for(w, std::move(calls));
    w.must<core::message_accepted>(session, {}, say("go"));
  }
  tool_desk::call& call() { return desk->last(); }
  std::vector<tool_completed> results() { return w.all<tool_completed>(session); }
  std::string progress() {
    std::string out;
    for (const auto& p : w.all<tool_progress>(session)) out += p.text;
    return out;
  }
};

}  // namespace

TEST_CASE("tool calls: what a streaming tool says is shown at once, then at most every 50 ms, in order and before the result") {
  desk_world d;
  auto sink = d.w.attached(d.session);
  d.run();
  auto shown = [&] {
    std::vector<std::string> out;
    for (const auto& p : sink->all<tool_progress>()) out.push_back(p.text);
    return out;
  };
  d.call().listener->progress("one ");
  d.w.settle();
  CHECK(shown() == std::vector<std::string>{"one "});
  d.call().listener->progress("two ");
  d.w.settle();
  d.call().listener->progress("three ");
  d.w.advance(milliseconds{49});
  CHECK(shown().size() == 1);
  d.w.advance(milliseconds{1});
  CHECK(shown() == std::vector<std::string>{"one ", "two three "});
  d.call().listener->progress("four");
  d.call().done("all of it");
  d.w.settle();
  CHECK(shown() == std::vector<std::string>{"one ", "two three ", "four"});
  std::vector<std::string> order;
  for (const auto& e : sink->events)
    if (e.as<tool_progress>() || e.as<tool_completed>()) order.emplace_back(core::kind_of(e.payload));
  CHECK(order.back() == "tool_completed");
  CHECK(results_of(d.w).front().content == "all of it");
  CHECK(end_of_run(d.w, d.session) == "completed");
  CHECK(d.w.defects().empty());
}

TEST_CASE("tool calls: much output need not wait, and what is too much is left out with one note") {
  desk_world d;
  d.run();
  d.call().listener->progress("a");
  d.w.settle();
  d.call().listener->progress(std::string(4'096, 'b'));
  d.w.settle();
  CHECK(d.w.all<tool_progress>(d.session).size() == 2);
  for (int i = 0; i < 100; ++i) d.call().listener->progress(std::string(10'000, 'c'));
  d.w.settle();
  auto text = d.progress();
  CHECK(text.size() < (256 << 10) + 200);
  CHECK(text.size() >= 256 << 10);
  CHECK(text.find("[more output follows") == text.rfind("[more output follows"));
  CHECK(text.find("[more output follows") != std::string::npos);
  d.call().listener->progress("even more");
  d.call().done("ok");
  d.w.settle();
  CHECK(d.progress() == text);
}

TEST_CASE("tool calls: output that is no text becomes text") {
  desk_world d;
  d.run();
  d.call().listener->progress(
      "a\xff"
      "b");
  d.call().done(std::string("c\xff\0d", 4));
  d.w.settle();
  CHECK(d.progress() ==
        "a\xEF\xBF\xBD"
        "b");
  CHECK(d.results().front().output == "c\xEF\xBF\xBD d");
  CHECK(d.w.defects().empty());
}

TEST_CASE("tool calls: a call that takes too long is given up and its result says so") {
  desk_world d([](auto&, auto&, core::agent_config& a) { a.limits.tool_timeout = milliseconds{2'000}; });
  d.run();
  d.w.advance(milliseconds{1'999});
  CHECK_FALSE(d.call().is_given_up);
  d.call().listener->progress("half");
  d.w.advance(milliseconds{1});
  CHECK(d.call().is_given_up);
  CHECK(d.progress() == "half");
  REQUIRE(d.results().size() == 1);
  CHECK_FALSE(d.results()[0].ok);
  CHECK(d.results()[0].output == "The tool gave no result within 2000 ms.");
  CHECK(d.results()[0].ms == 2'000);
  CHECK(end_of_run(d.w, d.session) == "completed");
}

TEST_CASE("tool calls: a cancelled run gives its calls up at once") {
  desk_world d;
  d.run();
  CHECK_FALSE(d.call().is_given_up);
  d.w.must(d.session, {}, core::cancel_run{});
  CHECK(d.call().is_given_up);
  CHECK(end_of_run(d.w, d.session) == "cancelled");
  REQUIRE(d.results().size() == 1);
  CHECK(d.w.defects().empty());
}

TEST_CASE("tool calls: they run side by side, and the model reads their results in the order it asked") {
  desk_world d;
  d.run(
      {call_of("a", "desk"), call_of("b", "clock"), call_of("c", "desk"), call_of("d", "nothing"), call_of("e", "desk", "[]")});
  REQUIRE(d.desk->calls.size() == 2);
  d.desk->calls[1]->done("third");
  d.w.settle();
  CHECK(d.results().size() == 4);
  CHECK(end_of_run(d.w, d.session).empty());
  d.desk->calls[0]->done("first");
  d.w.settle();
  auto results = results_of(d.w);
  REQUIRE(results.size() == 5);
  CHECK(results[0].content == "first");
  CHECK(results[1].content.starts_with("20"));
  CHECK(results[2].content == "third");
  CHECK(results[3].content == "Tool not found: nothing");
  CHECK(results[4].content.starts_with("Invalid arguments: "));
  CHECK(end_of_run(d.w, d.session) == "completed");
}

TEST_CASE("tool calls: a tool knows its session, its trace and a key that stays the same when it runs again") {
  desk_world d;
  d.run();
  auto first = d.call().context;
  CHECK(first.session == d.session);
  CHECK(first.call.str() == "c");
  CHECK(first.trace == d.w.all<core::run_started>(d.session).front().trace);
  d.w.restart();
  REQUIRE(d.desk->calls.size() == 2);
  CHECK(d.call().context.idempotency_key == first.idempotency_key);
  d.call().done("ok");
  d.w.settle();
  CHECK(end_of_run(d.w, d.session) == "completed");
  CHECK(d.results().size() == 1);
}

TEST_CASE("tool calls: time limits that the configuration declares hold, others are the agent's") {
  core::config config;
  core::agent_config agent;
  agent.limits.tool_timeout = milliseconds{10'000};
  tools::tool_spec spec;
  spec.name = "x";
  spec.time_limit = milliseconds{30'000};
  CHECK(actors::time_limit_of(config, agent, spec) == milliseconds{10'000});
  spec.time_limit = milliseconds{5'000};
  CHECK(actors::time_limit_of(config, agent, spec) == milliseconds{5'000});
  spec.source = "server";
  CHECK(actors::time_limit_of(config, agent, spec) == milliseconds{10'000});
  config.tools["server"].time_limit = milliseconds{60'000};
  spec.time_limit = milliseconds{60'000};
  CHECK(actors::time_limit_of(config, agent, spec) == milliseconds{60'000});
  config.tools.clear();
  config.tools["x"].time_limit = milliseconds{60'000};
  CHECK(actors::time_limit_of(config, agent, spec) == milliseconds{60'000});
}

// ---- which tools there are ----

TEST_CASE("tools of a run: a source that is still starting is waited for, and its changes are seen at the next step") {
  auto desk = std::make_shared<tool_desk>();
  auto source = std::make_shared<desk_source>("box");
  world w([](auto&, auto&, core::agent_config& a) { a.tools = {"box"}; },
          [&](tools::toolbox& box) { REQUIRE(box.add(source).has_value()); });
  auto make = [&](std::string name) { return std::make_shared<desk_tool>(desk_spec(std::move(name)), desk); };
  auto names = [](const providers::model_request& r) {
    std::vector<std::string> out;
    for (const auto& t : *r.tools) out.push_back(t.name);
    return out;
  };
  auto session = w.opened(1);
  ask_for(w, {call_of("c", "box.a"), call_of("d", "box.b")});
  w.must<core::message_accepted>(session, {}, say("go"));
  CHECK(w.model->asked.empty());
  source->set({make("box.a")});
  source->be_ready();
  w.settle();
  REQUIRE(w.model->asked.size() == 1);
  CHECK(names(w.model->asked[0]) == std::vector<std::string>{"box.a", "read_output"});
  REQUIRE(desk->calls.size() == 1);
  // The call goes on with the tool it began with, though the source has others now.
  source->set({make("box.b")});
  desk->last().done("from a");
  w.settle();
  REQUIRE(w.model->asked.size() == 2);
  CHECK(names(w.model->asked[1]) == std::vector<std::string>{"box.b", "read_output"});
  CHECK(results_of(w)[0].content == "from a");
  CHECK(results_of(w)[1].content == "Tool not found: box.b");
}

TEST_CASE("tools of a run: who stops it need not wait for them") {
  auto source = std::make_shared<desk_source>("box");
  world w([](auto&, auto&, core::agent_config& a) { a.tools = {"box"}; },
          [&](tools::toolbox& box) { REQUIRE(box.add(source).has_value()); });
  auto session = w.opened(1);
  w.must<core::message_accepted>(session, {}, say("go"));
  w.must(session, {}, core::cancel_run{});
  CHECK(end_of_run(w, session) == "cancelled");
  source->be_ready();
  w.settle();
  CHECK(w.model->asked.empty());
  CHECK(w.defects().empty());
}

TEST_CASE("tools of a run: after a restart that waits for them, decisions are kept and a stop settles the calls") {
  auto desk = std::make_shared<tool_desk>();
  auto source = std::make_shared<desk_source>("box");
  source->set({std::make_shared<desk_tool>(desk_spec("box.a"), desk)});
  source->be_ready();
  world w(
      [](auto&, auto&, core::agent_config& a) {
        a.tools = {"box"};
        a.approval["bench"].policy = core::approval_policy::always;
      },
      [&](tools::toolbox& box) { REQUIRE(box.add(source).has_value()); });
  auto session = w.opened(1);
  ask_for(w, {call_of("c", "box.a")});
  w.must<core::message_accepted>(session, {}, say("go"));
  source->start_again();
  w.restart();
  bool stops = GENERATE(false, true);
  if (stops) {
    w.must(session, {}, core::cancel_run{});
    CHECK(end_of_run(w, session) == "cancelled");
    CHECK(w.all<core::approval_decided>(session).size() == 1);
    CHECK(w.all<tool_completed>(session).size() == 1);
  } else {
    CHECK(w.must<core::approval_settled>(session, {}, approve(only_question(w, session).approval)).won);
    CHECK(desk->calls.empty());
    source->be_ready();
    w.settle();
    REQUIRE(desk->calls.size() == 1);
    desk->last().done("ok");
    w.settle();
    CHECK(end_of_run(w, session) == "completed");
  }
  CHECK(w.defects().empty());
}

TEST_CASE(
    "tools of a run: after a restart that waits for them, nobody is told that an answer to a call that is gone was heard") {
  auto desk = std::make_shared<tool_desk>();
  auto source = std::make_shared<desk_source>("box");
  source->set({std::make_shared<desk_tool>(desk_spec("box.a"), desk)});
  source->be_ready();
  world w([](auto&, auto&, core::agent_config& a) { a.tools = {"box"}; },
          [&](tools::toolbox& box) { REQUIRE(box.add(source).has_value()); });
  auto session = w.opened(1);
  ask_for(w, {call_of("c", "box.a")});
  w.must<core::message_accepted>(session, {}, say("go"));
  desk->last().listener->ask({"Sure?", ""});
  w.settle();
  auto asked = only_question(w, session);
  source->start_again();
  w.restart();
  CHECK(w.refused(session, {}, approve(asked.approval)).code == core::errc::approval_not_pending);
  source->be_ready();
  w.settle();
  auto decided = w.all<core::approval_decided>(session);
  REQUIRE(decided.size() == 1);
  CHECK(decided[0].decision == core::decision::expired);
  CHECK(w.defects().empty());
}

TEST_CASE("tools of a run: read_output is there where a tool may say much") {
  world w([](auto&, auto&, core::agent_config& a) { a.tools = {"clock", "calculator"}; });
  auto session = w.opened(1);
  w.must<core::message_accepted>(session, {}, say("go"));
  for (const auto& t : *w.model->asked.front().tools) CHECK(t.name != "read_output");
}

// ---- long outputs ----

TEST_CASE("long outputs: the model gets the beginning, reads on with read_output, and the whole is stored") {
  desk_world d([](auto&, auto&, core::agent_config& a) { a.limits.max_output_chars = 10; });
  d.w.model->answer = [](const providers::model_request& r) {
    auto calls = [&](std::string id, std::string arguments) {
      return heard_model::says("", {call_of(std::move(id), "read_output", std::move(arguments))});
    };
    const auto& last = r.history->back();
    if (last.role != core::role::tool) return heard_model::says("", {call_of("c", "desk")});
    if (last.call.str() == "c") return calls("r1", R"({"call_id":"c","offset":9})");
    if (last.call.str() == "r1") return calls("r2", R"({"call_id":"c","offset":17,"limit":4})");
    if (last.call.str() == "r2") return calls("r3", R"({"call_id":"c","offset":99})");
    if (last.call.str() == "r3") return calls("r4", R"({"call_id":"who"})");
    return heard_model::says("Done.");
  };
  d.w.must<core::message_accepted>(d.session, {}, say("go"));
  d.call().done("123456789äABCDEFGHIJ");
  d.w.settle();
  auto results = d.results();
  REQUIRE(results.size() == 5);
  // The tenth byte would cut the letter in two.
  CHECK(results[0].output == "123456789\n[cut: 9 of 21 bytes; read_output gives more, with call_id \"c\" and offset 9]");
  CHECK(results[0].output_bytes == 21);
  CHECK(results[1].output == "äABCDEFGH\n[bytes 9 to 19 of 21; the next part begins at offset 19]");
  CHECK(results[1].ok);
  CHECK(results[2].output == "GHIJ\n[bytes 17 to 21 of 21, the end]");
  CHECK(results[3].output == "[nothing at offset 99; the output has 21 bytes]");
  CHECK_FALSE(results[3].ok);
  CHECK(results[4].output == "There is no output of a call \"who\".");
  CHECK(end_of_run(d.w, d.session) == "completed");
  CHECK(d.w.defects().empty());
}

TEST_CASE("long outputs: read_output asks nobody, whatever is demanded of all tools") {
  desk_world d([](auto&, auto&, core::agent_config& a) {
    a.approval["*"].policy = core::approval_policy::always;
    a.approval["desk"].policy = core::approval_policy::never;
    a.limits.max_output_chars = 4;
  });
  d.w.model->answer = [](const providers::model_request& r) {
    const auto& last = r.history->back();
    if (last.role != core::role::tool) return heard_model::says("", {call_of("c", "desk")});
    if (last.call.str() == "c") return heard_model::says("", {call_of("r", "read_output", R"({"call_id":"c"})")});
    return heard_model::says("Done.");
  };
  d.w.must<core::message_accepted>(d.session, {}, say("go"));
  d.call().done("123456");
  d.w.settle();
  CHECK(d.w.all<core::approval_requested>(d.session).empty());
  CHECK(d.results().back().output.starts_with("1234\n[bytes 0 to 4 of 6;"));
}

// ---- files ----

TEST_CASE("files of tools: they become the session's, and the model is told their ids") {
  desk_world d;
  d.run();
  d.call().done("a plot", true, {{"plot.png", "image/png", "\x89PNG"}, {"", "", "x"}});
  d.w.settle();
  auto added = d.w.all<core::file_added>(d.session);
  REQUIRE(added.size() == 2);
  CHECK(added[0].file.name == "plot.png");
  CHECK(added[1].file.content_type == "application/octet-stream");
  CHECK(d.results().front().output == "a plot\n[file " + added[0].file.file.str() + ": plot.png, image/png, 4 bytes]\n[file " +
                                          added[1].file.file.str() + ": file, application/octet-stream, 1 bytes]");
  auto kept = d.w.queries()->file(d.session, added[0].file.file);
  REQUIRE(kept.has_value());
  CHECK(*kept->data == "\x89PNG");
  CHECK(d.w.defects().empty());
}

TEST_CASE("files of tools: those that the session cannot take are named in the output instead") {
  desk_world d([](core::config& c, auto&, auto&) {
    c.sessions.max_file_bytes = 10;
    c.sessions.max_files = 3;
    c.sessions.max_session_bytes = 12;
  });
  d.w.must<core::file_stored>(d.session, {}, file("mine", "text/plain", "1"));
  d.run({call_of("a", "desk"), call_of("b", "desk")});
  d.desk->calls[0]->done("", true, {{"big", "a/b", std::string(11, 'x')}, {"first", "a/b", std::string(10, 'x')}});
  d.desk->calls[1]->done("", true, {{"second", "a/b", "12"}, {"third", "a/b", "1"}, {"fourth", "a/b", "1"}});
  d.w.settle();
  CHECK(d.w.all<core::file_added>(d.session).size() == 3);
  auto results = results_of(d.w);
  REQUIRE(results.size() == 2);
  CHECK(results[0].content.find("[file not kept: big, a/b, 11 bytes: larger than 10 bytes]") != std::string::npos);
  CHECK(results[1].content.find("second, a/b, 2 bytes: the session's files would have more than 12 bytes") !=
        std::string::npos);
  CHECK(results[1].content.find("fourth, a/b, 1 bytes: the session has 3 files, as many as it may") != std::string::npos);
  CHECK(end_of_run(d.w, d.session) == "completed");
}
