#include "app/command_line.hpp"

#include "app/check.hpp"
#include "app/replay.hpp"
#include "app/serve.hpp"

#include <CLI/CLI.hpp>

namespace troupe::app {

int run_command_line(int argc, char** argv) {
  CLI::App cli("Troupe: an actor-based runtime for AI agents", "troupe");
  cli.set_version_flag("--version", TROUPE_VERSION);
  cli.require_subcommand(1);

  serve_options serving;
  auto* serve_command = cli.add_subcommand("serve", "Start the server; without --config, with the built-in demo");
  serve_command->add_option("--config", serving.config_file, "Configuration file (JSON)")->type_name("FILE");
  serve_command->add_option("--listen", serving.listen, "Address; may repeat; port 0 picks one")->type_name("HOST:PORT");
  serve_command->add_option("--data", serving.data, "Folder of the database and the workspaces")->type_name("DIR");
  serve_command->add_option("--agent", serving.agent, "Default agent of the default project")->type_name("ID");
  serve_command->add_option("--log-level", serving.log_level, "debug, info, warn or error")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}));
  serve_command->add_flag("--check-config", serving.check_config, "Read the configuration, say whether it is valid, and end");
  serve_command->add_flag("--insecure-no-auth", serving.insecure_no_auth, "Allow a public address without authentication");

  check_options checking;
  auto* check_command = cli.add_subcommand("check", "Verify a data folder without changing it");
  check_command->add_option("--data", checking.data, "Folder of the database")->type_name("DIR")->capture_default_str();
  check_command->add_flag("--json", checking.json, "Machine-readable report");

  replay_options replaying;
  auto* replay_command = cli.add_subcommand("replay", "Run scenarios in virtual time, without network");
  replay_command->add_option("paths", replaying.paths, "Scenario files, or folders of them")->required()->type_name("PATH…");
  replay_command->add_flag("--restart-every-step", replaying.restart_every_step, "Stop and start everything after every step");
  replay_command->add_option("--junit", replaying.junit, "Write a JUnit report, one test case per scenario")->type_name("FILE");

  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return cli.exit(e) == 0 ? 0 : 2;
  }
  if (serve_command->parsed()) return serve(serving);
  if (check_command->parsed()) return check(checking);
  return replay(replaying);
}

}  // namespace troupe::app
