#include "app/command_line.hpp"

#include "app/check.hpp"
#include "app/cli/client_commands.hpp"
#include "app/cli/help.hpp"
#include "app/cli/outcome.hpp"
#include "app/cli/terminal.hpp"
#include "app/json_fields.hpp"
#include "app/mock_model.hpp"
#include "app/record.hpp"
#include "app/replay.hpp"
#include "app/serve.hpp"
#include "app/version.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <iterator>
#include <optional>

namespace troupe::app {

namespace {

/// The command that was given, as far as it was understood, and its words as they are typed.
const CLI::App& innermost(const CLI::App& cli, std::string& path) {
  path += (path.empty() ? "" : " ") + cli.get_name();
  for (const auto* command : cli.get_subcommands())
    if (!command->get_name().empty()) return innermost(*command, path);
  return cli;
}

/// What is wrong, the nearest thing that there is, and where to read on.
std::vector<std::string> hints(const CLI::App* cli, const CLI::Error& e) {
  std::string path;
  const auto& command = innermost(*cli, path);
  auto wrong = command.remaining(true);
  if (wrong.empty()) wrong = cli->remaining(true);
  std::string says = e.what();
  if (says == "A subcommand is required")
    says = wrong.empty() ? "which command?" : "there is no command `" + wrong.front() + "`";
  std::vector<std::string> out{says};
  if (!wrong.empty()) {
    auto entry = tree_of(command);
    std::vector<std::string_view> known;
    auto word = wrong.front().substr(0, wrong.front().find('='));
    bool is_option = word.starts_with('-');
    for (const auto& sub : entry.commands)
      if (!is_option) known.push_back(sub.name);
    for (const auto& option : entry.options)
      if (is_option && !option.is_positional) known.insert(known.end(), option.names.begin(), option.names.end());
    // Who types the beginning of a word means that word, however long it is.
    std::vector<std::string_view> begun;
    std::copy_if(known.begin(), known.end(), std::back_inserter(begun), [&](auto name) { return name.starts_with(word); });
    if (auto near = nearest(word, begun.empty() ? known : begun); !near.empty())
      out.push_back("the nearest there is: " + std::string(near));
  }
  out.push_back("try: " + path + " --help");
  return out;
}

std::string hint(const CLI::App* cli, const CLI::Error& e) {
  std::string out = "troupe: ";
  for (const auto& line : hints(cli, e)) out += line + "\n";
  return out;
}

/// 2; `--json` may not have been understood any more.
int refuse_usage(const CLI::App& cli, const CLI::ParseError& e, int argc, char** argv) {
  if (std::none_of(argv, argv + argc, [](const char* word) { return std::string_view(word) == "--json"; })) {
    (void)cli.exit(e);
    return 2;
  }
  std::string text;
  for (const auto& line : hints(&cli, e)) text += (text.empty() ? "" : "; ") + line;
  return wrong_usage({core::errc::validation_error, text}, true);
}

/// Everything it understands, and where its options go.
struct command_line {
  CLI::App cli{"Troupe: an actor-based runtime for AI agents", "troupe"};
  serve_options serving;
  check_options checking;
  replay_options replaying;
  record_options recording;
  mock_model_options mocking;
  CLI::App* serve_command = nullptr;
  CLI::App* check_command = nullptr;
  CLI::App* replay_command = nullptr;
  CLI::App* record_command = nullptr;
  CLI::App* mock_command = nullptr;
  std::optional<client_commands> clients;

