// The client against a server that misbehaves on purpose (tests/support/mcp_server.py), in both eras, over stdio.
#include "tests/support/mcp_world.hpp"

#include <signal.h>

using namespace troupe;
using namespace troupe::testing;
using Catch::Contains;

namespace {

core::session_id session(std::uint64_t n) { return core::session_id{core::uuid{n, n}}; }

std::vector<std::string> of_era(const std::string& era) { return {"--era", era}; }

}  // namespace

TEST_CASE_METHOD(mcp_world, "mcp: a server of either era has its tools under its name, with defaults from its annotations") {
  auto era = GENERATE("legacy", "modern", "dual");
  auto source = ready(scripted(of_era(era)));
  CHECK_THAT(source->status(), Contains("ready; 2 left out") && Contains("`no_schema`") && Contains("`bad_schema`"));
  CHECK(count_logged(era == std::string("legacy") ? "MCP 2025-11-25" : "MCP 2026-07-28") == 1);
  auto echo = find(*source, "echo");
  REQUIRE(echo);
  CHECK(echo->spec().description == "does echo");
  CHECK(echo->spec().source == "server");
  CHECK(echo->spec().effect == core::effect::read_only);
  CHECK(echo->spec().approval == core::approval_policy::never);
  CHECK(echo->spec().mode == tools::tool_mode::streaming);
  CHECK(find(*source, "fail")->spec().effect == core::effect::idempotent);
  CHECK(find(*source, "die_once")->spec().effect == core::effect::once);
  CHECK(find(*source, "die_once")->spec().approval == core::approval_policy::always);
  CHECK(find(*source, "die_once")->spec().risk == "medium");
  CHECK(find(*source, "add_tool")->spec().approval == core::approval_policy::never);
  auto said = result(*source, "echo", R"({"text":"h\u00e9llo\n"})");
  CHECK(said.ok);
  CHECK(said.output == "h\u00e9llo\n");
  said = result(*source, "fail");
  CHECK_FALSE(said.ok);
  CHECK(said.output == "it went wrong");
  said = result(*source, "refuse");
  CHECK_FALSE(said.ok);
  CHECK(said.output == "The MCP server `server` did not carry out the call: not like this (error -32602).");
  said = result(*source, "bad_structure");
  CHECK_FALSE(said.ok);
  CHECK_THAT(said.output, Contains("does not fit its own output schema"));
  CHECK(stop(source));
  CHECK(source->status() == "stopped");
  CHECK(until_gone());
}

TEST_CASE_METHOD(mcp_world, "mcp: the configuration's effect, approval and risk win over annotations") {
  auto with = scripted();
  with.effect = core::effect::idempotent;
  with.approval = core::approval_policy::by_effect;
  with.risk = "high";
  with.time_limit = 7s;
  auto source = ready(with);
  for (const char* name : {"echo", "die_once"}) {
    const auto& spec = find(*source, name)->spec();
    CHECK(spec.effect == core::effect::idempotent);
    CHECK(spec.approval == core::approval_policy::by_effect);
    CHECK(spec.risk == "high");
    CHECK(spec.time_limit == 7s);
  }
}

TEST_CASE_METHOD(mcp_world, "mcp: a legacy server that does not answer the probe, or dies of it, is found out once") {
  auto probes = folder / "probes";
  auto way = std::string(GENERATE("silent", "die"));
  if (way == "silent") options.probe_limit = 50ms;
  auto source = ready(scripted({"--probe", way, "--probes", probes.string()}));
  REQUIRE(events.wait([&] { return !source->tools().empty(); }));
  CHECK(result(*source, "echo", R"({"text":"a"})").output == "a");
  auto probed = content_of(probes);
  auto begun = count_logged("is ready");
  CHECK_FALSE(result(*source, "die").ok);
  REQUIRE(wait_logged("is ready", begun + 1));
  CHECK(content_of(probes) == probed);  // not probed again
  CHECK(result(*source, "echo", R"({"text":"b"})").output == "b");
}

