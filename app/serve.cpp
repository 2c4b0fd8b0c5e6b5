#include "app/serve.hpp"

#include "app/actor_stack.hpp"
#include "app/approval_webhook.hpp"
#include "app/caf_settings.hpp"
#include "app/check_configuration.hpp"
#include "app/console_pack.hpp"
#include "app/demo.hpp"
#include "app/record/command_tap.hpp"
#include "app/record/model_tap.hpp"
#include "app/record/recorder.hpp"
#include "app/scenario_service/scenario_player.hpp"
#include "app/stored_agents.hpp"
#include "app/tool_setup.hpp"
#include "providers/curl_loop.hpp"
#include "providers/provider_factory.hpp"
#include "tools/tool.hpp"
#include "transport/actor_link.hpp"
#include "transport/endpoints.hpp"
#include "transport/rest/console.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include <sys/stat.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <future>
#include <map>
#include <thread>

namespace troupe::app {

namespace {

constexpr std::size_t blocking_threads = 4;

int refuse(const core::error& e) {
  std::fprintf(stderr, "troupe: %s\n", e.text.c_str());
  return 1;
}

/// Threads inherit the mask: only the main thread sees the signals, and only where it waits for them.
sigset_t block_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (int s : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, s);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return set;
}

void wait_for_stop(const sigset_t& set) {
  for (;;) {
    int signal = 0;
    if (sigwait(&set, &signal) != 0 || signal != SIGHUP) return;
    spdlog::warn("server ignored SIGHUP: restart it to read the configuration again");
  }
}

bool is_public(const std::string& address) {
  return !(address.starts_with("127.") || address.starts_with("localhost:") || address.starts_with("[::1]"));
}

/// Runs one io_context on a thread of its own.
class io_thread {
 public:
  io_thread() : guard_(boost::asio::make_work_guard(io_)), thread_([this] { io_.run(); }) {}
  ~io_thread() { stop(); }
  io_thread(const io_thread&) = delete;
  io_thread& operator=(const io_thread&) = delete;

  [[nodiscard]] boost::asio::io_context& context() noexcept { return io_; }
  /// Runs `f` there and waits for it, and for what it has queued: asio puts that behind what other threads post meanwhile.
  void run(const std::function<void()>& f) {
    auto done = std::make_shared<std::promise<void>>();
    auto ended = done->get_future();
    boost::asio::post(io_, [this, &f, done] {
      f();
      boost::asio::post(io_, [done] { done->set_value(); });
    });
    ended.wait();
  }
  void stop() {
    guard_.reset();
    io_.stop();
    if (thread_.joinable()) thread_.join();
  }

 private:
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_;
  std::thread thread_;
};

/// What tools need: a thread of their own for programs, HTTP and MCP servers, so that none of it slows the sockets of clients.
class tool_thread {
 public:
  tool_thread() : curl_(io_.context()) {
    auto probe = tools::probe_sandbox();
    if (!probe.works) spdlog::info("no sandbox for commands reason=\"{}\"", probe.trouble);
    host_.io = &io_.context();
    host_.guard = {"/proc/self/exe", "guard"};
    host_.has_sandbox = probe.works;
  }
  [[nodiscard]] core::result<std::shared_ptr<const tools::toolbox>> make_tools(const core::config& config) {
    auto made = make_toolbox(config, host_, &curl_, [](std::string_view level, std::string_view text) {
      spdlog::log(spdlog::level::from_str(std::string(level)), "{}", text);
    });
    if (!made) return made.error();
    return tools_ = std::make_shared<const tools::toolbox>(std::move(*made));
  }
  [[nodiscard]] const tools::process_host& host() const noexcept { return host_; }
  /// After the actors: no call is under way.
  void stop() {
    if (!tools_) return;
    std::vector<std::future<void>> ends;
    for (const auto& source : tools_->sources()) {
      auto ended = std::make_shared<std::promise<void>>();
      ends.push_back(ended->get_future());
      source->stop([ended] { ended->set_value(); });
    }
    for (auto& end : ends) end.wait_for(longest_farewell);
    tools_.reset();
    io_.stop();
  }