  command_line();
  void add_serving();
  void add_checking();
  void add_scenarios();
};

command_line::command_line() {
  // Commands take it over from the one they are added to.
  cli.formatter(std::make_shared<help_formatter>());
  cli.set_version_flag("--version", version_text());
  cli.require_subcommand(1);
  cli.footer(
      "Begin with:\n"
      "  troupe serve                   the demo, on http://127.0.0.1:8080\n"
      "  troupe chat                    talks with it, in another terminal\n"
      "  troupe chat --help             examples; every command has some\n"
      "Exit status: 0 success, 1 a failure or a finding, 2 wrong usage.");
  cli.failure_message(hint);
  add_serving();
  clients.emplace(cli);
  add_checking();
  add_scenarios();
}

void command_line::add_serving() {
  serve_command = cli.add_subcommand("serve", "Start the server; without --config, with the built-in demo");
  serve_command->add_option("--config", serving.config_file, "Configuration file (JSON)")->type_name("FILE");
  serve_command->add_option("--listen", serving.listen, "Address; may repeat; port 0 picks one")->type_name("HOST:PORT");
  serve_command->add_option("--data", serving.data, "Folder of the database and the workspaces")->type_name("DIR");
  serve_command->add_option("--agent", serving.agent, "Default agent of the default project")->type_name("ID");
  serve_command->add_option("--log-level", serving.log_level, "debug, info, warn or error")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}));
  serve_command->add_option("--record", serving.record, "Write every conversation as a scenario into this folder")
      ->type_name("DIR");
  serve_command->add_option("--scenarios", serving.scenarios, "Let admins play the scenarios of this folder from the console")
      ->type_name("DIR");
  auto* check_config = serve_command->add_flag("--check-config", serving.check_config,
                                               "Read the configuration, say whether it is valid, and end");
  serve_command->add_flag("--json", serving.json, "Print JSON")->needs(check_config);
  serve_command->add_flag("--insecure-no-auth", serving.insecure_no_auth, "Allow a public address without authentication");

  serve_command->footer(
      "Examples:\n"
      "  troupe serve                                              the demo, data in ./troupe-data\n"
      "  troupe serve --config troupe.json --data /var/lib/troupe  your agents\n"
      "  troupe serve --config troupe.json --check-config          is the file valid?\n"
      "  troupe serve --listen 127.0.0.1:0                         a free port; stdout says which");
  serve_command->group("Serve");
}

void command_line::add_checking() {
  check_command = cli.add_subcommand("check", "Verify a data folder without changing it");
  check_command->add_option("--data", checking.data, "Folder of the database")->type_name("DIR")->capture_default_str();
  check_command->add_flag("--json", checking.json, "Machine-readable report");
  check_command->footer(
      "Examples:\n"
      "  troupe check --data troupe-data\n"
      "  troupe check --data backup --json");
  check_command->group("Look after it");
}