TEST_CASE_METHOD(mcp_world, "mcp: a modern server that starts slower than the probe waits is still a modern one") {
  options.probe_limit = 50ms;
  auto source = ready(scripted({"--era", "modern", "--start", "late"}));
  CHECK(count_logged("MCP 2026-07-28") == 1);
  CHECK(result(*source, "echo", R"({"text":"a"})").output == "a");
}

TEST_CASE_METHOD(mcp_world, "mcp: a server without a version in common is down, and says what it speaks") {
  SECTION("legacy") {
    auto source = ready(scripted({"--version", "1999-01-01"}));
    CHECK_THAT(source->status(), Contains("down: it answered initialize with protocol version `1999-01-01`"));
  }
  SECTION("modern") {
    auto source = ready(scripted({"--era", "modern", "--supported", "2099-01-01,2098-01-01"}));
    CHECK_THAT(source->status(), Contains("down: it speaks MCP `2099-01-01`, `2098-01-01`; this server speaks 2026-07-28"));
  }
  SECTION("a modern server that names a legacy version is spoken to that way") {
    auto source = ready(scripted({"--era", "dual", "--supported", "2099-01-01,2025-06-18", "--version", "2025-06-18"}));
    CHECK(count_logged("MCP 2025-06-18") == 1);
    CHECK(result(*source, "echo", R"({"text":"a"})").output == "a");
  }
}

TEST_CASE_METHOD(mcp_world, "mcp: a server that cannot start is given up for now, and says why") {
  SECTION("no such program") {
    auto source = ready(config({"no-such-mcp-server"}));
    CHECK_THAT(source->status(), Contains("down: ") && Contains("`no-such-mcp-server`"));
    CHECK(source->tools().empty());
  }
  SECTION("it ends at once") {
    auto source = ready(scripted({"--start", "die"}));
    CHECK_THAT(source->status(), Contains("exit status 7") && Contains("cannot find my configuration"));
    CHECK(wait_logged("is down", 4));
  }
  SECTION("it hangs") {
    auto with = scripted({"--start", "hang"});
    with.start_timeout = 200ms;
    options.probe_limit = 50ms;
    auto source = ready(with);
    CHECK_THAT(source->status(), Contains("it was not ready within 200 ms (start_timeout_ms), "));
    CHECK(wait_logged("is down", 4));
    CHECK(events.wait([&] { return processes().size() <= 4; }));  // the last one and the next one, with their guards
  }
  SECTION("it greets people on stdout") {
    auto source = ready(scripted({"--start", "rubbish"}));
    CHECK(result(*source, "echo", R"({"text":"a"})").output == "a");
    CHECK(count_logged("`Starting...`") == 1);
  }
}

TEST_CASE_METHOD(mcp_world, "mcp: a server that dies in a call fails it at once and is started again") {
  auto era = GENERATE("legacy", "modern");
  auto source = ready(scripted(of_era(era)));
  auto one = call(*source, "hang");
  auto two = call(*source, "die");
  CHECK(
      two.wait().output ==
      "The MCP server `server` did not finish the call: it ended with exit status 4; its last words: `a line for the log`. It "
      "may be called again.");
  CHECK_THAT(one.wait().output, Contains("did not finish the call"));
  CHECK(find(*source, "echo"));                                           // still listed
  CHECK(result(*source, "echo", R"({"text":"back"})").output == "back");  // waits for the restart
  CHECK_THAT(result(*source, "die_once").output, Contains("Whether it had its effect is unknown"));
  CHECK(wait_logged("is ready", 3));
  CHECK(one.heard->ends == 1);
}

TEST_CASE_METHOD(mcp_world, "mcp: a server that is down for long fails calls clearly after a moment") {
  options.first_backoff = 60s;
  options.longest_backoff = 60s;
  options.patience = 100ms;
  auto source = ready(scripted());
  CHECK_FALSE(result(*source, "die").ok);
  auto said = result(*source, "echo");
  CHECK_FALSE(said.ok);
  CHECK_THAT(said.output, Contains("is not running: it ended with exit status 4") && Contains("The call was not made"));
  CHECK(stop(source));
}

TEST_CASE_METHOD(mcp_world, "mcp: a server that dies at every second call serves the others") {
  auto source = ready(scripted({"--die-every", "2"}));
  for (int i = 0; i < 8; ++i) {
    auto said = result(*source, "echo", R"({"text":"a"})");
    CHECK(said.ok == (i % 2 == 0));
  }
}

