#include "tools_call_test.hpp"

#include "tools/command.hpp"
#include "tools/process/live_output.hpp"

#include <atomic>
#include <thread>

using namespace process_test;
namespace json = boost::json;

namespace {

core::tool_config config_of(const world& w) {
  core::tool_config config;
  config.name = "run";
  config.kind = "command";
  config.programs = {"sh", "printf", "env", "pwd", "cat", "yes", "sleep", "no-such-program", "/usr/bin/head", "/no/such/file"};
  config.sandbox = false;
  config.environment = {{"TROUPE_TEST_MARK", w.folder.filename().string()}};
  return config;
}

std::unique_ptr<tools::tool> made(const world& w, const core::tool_config& config) {
  auto tool = tools::make_command(config, w.host);
  REQUIRE(tool.has_value());
  REQUIRE((*tool)->prepare().has_value());
  return std::move(*tool);
}

json::object shell(std::string_view script) { return {{"program", "sh"}, {"arguments", json::array{"-c", script}}}; }

}  // namespace

TEST_CASE("command: its result is the exit status and what was written, in order") {
  world w;
  auto tool = made(w, config_of(w));
  call good(w, *tool, shell("echo 1; echo 2 >&2; echo 3"));
  CHECK(good.result().ok);
  CHECK(good.result().output == "Exit status 0.\n\n1\n2\n3\n");
  CHECK(good.listener->shown == "1\n2\n3\n");
  call bad(w, *tool, shell("echo no; exit 3"));
  CHECK_FALSE(bad.result().ok);
  CHECK(bad.result().output == "Exit status 3.\n\nno\n");
  call silent(w, *tool, shell("exit 0"));
  CHECK(silent.result().output == "Exit status 0.");
  call killed(w, *tool, shell("kill -TERM $$"));
  CHECK_FALSE(killed.result().ok);
  CHECK(killed.result().output == "Ended by signal 15 (SIGTERM).");
}