 private:
  static constexpr std::chrono::seconds longest_farewell{5};
  io_thread io_;
  providers::curl_loop curl_;
  tools::process_host host_;
  std::shared_ptr<const tools::toolbox> tools_;
};

/// As clients see them, now; and what is to be said of where they come from.
std::vector<core::tool_record> records_of(const tools::toolbox& box, core::status_board& board) {
  std::map<std::string, std::string> states;
  for (const auto& source : box.sources()) {
    auto state = source->status();
    board.set("tools", source->name(), state, state.starts_with("ready"));
    states.emplace(source->name(), std::move(state));
  }
  std::vector<core::tool_record> out;
  for (const auto& t : box.all()) {
    const auto& s = t->spec();
    const bool asks = s.approval == core::approval_policy::always ||
                      (s.approval == core::approval_policy::by_effect && s.effect == core::effect::once);
    out.push_back({s.name, s.description, s.parameters, s.effect, asks, s.source, s.risk,
                   states.contains(s.source) ? states.at(s.source) : "ready"});
  }
  return out;
}

void start_logging(const core::config& config) {
  auto log = spdlog::stderr_color_mt("troupe");
  log->set_pattern("%Y-%m-%dT%H:%M:%S.%e %^%l%$ %v");
  spdlog::set_default_logger(log);
  spdlog::set_level(spdlog::level::from_str(config.log_level));
}

/// What works, and should not stay so.
void warn_about_auth(const core::config& config) {
  const auto& auth = config.auth;
  if (!auth.required) return;
  // RFC 7518 §3.2: as many bytes as the hash has. Deployments with shorter ones exist, so they are not refused.
  for (const auto& algorithm : auth.algorithms) {
    const std::size_t least = algorithm == "HS512" ? 64 : algorithm == "HS384" ? 48 : 32;
    if (!auth.secret.empty() && auth.secret.size() < least)
      spdlog::warn("auth secret short algorithm={} bytes={} least={}: it can be guessed from a token", algorithm,
                   auth.secret.size(), least);
  }
  for (const auto& address : config.listen)
    if (is_public(address))
      spdlog::warn("auth without encryption listen={}: put a TLS proxy in front, tokens travel in the clear", address);
}

/// What is on disk is unknown: the next start finds out from the file itself.
[[noreturn]] void stop_at_once(const core::error& e) {
  spdlog::critical("storage failed, process stops error=\"{}\"", e.text);
  spdlog::shutdown();
  std::_Exit(1);
}

}  // namespace

core::result<core::config> configuration_for(const serve_options& options, const environment_lookup& environment) {
  auto config = options.config_file ? load_configuration(*options.config_file, environment)
                                    : core::result<core::config>(demo_configuration(environment));
  if (!config) return config.error();
  if (!options.config_file) config->auth.secret = environment(std::string(jwt_secret_variable)).value_or("");
  if (!options.listen.empty()) config->listen = options.listen;
  if (options.data) config->storage.data = *options.data;
  if (options.log_level) config->log_level = *options.log_level;
  if (options.scenarios) config->scenarios = *options.scenarios;
  if (std::error_code none; !config->scenarios.empty() && !std::filesystem::is_directory(config->scenarios, none))
    return core::error{core::errc::configuration_error,
                       "scenarios " + config->scenarios + ": there is no such folder; name one with scenario files, or none"};
  if (options.insecure_no_auth) config->insecure_no_auth = true;
  if (options.agent) {
    auto& project = config->projects.at(config->default_project);
    if (project.agents.count({*options.agent}) == 0)
      return core::error{core::errc::configuration_error,
                         "--agent " + *options.agent + ": project " + project.id.str() + " has no such agent"};
    project.default_agent = {*options.agent};
  }
  if (config->io_threads != 1)
    return core::error{core::errc::configuration_error, "io_threads: this build runs one; remove it or set it to 1"};
  for (const auto& [id, project] : config->projects)
    for (const auto& [name, agent] : project.agents)
      if (agent->on_busy == core::busy_policy::steer || agent->on_busy == core::busy_policy::merge)
        return core::error{core::errc::configuration_error, "projects/" + id.str() + "/agents/" + name.str() +
                                                                "/on_busy: " + std::string(core::to_string(agent->on_busy)) +
                                                                " is not supported yet; use queue, reject or interrupt"};
  for (const auto& address : config->listen)
    if (is_public(address) && !config->auth.required && !config->insecure_no_auth)
      return core::error{core::errc::configuration_error,
                         "listen " + address +
                             ": refusing a public address while auth.mode is none; listen on 127.0.0.1, set auth.mode to "
                             "required, or say --insecure-no-auth if everybody who reaches this address may use it"};
  return config;
}