TEST_CASE_METHOD(mcp_world, "mcp: a call that hangs is cancelled by whoever gives it up, and the server goes on") {
  auto source = ready(scripted(of_era(GENERATE("legacy", "modern"))));
  auto hung = call(*source, "hang");
  CHECK(result(*source, "echo", R"({"text":"a"})").output == "a");
  hung.running.reset();
  CHECK_THAT(result(*source, "cancelled").output, Catch::Matches(R"(\[\d+\])"));
  CHECK(hung.heard->ends == 0);
  CHECK(count_logged("is ready") == 1);
}

TEST_CASE_METHOD(mcp_world, "mcp: a server that reacts no more after a cancelled call is started again") {
  options.hang_limit = 200ms;
  auto source = ready(scripted());
  auto frozen = call(*source, "freeze");
  auto behind = call(*source, "hang_once");
  run([] {});  // both are on their way
  frozen.running.reset();
  auto later = call(*source, "hang");
  // `behind` began before the question whether it lives: it may be what keeps the server busy.
  behind.running.reset();
  CHECK_THAT(later.wait().output, Contains("it does not react any more"));
  CHECK(result(*source, "echo", R"({"text":"a"})").output == "a");
}

TEST_CASE_METHOD(mcp_world, "mcp: rubbish, wrong ids and repeated answers harm nobody") {
  auto source = ready(scripted(of_era(GENERATE("legacy", "modern"))));
  CHECK(result(*source, "rubbish").output == "after the rubbish");
  CHECK(result(*source, "wrong_ids").output == "right");
  auto twice = call(*source, "twice");
  CHECK(twice.wait().output == "first");
  CHECK(result(*source, "echo", R"({"text":"a"})").output == "a");
  CHECK(twice.heard->ends == 1);
  CHECK(count_logged("is ready") == 1);
}

TEST_CASE_METHOD(mcp_world, "mcp: endless lines and endless rubbish end the server, not us") {
  auto source = ready(scripted());
  CHECK_THAT(result(*source, "endless_line").output, Contains("it sent a line of more than 8388608 bytes"));
  CHECK_THAT(result(*source, "endless_rubbish").output, Contains("1000 lines that are no messages"));
  CHECK(result(*source, "echo", R"({"text":"a"})").output == "a");
  CHECK(events.wait([&] { return processes().size() <= 2; }));
}

TEST_CASE_METHOD(mcp_world, "mcp: calls run next to each other, so many as are allowed at once") {
  options.calls_at_once = 3;
  options.calls_waiting = 2;
  auto source = ready(scripted());
  std::vector<made_call> held;
  for (int i = 0; i < 2; ++i) held.push_back(call(*source, "hold"));
  CHECK(result(*source, "echo", R"({"text":"a"})").output == "a");
  held.push_back(call(*source, "hold"));
  auto fourth = call(*source, "echo", R"({"text":"4"})");
  auto fifth = call(*source, "release");
  CHECK_THAT(result(*source, "echo").output, Contains("has 2 calls waiting already"));
  held[2].running.reset();  // makes room for the fourth, which makes room for the fifth
  CHECK(fourth.wait().output == "4");
  CHECK(fifth.wait().output == "released 3");
  CHECK(held[0].wait().output == "held");
  CHECK(held[1].wait().output == "held");
}

