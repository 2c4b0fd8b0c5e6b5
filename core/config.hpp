// The configuration as the program uses it: read once from JSON (app/configuration.hpp), immutable afterwards, shared by
// pointer. Field names follow the file (DESIGN §12); the defaults here are the defaults of the product.
#pragma once

#include "core/agent_catalogue.hpp"
#include "core/command.hpp"
#include "core/ids.hpp"
#include "core/money.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe::core {

using std::chrono::milliseconds;

struct provider_timeouts {
  milliseconds connect{5'000};
  milliseconds first_byte{60'000};
  milliseconds idle{30'000};
  milliseconds total{600'000};
};

struct provider_config {
  provider_id id;
  std::string kind;         ///< scripted, openai, anthropic, websocket or recorded
  std::string base_url;     ///< openai: up to and including `/v1`; anthropic: without `/v1`; websocket: ws:// or wss://
  std::string api_key_env;  ///< name of the environment variable that holds the key; empty: no key
  std::string script;       ///< scripted: JSON text of its rules
  std::string cassette;     ///< recorded: a recording (docs/scenarios.md)
  std::string message;      ///< websocket: JSON template of what is sent; empty: the seed's
  std::string ca_file;      ///< certificates to trust instead of the system's
  std::string proxy;        ///< URL; empty: what the environment says
  provider_timeouts timeouts;
  std::uint32_t max_concurrent = 256;
  std::uint32_t max_retries = 2;
  /// After so many failures in a row calls are refused at once for a while; 0: never.
  std::uint32_t breaker_failures = 8;
  milliseconds breaker_open{15'000};
};

/// Where a session gets the title that no person gave it, after its first answer.
enum class title_source : std::uint8_t { first_words, model, none };

/// What happens when the conversation outgrows the model.
enum class context_policy : std::uint8_t {
  none,      ///< it is sent as it is; the provider may refuse it
  truncate,  ///< the oldest whole exchanges are left out
  compact,   ///< a call of the same model sums up the oldest exchanges; the full history stays in the log
};

/// Another model, for when the agent's own cannot answer.
struct model_choice {
  provider_id provider;
  std::string model;
  std::optional<token_price> price;
};

enum class approval_policy : std::uint8_t {
  never,
  always,
  by_effect,  ///< asks for tools whose effect is `once`
};

/// One condition on the arguments of a call.
struct argument_test {
  enum class comparison : std::uint8_t { equals, not_equals, less, greater, matches, present, absent };
  std::string pointer;  ///< JSON pointer (RFC 6901) into the arguments; empty: all of them
  comparison is = comparison::present;
  std::string value;  ///< JSON text; `matches`: a regular expression (RE2), found anywhere in the text there

  bool operator==(const argument_test&) const = default;
};

/// What holds for calls that fit all of `when`.
struct approval_rule {
  std::vector<argument_test> when;
  approval_policy policy = approval_policy::always;
  std::string risk;  ///< empty: as it is
};

/// What an agent says of one tool; the first rule that fits holds, else `policy`.
struct tool_approval {
  std::optional<approval_policy> policy;  ///< absent: the tool's own
  std::vector<approval_rule> rules;
  std::string risk;            ///< empty: the tool's own
  std::uint32_t deciders = 1;  ///< 2: two different people must approve
  bool not_requester = false;  ///< who sent the message may not decide about its calls
};

struct agent_limits {
  std::uint32_t max_steps = 10;
  std::uint32_t max_output_tokens = 4096;
  std::uint32_t max_queue = 32;
  std::optional<micro_usd> budget;  ///< per session
  milliseconds approval_timeout{std::chrono::hours{24}};
  milliseconds tool_timeout{30'000};        ///< of tools that say nothing else
  std::uint32_t max_output_chars = 16'384;  ///< of a tool's output that the model gets at once; `read_output` gives the rest
  std::uint32_t max_depth = 3;              ///< of sub-agents below a session that a person opened
};

/// A tool that the configuration declares (docs/tools.md). Which fields hold depends on `kind`.
struct tool_config {
  std::string name;
  std::string kind;  ///< command, program, http, http_request or mcp
  std::string description;
  std::string parameters;  ///< JSON Schema text; program, http
  std::optional<core::effect> effect;
  std::optional<milliseconds> time_limit;
  std::optional<approval_policy> approval;
  std::string risk;
  std::vector<std::string> programs;               ///< command: what may be run, names or absolute paths
  std::vector<std::string> command;                ///< program; mcp over stdio
  std::map<std::string, std::string> environment;  ///< given to it; values from our own environment are looked up already
  bool sandbox = true;                             ///< where there is one
  bool network = false;                            ///< command, program: inside the sandbox
  milliseconds cpu_limit{30'000};
  std::uint64_t memory_bytes = 1ULL << 30;
  std::uint32_t processes = 64;
  std::uint32_t output_bytes = 1 << 20;        ///< command, program, http, http_request: more is cut
  std::string url;                             ///< http: a template (docs/tools.md); mcp over HTTP
  std::string method;                          ///< http
  std::vector<std::string> methods;            ///< http_request: allowed ones
  std::map<std::string, std::string> headers;  ///< http, mcp; values from our environment are looked up already
  std::string body;                            ///< http: JSON template; empty: the arguments that the URL does not use
  std::vector<std::string> hosts;              ///< http_request: names (`*.example.org` too); empty: all public ones
  bool allow_private = false;                  ///< private, loopback and link-local addresses too
  std::string ca_file;
  milliseconds start_timeout{10'000};  ///< mcp
};

/// Who is told when an approval waits.
struct webhook_config {
  std::string url;     ///< empty: nobody
  std::string secret;  ///< of the HMAC-SHA256 signature, from the environment
  std::string ca_file;
};

/// Limits over many sessions, and where to warn (percent). A reached limit refuses further model calls.
struct budget_config {
  std::optional<micro_usd> daily;
  std::optional<micro_usd> monthly;
  std::vector<std::int32_t> alerts{50, 80, 100};
};

struct agent_config {
  agent_id id;
  project_id project;
  std::string name;
  std::string description;
  std::vector<std::string> starters;  ///< first messages that clients offer to a person
  provider_id provider;
  std::string model;
  std::string instructions;
  std::vector<std::string> tools;
  std::map<std::string, tool_approval> approval;  ///< by tool, source of tools, or `*`: the most precise one holds
  std::vector<agent_id> delegates;                ///< agents of the project it may give work to; gives it the tool `delegate`
  std::vector<agent_id> handoffs;                 ///< agents it may pass the conversation to; gives it the tool `handoff`
  busy_policy on_busy = busy_policy::queue;
  agent_limits limits;
  std::vector<std::int32_t> alerts{50, 80, 100};
  std::optional<double> temperature;
  std::vector<std::string> stop;       ///< sequences that end the answer
  std::string reasoning_effort;        ///< as the provider names it; empty: its default
  std::string response_schema;         ///< JSON Schema text of structured answers; empty: free text
  std::vector<model_choice> fallback;  ///< tried in order while nothing was shown
  std::uint32_t context_tokens = 0;    ///< the model's limit; 0: unknown
  context_policy context = context_policy::none;
  title_source titles = title_source::first_words;
  bool takes_images = false;         ///< `inputs` holds "image": attached images go to the model as such
  bool takes_files = false;          ///< `inputs` holds "file"
  budget_config spending;            ///< over all its sessions
  std::optional<token_price> price;  ///< resolved from `prices` by `provider/model`
  std::uint64_t hash = 0;            ///< of everything above; stored with each run
};

struct project_config {
  project_id id;
  std::string name;
  agent_id default_agent;
  budget_config spending;
  /// Those of the file; with the stored ones: config::agents_of.
  std::map<agent_id, agent_ptr> agents;
};

struct transport_limits {
  std::uint32_t max_frame_bytes = 1 << 20;
  std::uint32_t max_body_bytes = 8 << 20;
  std::uint32_t max_header_bytes = 16 << 10;
  milliseconds header_timeout{10'000};
  milliseconds idle_timeout{300'000};
  std::uint32_t max_connections = 20'000;
  std::uint32_t connections_per_address = 1'000;
  std::uint32_t messages_per_second = 20;
  std::uint32_t outbound_high_water_bytes = 64 << 10;
  std::uint32_t outbound_limit_bytes = 4 << 20;
  milliseconds slow_client_timeout{30'000};
  milliseconds session_idle_timeout{60'000};
  bool permessage_deflate = false;
};

struct session_limits {
  std::uint32_t max_file_bytes = 8 << 20;
  std::uint32_t max_files = 200;               ///< of a session
  std::uint32_t max_session_bytes = 64 << 20;  ///< of all its files
  std::uint32_t max_participants = 100;
  std::uint32_t agent_stream_turns = 5;  ///< at once over all sockets of that dialect (PROTOCOLS §3)
  std::uint32_t max_rooms = 100;         ///< sessions that one client follows at once
};

struct socketio_config {
  milliseconds ping_interval{25'000};
  milliseconds ping_timeout{20'000};
  milliseconds connect_timeout{45'000};
  std::uint32_t max_payload = 1'000'000;
  bool recovery = true;
  milliseconds recovery_window{120'000};
};

/// Who may come in (PROTOCOLS, head). Secrets are read from the environment when the configuration is.
struct auth_config {
  bool required = false;
  std::vector<std::string> algorithms{"HS256"};
  std::string secret;                                   ///< of the HMAC algorithms; empty: no token is valid
  std::string issuer;                                   ///< empty: any
  std::string audience;                                 ///< empty: any
  milliseconds token_lifetime{std::chrono::hours{24}};  ///< of those that a log-in gives
  struct api_key {
    std::string name;  ///< the principal
    std::string hash;  ///< SHA-256 of the key, lower-case hex
    std::uint8_t scopes = 0;
  };
  std::vector<api_key> api_keys;
  struct user {
    std::string id;
    std::string username;
    std::string password_hash;  ///< crypt(5) format, e.g. yescrypt
    std::string code;           ///< `codigo` of the chat-events log-in; may be empty
    std::vector<std::string> roles;
    std::uint8_t scopes = 0;
  };
  std::vector<user> users;
};

struct storage_config {
  std::string data = "./troupe-data";
  bool full_sync = true;  ///< PRAGMA synchronous: FULL, or NORMAL when false
  std::uint32_t readers = 2;
};

struct config {
  std::vector<std::string> listen{"127.0.0.1:8080"};
  project_id default_project;
  storage_config storage;
  std::map<provider_id, provider_config> providers;
  std::map<project_id, project_config> projects;
  std::map<std::string, tool_config> tools;
  webhook_config webhook;
  std::vector<std::string> cors_origins;
  auth_config auth;
  session_limits sessions;
  socketio_config socketio;
  bool insecure_no_auth = false;
  transport_limits limits;
  std::uint32_t io_threads = 1;
  std::uint32_t workers = 0;  ///< 0: one per core
  std::string log_level = "info";
  std::string scenarios;  ///< folder that the console may play; empty: none

  std::map<std::string, token_price> prices;  ///< of the file, by `provider/model`
  /// Made over REST; shared with every copy of this configuration. What the file has under the same id goes before it.
  std::shared_ptr<agent_catalogue> stored = std::make_shared<agent_catalogue>();

  /// The agent, or nothing. An empty project is the default project; an empty agent is the project's default agent.
  [[nodiscard]] agent_ptr find_agent(const project_id& project, const agent_id& agent) const;
  /// The version of an agent that a run began with, by `agent_config::hash`; where that is not known, the agent as it is.
  [[nodiscard]] agent_ptr find_agent(const project_id& project, const agent_id& agent, std::uint64_t hash) const;
  /// All that can be used now, by id: the file's and the stored ones. An empty project is the default project.
  [[nodiscard]] std::vector<agent_ptr> agents_of(const project_id& project) const;
  /// Why a stored agent cannot be used; empty where that is not so.
  [[nodiscard]] std::string problem_of_agent(const project_id& project, const agent_id& agent) const;
  /// What to tell who asks for an agent that `find_agent` does not give.
  [[nodiscard]] std::string why_no_agent(const project_id& project, const agent_id& agent) const;
};
using config_ptr = std::shared_ptr<const config>;

}  // namespace troupe::core