void command_line::add_scenarios() {
  replay_command = cli.add_subcommand("replay", "Run scenarios in virtual time, without network");
  replay_command->add_option("paths", replaying.paths, "Scenario files, or folders of them")->type_name("PATH…");
  replay_command->add_option("--files-from", replaying.files_from, "More paths, one on each line of this file; - is stdin")
      ->type_name("FILE");
  replay_command->add_flag("--list", replaying.list, "Say what the scenarios are instead of playing them");
  replay_command->add_flag("--restart-every-step", replaying.restart_every_step, "Stop and start everything after every step");
  replay_command->add_option("--junit", replaying.junit, "Write a JUnit report, one test case per scenario")->type_name("FILE");

  replay_command->add_option("--crash-at", replaying.crash_at, "Crash at a boundary of the journal, or at every one in turn")
      ->type_name("N|every");
  replay_command->add_option("--speed", replaying.speed, "Times real time; without it, as fast as it goes")->type_name("N");
  replay_command->add_option("--filter", replaying.filters, "Only files whose path fits; may repeat")
      ->type_name("GLOB")
      ->allow_extra_args(false);
  replay_command->add_option("--tag", replaying.tags, "Only scenarios with this tag; may repeat")
      ->type_name("WORD")
      ->allow_extra_args(false);
  replay_command->add_flag("--update", replaying.update, "Write what came into the files, where it differs");
  replay_command->add_flag("--json", replaying.json, "A line of JSON per scenario, with the hash of its events");
  replay_command->add_flag("--no-progress", replaying.no_progress, "No progress bar on a terminal");
  replay_command->add_option("--url", replaying.url, "Play against a running server, in real time")->type_name("URL");
  replay_command->add_option("--token", replaying.token, "Credentials for --url")->envname("TROUPE_TOKEN");
  replay_command->add_option("--project", replaying.project, "Project for --url; the server's first by default")
      ->type_name("ID");
  replay_command->add_option("--agent", replaying.agent, "Agent for --url; the project's default by default")->type_name("ID");

  record_command = cli.add_subcommand("record", "Make a scenario of a stored session");
  record_command->add_option("--session", recording.session, "Its UUID")->required()->type_name("ID");
  record_command->add_option("--out", recording.out, "The file to write")->required()->type_name("FILE");
  auto* record_data = record_command->add_option("--data", recording.data, "Folder of the database");
  record_data->type_name("DIR")->capture_default_str();
  auto* record_url = record_command->add_option("--url", recording.url, "Ask a running server instead, through its REST API");
  record_url->type_name("URL")->excludes(record_data);
  record_command->add_option("--token", recording.token, "Credentials for --url")->envname("TROUPE_TOKEN");
  record_command
      ->add_option("--ca-file", recording.ca_file,
                   "Trust the authorities in this file (PEM) for https, not those of the system")
      ->type_name("FILE")
      ->envname("TROUPE_CA_FILE")
      ->check(CLI::ExistingFile);
  record_command->add_option("--config", recording.config_file, "What its agent was set up with; without it, the demo")
      ->type_name("FILE")
      ->excludes(record_url);
  record_command->add_flag("--json", recording.json, "Print JSON");

  mock_command = cli.add_subcommand("mock-model", "Serve a scenario's model as an OpenAI- and Anthropic-compatible API");
  mock_command->add_option("--scenario", mocking.scenario, "A scenario, or a script")->required()->type_name("FILE");
  mock_command->add_option("--listen", mocking.listen, "Address; port 0 picks one")
      ->type_name("HOST:PORT")
      ->capture_default_str();
  mock_command
      ->add_option("--fault", mocking.faults,
                   "latency:MS, stall:BYTES, cut:BYTES, garbage:BYTES, status:CODE or retry_after:SECONDS, with :TIMES for the "
                   "first requests only; may repeat")
      ->type_name("FAULT");
  mock_command->add_option("--latency-ms", mocking.latency_ms, "Wait before every answer")->type_name("N");
  mock_command->add_option("--stall-after", mocking.stall_after, "Fall silent after this many bytes")->type_name("N");
  mock_command->add_option("--retry-after", mocking.retry_after, "Seconds that a 429 tells clients to wait; 1 by default")
      ->type_name("N");
  mock_command->add_flag("--insecure-no-auth", mocking.insecure_no_auth, "Allow a public address; no key is checked");
  replay_command->footer(
      "Examples:\n"
      "  troupe replay scenarios                     every scenario in the folder\n"
      "  troupe replay demo.json --crash-at every    crashes everywhere, one after the other\n"
      "  troupe replay scenarios --list --tag tools  what there is\n"
      "  troupe replay recordings --url http://127.0.0.1:8080");
  record_command->footer(
      "Examples:\n"
      "  troupe record --session ID --out ticket.json\n"
      "  troupe record --session ID --out ticket.json --url http://127.0.0.1:8080   as the server writes it");
  mock_command->footer(
      "Examples:\n"
      "  troupe mock-model --scenario demo.json\n"
      "  troupe mock-model --scenario demo.json --fault cut:200:1   the first answer breaks off");
  for (auto* command : {replay_command, record_command, mock_command}) command->group("Scenarios");
}

}  // namespace

command_entry command_tree() {
  command_line line;
  return tree_of(line.cli);
}

int run_command_line(int argc, char** argv) {
  hold_standard_streams();
  command_line line;
  try {
    line.cli.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return after_output(line.cli.exit(e));  // --help, --version
    return refuse_usage(line.cli, e, argc, argv);
  }
  // Servers print where they listen, and go on where nobody reads it.
  if (line.serve_command->parsed()) return serve(line.serving);
  if (line.mock_command->parsed()) return mock_model(line.mocking);
  if (auto status = line.clients->run()) return after_output(*status);
  if (line.check_command->parsed()) return after_output(check(line.checking));
  if (line.record_command->parsed()) return after_output(record(line.recording));
  return after_output(replay(line.replaying));
}

}  // namespace troupe::app