TEST_CASE_METHOD(mcp_world, "mcp: progress comes as text") {
  auto source = ready(scripted(of_era(GENERATE("legacy", "modern"))));
  auto counting = call(*source, "count", R"({"to":3})");
  CHECK(counting.wait().output == "counted");
  CHECK(counting.heard->reports == std::vector<std::string>{"1 of 3: step 1", "2 of 3: step 2", "3 of 3: step 3"});
  counting = call(*source, "count", R"({"to":5000})");
  CHECK(counting.wait().output == "counted");
  CHECK(counting.heard->reports.size() == 1'000);
}

TEST_CASE_METHOD(mcp_world, "mcp: tools that come during a run are there") {
  auto source = ready(scripted(of_era(GENERATE("legacy", "modern"))));
  auto echo = find(*source, "echo");
  CHECK(result(*source, "add_tool", R"({"name":"new"})").ok);
  CHECK(events.wait([&] { return find(*source, "new") != nullptr; }));
  CHECK(result(*source, "new").output == "this is new");
  CHECK(find(*source, "echo") == echo);  // the others are the same as before
}

TEST_CASE_METHOD(mcp_world, "mcp: a server's question is asked, and the answer goes back, in both eras") {
  auto source = ready(scripted(of_era(GENERATE("legacy", "modern"))));
  auto asking = call(*source, "ask", R"({"times":2})");
  REQUIRE(asking.wait_question());
  CHECK(asking.heard->questions[0].text == "The MCP server `server` asks: Which color?");
  CHECK_THAT(asking.heard->questions[0].schema, Contains(R"("color":{"type":"string"})"));
  CHECK(result(*source, "echo", R"({"text":"meanwhile"})").output == "meanwhile");
  asking.running->answer({true, {{"color", "blue"}}});
  REQUIRE(asking.wait_question(2));
  SECTION("accepted") {
    asking.running->answer({true, {{"color", "red"}}});
    CHECK(asking.wait().output == R"(said {"action": "accept", "content": {"color": "red"}})");
  }
  SECTION("declined") {
    asking.running->answer({false, {}});
    CHECK(asking.wait().output == R"(said {"action": "decline"})");
  }
  SECTION("given up") {
    asking.running.reset();
    CHECK(result(*source, "echo", R"({"text":"a"})").output == "a");
    CHECK(asking.heard->ends == 0);
  }
  CHECK(count_logged("is ready") == 1);
}

TEST_CASE_METHOD(mcp_world, "mcp: a question that sends a person to a page shows where, and takes no content") {
  auto source = ready(scripted(of_era(GENERATE("legacy", "modern"))));
  auto asking = call(*source, "ask_page");
  REQUIRE(asking.wait_question());
  CHECK_THAT(asking.heard->questions[0].text,
             Contains("Sign in.") && Contains("`example.org`") && Contains("https://example.org/sign-in"));
  asking.running->answer({true, {{"secret", "x"}}});
  CHECK(asking.wait().output == R"(said {"action": "accept"})");
}

TEST_CASE_METHOD(mcp_world, "mcp: models and folders are not for servers") {
  auto era = std::string(GENERATE("legacy", "modern"));
  auto source = ready(scripted(of_era(era)));
  auto model = result(*source, "ask_model");
  auto roots = result(*source, "ask_roots");
  if (era == "legacy") {
    CHECK_THAT(model.output, Contains("-32601") && Contains("does not offer sampling/createMessage"));
    CHECK_THAT(roots.output, Contains("does not offer roots/list"));
    CHECK(result(*source, "ping_back").output == "heard {}");
  } else {
    CHECK_FALSE(model.ok);
    CHECK_THAT(model.output, Contains("`sampling/createMessage`, which this server does not offer"));
    CHECK_FALSE(roots.ok);
  }
}

TEST_CASE_METHOD(mcp_world, "mcp: a question over legacy stdio is never asked of somebody else") {
  auto source = ready(scripted());
  auto other = call(*source, "hold", "{}", session(1));
  auto asking = call(*source, "ask", "{}", session(2));
  CHECK(asking.wait().output == R"(said {"action": "cancel"})");
  CHECK(asking.heard->questions.empty());
  CHECK(other.heard->questions.empty());
  CHECK(count_logged("not clear for which call") == 1);
  // The same session's: the newest call is the one that asks.
  auto own = call(*source, "ask", "{}", session(1));
  REQUIRE(own.wait_question());
  CHECK(other.heard->questions.empty());
}

TEST_CASE_METHOD(mcp_world, "mcp: ten thousand tools in pages are taken, more are not") {
  auto source = ready(scripted({"--filler", "9000", "--page", "100"}));
  CHECK(source->tools().size() == 9'026);
  CHECK(result(*source, "filler_8999").output == "this is filler_8999");
  drop(source);
  source = ready(scripted({"--filler", "12000", "--page", "500"}));
  CHECK(source->tools().size() == 9'999);  // the one with a bad schema took a place until it was looked at
  CHECK_THAT(source->status(), Contains("10000 tools"));
  source = ready(scripted({"--filler", "100", "--page", "10", "--circle"}));
  CHECK_THAT(source->status(), Contains("goes in a circle"));
}

TEST_CASE_METHOD(mcp_world, "mcp: a server that will not leave is made to") {
  auto source = ready(scripted({"--stubborn"}));
  auto open = call(*source, "hang_once");
  SECTION("in good order") {
    CHECK(stop(source));
    CHECK(processes().empty());
    CHECK_THAT(open.wait().output, Contains("it is being stopped") && Contains("unknown"));
  }
  SECTION("at once") {
    drop(std::move(source));
    source.reset();
    CHECK(until_gone());
    CHECK_FALSE(open.wait().ok);
  }
}

TEST_CASE_METHOD(mcp_world, "mcp: after the source has gone its tools fail politely") {
  auto source = ready(scripted());
  auto echo = find(*source, "echo");
  drop(std::move(source));
  source.reset();
  CHECK(until_gone());
  CHECK_THAT(call(echo).wait().output, Contains("has been stopped"));
}

TEST_CASE("mcp: a configuration that cannot be is refused with a reason") {
  mcp_world w;
  auto refused = [&](const core::tool_config& c) {
    auto made = tools::make_mcp_source(c, {&w.io, {TROUPE_TEST_GUARD}, false}, *w.loop, w.options);
    REQUIRE_FALSE(made.has_value());
    CHECK(made.error().code == core::errc::configuration_error);
    return made.error().text;
  };
  auto with = w.config({});
  CHECK_THAT(refused(with), Contains("either `command` or `url`"));
  with.command = {"true"};
  with.url = "http://127.0.0.1:1/";
  CHECK_THAT(refused(with), Contains("either `command` or `url`"));
  with.command.clear();
  with.url = "ftp://x";
  CHECK_THAT(refused(with), Contains("http://"));
  with.url = "http://127.0.0.1:1/";
  with.headers["X-A"] = "a\r\nB: c";
  CHECK_THAT(refused(with), Contains("`X-A`"));
  with.headers.clear();
  with.name = "a.b";
  CHECK_THAT(refused(with), Contains("dot"));
}

namespace {

/// Kills the server's program so many times, each time when it is ready.
void kill_often(mcp_world& w, std::size_t times) {
  w.options.first_backoff = 1ms;
  w.options.longest_backoff = 1ms;
  auto starts = w.folder / "starts";
  std::shared_ptr<tools::mcp_source> source;
  source = w.ready(w.scripted({"--starts", starts.string()}));
  auto before = open_descriptors();
  for (std::size_t i = 1; i <= times; ++i) {
    REQUIRE(w.wait_logged("is ready", i));
    auto hung = w.call(*source, "hang_once");
    auto lines = content_of(starts);
    lines.pop_back();
    auto pid = static_cast<pid_t>(std::stol(lines.substr(lines.rfind('\n') + 1)));
    REQUIRE(::kill(pid, SIGKILL) == 0);
    REQUIRE_FALSE(hung.wait().ok);
    REQUIRE(hung.heard->result->output != "NOTHING CAME");
  }
  REQUIRE(w.wait_logged("is ready", times + 1));
  CHECK(w.result(*source, "echo", R"({"text":"alive"})").output == "alive");
  CHECK(source->status().starts_with("ready"));
  CHECK(w.events.wait([&] { return w.processes().size() <= 2; }));
  CHECK(w.events.wait([&] { return open_descriptors() <= before + 1; }));
  CHECK(w.stop(source));
  CHECK(w.until_gone());
}

}  // namespace

TEST_CASE_METHOD(mcp_world, "mcp: a server that is killed fifty times leaks nothing and is healthy") { kill_often(*this, 50); }

TEST_CASE_METHOD(mcp_world, "mcp: a server that is killed a thousand times leaks nothing and is healthy", "[.][thousand]") {
  kill_often(*this, 1'000);
}
