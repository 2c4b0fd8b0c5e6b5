#include "app/record.hpp"

#include "app/cli/outcome.hpp"
#include "app/cli/terminal.hpp"
#include "app/configuration.hpp"
#include "app/demo.hpp"
#include "app/record/session_record.hpp"
#include "app/scenario/rest_client.hpp"
#include "app/scenario/runner.hpp"
#include "app/stored_agents.hpp"
#include "providers/provider_factory.hpp"

namespace troupe::app {

namespace {

/// Out of the database, with the configuration that its agent had.
core::result<std::string> from_folder(const record_options& options, core::session_id session, const core::config_ptr& config) {
  auto queries = storage::open_for_reading(options.data);
  if (!queries) return queries.error();
  auto log = read_log(**queries, session, {});
  if (!log) return log.error();
  if (log->empty()) return core::error{core::errc::not_found, "there is no session " + options.session + " in " + options.data};
  core::status_board board;
  auto loaded = load_stored_agents(*config, **queries, *make_agent_parser(config), board);
  if (!loaded) return loaded.error();
  recording_source source;
  auto versions = storage::open_for_reading(options.data);
  if (!versions) return versions.error();
  const former_agents former(config, std::move(*versions));
  source.agent = agent_of(*log, *config);
  if (!source.agent)
    complain(
        "the session's agent is not in the configuration as it was then, so prices are left out; name its file with --config");
  source.files = read_files(**queries, *log, session);
  source.log = std::move(*log);
  auto tools = tools::builtin_tools();
  if (!tools) return tools.error();
  source.tools = &*tools;
  source.made_by = "troupe " TROUPE_VERSION;
  return make_recording(std::move(source), redaction::of_process(config.get()));
}

/// As the server itself writes it, which knows its agents, its remembered approvals and its secrets.
core::result<std::string> from_server(const record_options& options, core::session_id session) {
  auto server = remote_api::open({*options.url, options.token, options.ca_file, options.json});
  if (!server) return server.error();
  return server->document("/sessions/" + session.str() + "/scenario");
}

}  // namespace

int record(const record_options& options) {
  auto session = core::session_id::parse(options.session);
  if (!session)
    return wrong_usage({core::errc::validation_error, "--session " + options.session + ": expected the UUID of a session"},
                       options.json);
  core::config_ptr config;
  if (options.url) {
    if (auto base = base_url(*options.url); !base) return wrong_usage(base.error(), options.json);
  } else {
    auto environment = providers::process_environment();
    auto loaded = options.config_file ? load_configuration(*options.config_file, environment)
                                      : core::result<core::config>(demo_configuration(environment));
    if (!loaded) return wrong_usage(loaded.error(), options.json);
    config = std::make_shared<const core::config>(std::move(*loaded));
  }
  auto text = options.url ? from_server(options, *session) : from_folder(options, *session, config);
  if (!text) return failed(text.error(), options.json);
  if (auto written = write_file(options.out, *text); !written) return failed(written.error(), options.json);

  auto made = parse_scenario(*text, options.out);
  if (!made)
    return failed({made.error().code, "a recording that is no scenario was written: " + made.error().text}, options.json);
  auto outcome = run_scenario(*made, run_options{});
  if (outcome.what == verdict::failed)
    return failed(
        {core::errc::session_not_recordable, options.out + " was written, but does not replay as it was:\n" + outcome.text},
        options.json);
  if (options.json) return print_json({{"session", session->str()}, {"file", options.out}, {"events", outcome.events.size()}});
  return put("recorded " + options.out + ": " + std::to_string(outcome.events.size()) + " events\n") ? 0 : 1;
}

}  // namespace troupe::app