TEST_CASE("command: arguments are data") {
  world w;
  auto tool = made(w, config_of(w));
  call p(w, *tool, {{"program", "printf"}, {"arguments", json::array{"<%s>", "$(id)", "a b", "'\"", "x\ny", "| cat > f"}}});
  CHECK(p.result().output == "Exit status 0.\n\n<$(id)><a b><'\"><x\ny><| cat > f>");
  CHECK(fs::is_empty(w.folder / "space"));
  call input(w, *tool, {{"program", "cat"}, {"input", "from the model\n"}});
  CHECK(input.result().output == "Exit status 0.\n\nfrom the model\n");
  call nul(w, *tool, {{"program", "printf"}, {"arguments", json::array{"%s", json::string(std::string("a\0b", 3))}}});
  CHECK_FALSE(nul.result().ok);
  CHECK(nul.result().output == "Not run: argument 2 holds a NUL character.");
  call large(w, *tool, {{"program", "printf"}, {"arguments", json::array{std::string(200'000, 'x')}}});
  CHECK(large.result().output.find("more than 131071 bytes") != std::string::npos);
}

TEST_CASE("command: it runs in the session's workspace, with an environment of its own") {
  world w;
  REQUIRE(::setenv("TROUPE_TEST_SECRET", "hidden", 1) == 0);
  auto config = config_of(w);
  config.environment["TOKEN"] = "configured";
  auto tool = made(w, config);
  call where(w, *tool, {{"program", "pwd"}});
  CHECK(where.result().output == "Exit status 0.\n\n" + (w.folder / "space").string() + "\n");
  call environment(w, *tool, {{"program", "env"}});
  CHECK(environment.result().output ==
        "Exit status 0.\n\nHOME=" + (w.folder / "space").string() +
            "\nLANG=C.UTF-8\nPATH=/usr/local/bin:/usr/bin:/bin\nTMPDIR=/tmp\nTOKEN=configured\n" + w.mark + "\n");
  ::unsetenv("TROUPE_TEST_SECRET");
}

TEST_CASE("command: only what is on the list is run, and never from the workspace") {
  world w;
  auto config = config_of(w);
  config.environment["PATH"] = (w.folder / "space").string();
  auto tool = made(w, config);
  CHECK_FALSE(tool->check(R"({"program":"ls"})").has_value());
  CHECK_FALSE(tool->check(R"({"program":"/bin/sh"})").has_value());
  CHECK_FALSE(tool->check(R"({"program":"sh","arguments":"-c"})").has_value());
  CHECK_FALSE(tool->check(R"({"program":"sh","shell":true})").has_value());
  CHECK_FALSE(tool->check("{}").has_value());
  CHECK(tool->check(R"({"program":"/usr/bin/head"})").has_value());

  fs::create_directories(w.folder / "space");
  for (auto* name : {"pwd", "no-such-program"}) {
    std::ofstream(w.folder / "space" / name) << "#!/bin/sh\necho fooled\n";
    fs::permissions(w.folder / "space" / name, fs::perms::owner_all);
  }
  call shadowed(w, *tool, {{"program", "pwd"}});
  CHECK(shadowed.result().output == "Exit status 0.\n\n" + (w.folder / "space").string() + "\n");
  call missing(w, *tool, {{"program", "no-such-program"}});
  CHECK_FALSE(missing.result().ok);
  CHECK(missing.result().output ==
        "Not run: there is no program `no-such-program` in /usr/local/bin:/usr/bin:/bin on this server.");
  call absent(w, *tool, {{"program", "/no/such/file"}});
  CHECK(absent.result().output == "Not run: `/no/such/file` is not there on this server, or may not be run.");
}

TEST_CASE("command: output comes while it runs") {
  world w;
  auto tool = made(w, config_of(w));
  call p(w, *tool, shell("echo one; until [ -e go ]; do sleep 0.01; done; echo two"));
  REQUIRE(p.shows("one\n"));
  CHECK_FALSE(p.listener->result);
  std::ofstream(w.folder / "space" / "go") << "";
  CHECK(p.result().ok);
  CHECK(p.listener->shown == "one\ntwo\n");

  auto began = std::chrono::steady_clock::now();
  call chatty(w, *tool, shell("i=0; while [ $i -lt 3000 ]; do echo $i; i=$((i+1)); done"));
  CHECK(chatty.result().ok);
  // At once, then not more often than every 50 ms, then the rest.
  CHECK(chatty.listener->pieces <= 2 + (std::chrono::steady_clock::now() - began) / 50ms);
  CHECK("Exit status 0.\n\n" + chatty.listener->shown == chatty.result().output);
}

TEST_CASE("command: bytes become text, whatever they are and however they are cut") {
  world w;
  auto tool = made(w, config_of(w));
  call split(w, *tool, shell("printf '\\303'; sleep 0.1; printf '\\261 \\360\\237'; sleep 0.1; printf '\\230\\200'"));
  CHECK(split.result().output == "Exit status 0.\n\nñ 😀");
  CHECK(split.listener->shown == "ñ 😀");
  call cut(w, *tool, shell("printf 'a\\342\\202'"));
  CHECK(cut.result().output == "Exit status 0.\n\na�");
  CHECK(cut.listener->shown == "a�");
  call binary(w, *tool, {{"program", "/usr/bin/head"}, {"arguments", json::array{"-c", "100000", "/dev/urandom"}}});
  CHECK(binary.result().ok);
  CHECK(binary.result().output.size() > 100'000);
}

TEST_CASE("text_decoder: any cut of any bytes gives the same plain text") {
  std::string bytes = "ascii \xC3\xB1 \xE2\x82\xAC \xF0\x9F\x98\x80 \xC0\xAF \xED\xA0\x80 \xF4\x90\x80\x80 \xE2\x82 \xFF";
  bytes += std::string("\0", 1) + "\xF0\x9F\x98";
  tools::text_decoder whole;
  auto expected = whole.add(bytes);
  expected += whole.finish();
  CHECK(tools::is_plain_text(expected));
  CHECK(expected == "ascii ñ € 😀 �� ��� ���� � ���");
  for (std::size_t i = 0; i <= bytes.size(); ++i)
    for (std::size_t j = i; j <= bytes.size(); ++j) {
      tools::text_decoder parts;
      auto text = parts.add(std::string_view(bytes).substr(0, i));
      text += parts.add(std::string_view(bytes).substr(i, j - i));
      text += parts.add(std::string_view(bytes).substr(j));
      text += parts.finish();
      if (text != expected) FAIL("cut at " << i << " and " << j << ": " << text);
    }
}

TEST_CASE("command: endless output is ended and says so") {
  world w;
  auto config = config_of(w);
  config.output_bytes = 100'000;
  auto tool = made(w, config);
  call p(w, *tool, {{"program", "yes"}});
  CHECK_FALSE(p.result().ok);
  CHECK(p.result().output.find(
            "Ended: it wrote more than 100000 bytes of output (`output_bytes`). This is how it began:\n\ny\ny\n") == 0);
  CHECK(p.result().output.size() < 100'200);
  CHECK(p.listener->shown.size() == 100'000);
  CHECK(marked(w.mark).empty());
}

TEST_CASE("command: giving the call up ends all it runs, and nothing more is heard") {
  world w;
  auto tool = made(w, config_of(w));
  call p(w, *tool, shell("trap '' TERM; (setsid sleep 1000 &); echo ready; while :; do echo more; sleep 0.01; done"));
  REQUIRE(p.shows("ready"));
  p.running.reset();
  auto shown = p.listener->shown;
  CHECK(w.until_gone());
  CHECK(w.until([] { return !has_children(); }));
  CHECK(p.listener->shown == shown);
  CHECK_FALSE(p.listener->result);

  call early(w, *tool, shell("echo never"));
  early.running.reset();
  w.io.poll();
  CHECK(early.listener->shown.empty());
  CHECK_FALSE(early.listener->result);
  CHECK_FALSE(has_children());
}

TEST_CASE("command: calls are started and given up on any thread") {
  world w;
  auto tool = made(w, config_of(w));
  struct counting : tools::call_listener {
    void progress(std::string) override { ++told; }
    void ask(tools::question) override {}
    void done(tools::tool_result) override { ++ended; }
    std::atomic<int> told = 0, ended = 0;
  };
  auto listener = std::make_shared<counting>();
  std::thread tools_thread([&] { w.io.run(); });
  tools::tool_context context;
  context.workspace = w.folder / "space";
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 2; ++caller)
    callers.emplace_back([&, caller] {
      auto arguments = shell(caller ? "echo a; echo b" : "echo a; sleep 1000");
      for (int i = 0; i < 50; ++i) {
        auto before = listener->told.load();
        auto running = tool->start(context, arguments, listener);
        while (i % 3 && listener->told == before) std::this_thread::yield();
      }
    });
  for (auto& c : callers) c.join();
  w.work.reset();
  tools_thread.join();  // every guard has been waited for
  CHECK(marked(w.mark).empty());
  CHECK_FALSE(has_children());
  CHECK(listener->ended <= 50);
  w.io.restart();
}

TEST_CASE("command: a limit that ends a program is named") {
  world w;
  auto config = config_of(w);
  config.cpu_limit = 500ms;
  config.processes = 10;
  auto tool = made(w, config);
  call busy(w, *tool, shell("kill -XCPU $$"));
  CHECK(busy.result().output == "Ended by signal 24 (SIGXCPU): it used more than 1 s of processor time (`cpu_limit_ms`).");
  call bomb(w, *tool, shell("i=0; while [ $i -lt 100 ]; do (sleep 1000 &); i=$((i+1)); done; sleep 1000"));
  CHECK_FALSE(bomb.result().ok);
  CHECK(bomb.result().output.find("Failed: `/usr/bin/sh` was ended: it had more than 10 processes at once (`processes`).") ==
        0);
  CHECK(marked(w.mark).empty());
}

TEST_CASE("command: a sandbox is used, or missed with a remedy") {
  world w;
  auto config = config_of(w);
  config.sandbox = true;
  w.host.has_sandbox = false;
  auto boxless = made(w, config);
  call refused(w, *boxless, {{"program", "pwd"}});
  CHECK_FALSE(refused.result().ok);
  CHECK(refused.result().output.find("bubblewrap") != std::string::npos);
  CHECK(refused.result().output.find("`sandbox` to false") != std::string::npos);

  if (!has_sandbox()) return;
  w.host.has_sandbox = true;
  auto tool = made(w, config);
  call p(w, *tool, shell("pwd; echo $HOME; echo kept > file; touch /usr/x 2>/dev/null || echo refused"));
  CHECK(p.result().output == "Exit status 0.\n\n/workspace\n/workspace\nrefused\n");
  CHECK(content_of(w.folder / "space" / "file") == "kept\n");
}

TEST_CASE("command: what it is told about itself, and its defaults") {
  world w;
  auto config = config_of(w);
  auto tool = made(w, config);
  CHECK(tool->spec().mode == tools::tool_mode::streaming);
  CHECK(tool->spec().effect == core::effect::once);
  CHECK(tool->spec().approval == core::approval_policy::always);
  CHECK(tool->spec().risk == "high");
  CHECK(tool->spec().time_limit == 30s);
  CHECK(tool->spec().description.find("printf") != std::string::npos);
  config.effect = core::effect::read_only;
  config.approval = core::approval_policy::never;
  config.risk = "low";
  config.time_limit = 5s;
  config.description = "Own words.";
  auto other = made(w, config);
  CHECK(other->spec().effect == core::effect::read_only);
  CHECK(other->spec().approval == core::approval_policy::never);
  CHECK(other->spec().risk == "low");
  CHECK(other->spec().time_limit == 5s);
  CHECK(other->spec().description == "Own words.");

  for (const std::vector<std::string>& programs :
       std::vector<std::vector<std::string>>{{}, {""}, {"bin/sh"}, {"./sh"}, {"sh", "../sh"}}) {
    config.programs = programs;
    auto refused = tools::make_command(config, w.host);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == core::errc::configuration_error);
    CHECK(refused.error().text.find("`run`") != std::string::npos);
  }
}