int serve(const serve_options& options) {
  if (options.check_config) return check_configuration(options);
  auto signals = block_signals();
  auto environment = providers::process_environment();
  auto loaded = configuration_for(options, environment);
  if (!loaded) return refuse(loaded.error());
  auto config = std::make_shared<const core::config>(std::move(*loaded));
  start_logging(*config);
  warn_about_auth(*config);
  umask(077);  // conversations are nobody else's business

  auto console = transport::console::open(console_pack());
  if (!console) return refuse(console.error());
  auto store = storage::store::open(config->storage);
  if (!store) return refuse(store.error());

  tool_thread tool_side;
  auto toolbox = tool_side.make_tools(*config);
  if (!toolbox) return refuse(toolbox.error());
  io_thread io;
  auto timers = transport::make_timer_service(io.context());
  providers::curl_loop curl(io.context());
  boost::asio::thread_pool blocking(blocking_threads);
  caf_settings settings(config->workers);
  caf::actor_system system(settings);

  actor_stack_parts parts;
  parts.config = config;
  parts.environment = core::system_environment();
  parts.tools = *toolbox;
  parts.workspaces = std::filesystem::path(config->storage.data) / "workspaces";
  parts.run_blocking = [&blocking](std::function<void()> f) { boost::asio::post(blocking, std::move(f)); };
  parts.on_fatal = stop_at_once;
  parts.store = store->get();
  std::shared_ptr<recorder> recording;
  if (options.record) {
    auto queries = (*store)->open_queries();
    if (!queries) return refuse(queries.error());
    auto opened = recorder::open({*options.record, config, parts.tools, "troupe " TROUPE_VERSION}, std::move(*queries));
    if (!opened) return refuse(opened.error());
    recording = std::move(*opened);
  }
  for (const auto& [id, provider] : config->providers) {
    auto client = providers::make_client(provider, {timers.get(), &curl, environment});
    if (!client) return refuse(client.error());
    if (recording) client = tap_model(std::move(*client), recording->live());
    parts.clients.emplace(id, std::move(*client));
  }
  transport::dialect_watchers watchers(io.context());
  *parts.watchers = watchers.sinks();
  std::shared_ptr<approval_webhook> webhook;
  if (!config->webhook.url.empty()) {
    webhook = std::make_shared<approval_webhook>(config->webhook, parts.environment, curl);
    webhook->watch(*parts.watchers);
  }
  if (recording) recording->watch(*parts.watchers);
  auto world = parts.environment;
  auto board = parts.health;

  // Before anything can be sent to a session: what an earlier process left in flight.
  auto reader = (*store)->open_queries();
  if (!reader) return refuse(reader.error());
  auto in_flight = (*reader)->sessions_in_flight();
  auto agent_parser = make_agent_parser(config);
  auto agents = load_stored_agents(*config, **reader, *agent_parser, *board);
  if (!agents) return refuse(agents.error());
  for (const auto& text : *agents) spdlog::warn("{}", text);
  const former_agents former(config, std::move(*reader));

  auto stack = actor_stack::start(system, std::move(parts));
  if (!stack) return refuse(stack.error());
  auto listener = (*stack)->spawn_listener();
  if (recording) listener = tap_commands(system, std::move(listener), recording->live());
  transport::gateway way(
      io.context(), std::make_unique<transport::actor_link>(transport::actor_link{std::move(listener)}), config, world,
      [box = *toolbox, board] { return records_of(*box, *board); }, board);
  way.keep_agents(agent_parser, board);
  io.run([&] { watchers.start(way); });
  transport::endpoints endpoints(way, watchers);
  endpoints.hub().show(std::move(*console));
  auto scenarios = std::make_shared<scenario_player>(scenario_player_options{
      config->scenarios.empty() ? std::filesystem::path() : std::filesystem::absolute(config->scenarios),
      std::filesystem::absolute(config->storage.data) / "scenario-runs", tool_side.host(),
      [&blocking](std::function<void()> f) { boost::asio::post(blocking, std::move(f)); }, world, config, *toolbox,
      [&store] { return (*store)->open_queries(); }});
  endpoints.hub().play(scenarios);
  std::vector<std::unique_ptr<transport::server>> servers;
  auto settle = [] {};
  auto take_down = [&] {
    for (auto& s : servers) s->stop_accepting();
    io.run([&] {
      endpoints.drain();
      watchers.stop();
    });
    scenarios->close();
    (*stack)->stop(settle);
    if (recording) recording->stop();
    io.run([&] {
      way.close();
      if (webhook) webhook->stop();
    });
    toolbox->reset();
    tool_side.stop();
    for (auto& s : servers) s->close_all(1012, "the server restarts");
    // What that has queued leaves first.
    io.run([] {});
    // On its own thread: what is still open is closed there, while the endpoints it tells still stand.
    io.run([&] { servers.clear(); });
    blocking.join();
  };
  for (const auto& address : config->listen) {
    auto server = transport::server::listen(io.context(), address, config->limits, endpoints.handlers());
    if (!server) {
      take_down();
      return refuse(server.error());
    }
    servers.push_back(std::move(*server));
    std::printf("listening on %s\n", servers.back()->url().c_str());
    std::fflush(stdout);
  }
  auto resumed = (*stack)->resume(in_flight);
  spdlog::info("server started data={} projects={} resumed_sessions={}", config->storage.data, config->projects.size(),
               resumed);

  wait_for_stop(signals);
  spdlog::info("server stops");
  take_down();
  stack->reset();
  io.stop();
  spdlog::info("server stopped");
  return 0;
}

}  // namespace troupe::app
