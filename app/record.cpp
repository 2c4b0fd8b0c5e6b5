#include "app/record.hpp"

#include "app/configuration.hpp"
#include "app/demo.hpp"
#include "app/record/remote_log.hpp"
#include "app/record/session_record.hpp"
#include "app/scenario/rest_client.hpp"
#include "app/scenario/runner.hpp"
#include "app/stored_agents.hpp"
#include "providers/provider_factory.hpp"

#include <cstdio>

namespace troupe::app {

namespace {

int fail(const std::string& text, int status) {
  std::fprintf(stderr, "troupe record: %s\n", text.c_str());
  return status;
}

core::result<recording_source> from_folder(const record_options& options, core::session_id session,
                                           const core::config_ptr& config) {
  auto queries = storage::open_for_reading(options.data);
  if (!queries) return queries.error();
  auto log = read_log(**queries, session, {});
  if (!log) return log.error();
  if (log->empty()) return core::error{core::errc::not_found, "there is no session " + options.session + " in " + options.data};
  core::status_board board;
  auto loaded = load_stored_agents(*config, **queries, *make_agent_parser(config), board);
  if (!loaded) return loaded.error();
  recording_source source;
  source.agent = agent_of(*log, *config);
  if (!source.agent)
    std::fprintf(
        stderr,
        "troupe record: the session's agent is not in the configuration as it was then, so prices are left out; name its "
        "file with --config\n");
  source.files = read_files(**queries, *log, session);
  source.log = std::move(*log);
  return source;
}

core::result<recording_source> from_server(const record_options& options, core::session_id session) {
  auto server = rest_client::open(*options.url, options.token);
  if (!server) return server.error();
  auto told = read_remote_log(**server, session.str());
  if (!told) return told.error();
  recording_source source;
  source.agent = std::move(told->agent);
  source.files = std::move(told->files);
  source.log = std::move(told->events);
  return source;
}

}  // namespace

int record(const record_options& options) {
  auto session = core::session_id::parse(options.session);
  if (!session) return fail("--session " + options.session + ": expected the UUID of a session", 2);
  auto environment = providers::process_environment();
  auto config = options.config_file ? load_configuration(*options.config_file, environment)
                                    : core::result<core::config>(demo_configuration(environment));
  if (!config) return fail(config.error().text, 2);
  auto read = options.url ? from_server(options, *session)
                          : from_folder(options, *session, std::make_shared<const core::config>(*config));
  if (!read) return fail(read.error().text, options.url && read.error().code == core::errc::configuration_error ? 2 : 1);
  auto source = std::move(*read);
  auto tools = tools::builtin_tools();
  if (!tools) return fail(tools.error().text, 1);
  source.tools = &*tools;
  source.made_by = "troupe " TROUPE_VERSION;
  auto text = make_recording(std::move(source), redaction::of_process(&*config));
  if (!text) return fail(text.error().text, 1);
  if (auto written = write_file(options.out, *text); !written) return fail(written.error().text, 1);

  auto made = parse_scenario(*text, options.out);
  if (!made) return fail("a recording that is no scenario was written: " + made.error().text, 1);
  auto outcome = run_scenario(*made, run_options{});
  if (outcome.what == verdict::failed)
    return fail(options.out + " was written, but does not replay as it was:\n" + outcome.text, 1);
  std::printf("recorded %s: %zu events\n", options.out.c_str(), outcome.events.size());
  return 0;
}

}  // namespace troupe::app
