#include "tools_call_test.hpp"

#include "tools/program.hpp"

using namespace process_test;
namespace json = boost::json;

namespace {

constexpr auto parameters = R"({"type":"object","properties":{"city":{"type":"string"}},"required":["city"]})";

core::tool_config config_of(const world& w, std::string script) {
  core::tool_config config;
  config.name = "weather";
  config.kind = "program";
  config.description = "The weather.";
  config.parameters = parameters;
  config.command = {"sh", "-c", std::move(script)};
  config.sandbox = false;
  config.environment = {{"TROUPE_TEST_MARK", w.folder.filename().string()}};
  return config;
}

std::unique_ptr<tools::tool> made_program(const world& w, const core::tool_config& config) {
  auto tool = tools::make_program(config, w.host);
  REQUIRE(tool.has_value());
  REQUIRE((*tool)->prepare().has_value());
  return std::move(*tool);
}

tools::tool_result result_of(world& w, const core::tool_config& config) {
  auto tool = made_program(w, config);
  call c(w, *tool, {{"city", "Lima"}});
  return c.result();
}
tools::tool_result result_of(world& w, std::string script) { return result_of(w, config_of(w, std::move(script))); }

}  // namespace

TEST_CASE("program: the arguments come on stdin as one object, what it writes is the result") {
  world w;
  auto echo = result_of(w, "cat");
  CHECK(echo.ok);
  CHECK(echo.output == R"({"city":"Lima"})");
  CHECK(result_of(w, "echo '{\"sky\": \"blue\"}'").output == R"({"sky": "blue"})");
  CHECK(result_of(w, "printf '%s\\n' '\"two\\nlines\"'").output == "two\nlines");
  CHECK(result_of(w, "echo 'plain words'").output == "plain words");
  CHECK(result_of(w, "echo '\"half'").output == "\"half");
  auto nothing = result_of(w, "true");
  CHECK(nothing.ok);
  CHECK(nothing.output.empty());
}

TEST_CASE("program: any other end is a failed result with the last of stderr") {
  world w;
  auto failed = result_of(w, "echo out; echo 'no such city' >&2; exit 3");
  CHECK_FALSE(failed.ok);
  CHECK(failed.output == "Exit status 3. It said:\nno such city");
  auto killed = result_of(w, "kill -KILL $$");
  CHECK_FALSE(killed.ok);
  CHECK(killed.output.find("Ended by signal 9 (SIGKILL)") == 0);
  auto wordy = result_of(w, "i=0; while [ $i -lt 3000 ]; do echo \"ñ line $i\" >&2; i=$((i+1)); done; exit 1");
  CHECK_FALSE(wordy.ok);
  CHECK(wordy.output.find("Exit status 1. It said:\n…") == 0);
  CHECK(wordy.output.ends_with("ñ line 2999"));
  CHECK(wordy.output.size() < 5'000);
  auto binary = result_of(w, "printf '\\377\\376'");
  CHECK_FALSE(binary.ok);
  CHECK(binary.output == "Failed: its output is not UTF-8 text without NUL.");
  auto hidden = result_of(w, "printf '%s' '\"a\\u0000b\"'");
  CHECK_FALSE(hidden.ok);

  auto missing = config_of(w, "");
  missing.command = {"no-such-program"};
  CHECK(result_of(w, missing).output == "Failed: there is no program `no-such-program` in /usr/local/bin:/usr/bin:/bin.");
}

TEST_CASE("program: too much output is a failed result, and it is ended") {
  world w;
  auto config = config_of(w, "yes");
  config.output_bytes = 10'000;
  auto endless = result_of(w, config);
  CHECK_FALSE(endless.ok);
  CHECK(endless.output == "Ended: it wrote more than 10000 bytes of output (`output_bytes`).");
  CHECK(marked(w.mark).empty());
  config.command.back() = "head -c 10000 /dev/zero | tr '\\0' x";
  CHECK(result_of(w, config).output.size() == 10'000);
}

TEST_CASE("program: its stderr is progress, within bounds") {
  world w;
  auto tool = made_program(w, config_of(w, "echo working >&2; until [ -e go ]; do sleep 0.01; done; echo done"));
  call p(w, *tool, {{"city", "Lima"}});
  REQUIRE(p.shows("working\n"));
  CHECK_FALSE(p.listener->result);
  std::ofstream(w.folder / "space" / "go") << "";
  CHECK(p.result().output == "done");

  auto config = config_of(w, "head -c 50000 /dev/zero | tr '\\0' x >&2; echo still fine");
  config.output_bytes = 10'000;
  auto loud = made_program(w, config);
  call l(w, *loud, {{"city", "Lima"}});
  CHECK(l.result().ok);
  CHECK(l.result().output == "still fine");
  CHECK(l.listener->shown.size() == 10'000);
}

TEST_CASE("program: it knows for which call it works") {
  world w;
  auto config = config_of(w, "cat > /dev/null; env | sort");
  config.environment["TROUPE_CALL_ID"] = "mine";
  config.environment["TOKEN"] = "configured";
  CHECK(result_of(w, config).output ==
        "HOME=" + (w.folder / "space").string() +
            "\nLANG=C.UTF-8\nPATH=/usr/local/bin:/usr/bin:/bin\nPWD=" + (w.folder / "space").string() +
            "\nTMPDIR=/tmp\nTOKEN=configured\nTROUPE_CALL_ID=call_1\nTROUPE_IDEMPOTENCY_KEY=key-1\n"
            "TROUPE_SESSION_ID=" +
            core::session_id{{1, 2}}.str() + "\n" + w.mark);
}

TEST_CASE("program: a script that the configuration names is seen in the sandbox, its neighbours are not") {
  if (!has_sandbox()) return;
  world w, tools_folder;
  std::ofstream(tools_folder.folder / "tool.py")
      << "import json, os, sys\na = json.load(sys.stdin)\nopen('left', 'w').write(a['city'])\n"
         "print(json.dumps({'cwd': os.getcwd(), 'beside': os.listdir(os.path.dirname(__file__))}))\n";
  std::ofstream(tools_folder.folder / "secret") << "secret";
  auto config = config_of(w, "");
  config.command = {"/usr/bin/python3", (tools_folder.folder / "tool.py").string()};
  config.sandbox = true;
  auto r = result_of(w, config);
  CHECK(r.output == R"({"cwd": "/workspace", "beside": ["tool.py"]})");
  CHECK(content_of(w.folder / "space" / "left") == "Lima");
  w.host.has_sandbox = false;
  CHECK(result_of(w, config).output.find("bubblewrap") != std::string::npos);
}

TEST_CASE("program: what it is told about itself, and its defaults") {
  world w;
  auto config = config_of(w, "true");
  auto tool = made_program(w, config);
  CHECK(tool->spec().mode == tools::tool_mode::streaming);
  CHECK(tool->spec().effect == core::effect::once);
  CHECK(tool->spec().approval == core::approval_policy::by_effect);
  CHECK(tool->spec().risk == "medium");
  CHECK_FALSE(tool->check("{}").has_value());
  config.parameters.clear();
  CHECK(made_program(w, config)->check("{}").has_value());
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{{}, {""}, {"./tool"}, {"bin/tool"}}) {
    config.command = command;
    auto refused = tools::make_program(config, w.host);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == core::errc::configuration_error);
  }
}
