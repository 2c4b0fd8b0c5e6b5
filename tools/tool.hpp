// What a tool is, and the tools a server has. Built-ins, commands, HTTP endpoints, programs and those of MCP servers are all
// `tool`s. No actors here: `actors/tool_invocation.*` owns time limits, cancellation, approval and the ledger.
#pragma once

#include "core/config.hpp"
#include "core/environment.hpp"
#include "core/error.hpp"
#include "core/event.hpp"

#include <boost/json/object.hpp>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::tools {

class schema;

/// Who carries a call out, and where.
enum class tool_mode : std::uint8_t {
  instant,    ///< run() only computes: on the caller's thread
  blocking,   ///< run() may touch the disk: on a pool of threads
  streaming,  ///< start() returns at once; what follows comes from the tools' own thread
  actors,     ///< neither: the agent loop knows this tool by its name (delegate, handoff, read_output)
};

struct tool_spec {
  std::string name;
  std::string description;
  std::string parameters;  ///< JSON Schema text (2020-12 subset that valijson checks) of an object
  core::effect effect = core::effect::once;
  std::chrono::milliseconds time_limit{30'000};
  core::approval_policy approval = core::approval_policy::never;
  std::string risk = "low";  ///< low, medium or high
  std::string source = "builtin";
  tool_mode mode = tool_mode::blocking;
};

/// Set by whoever gives up on the call; long tools look at it.
using cancel_flag = std::shared_ptr<std::atomic<bool>>;

struct tool_context {
  core::session_id session;
  core::tool_call_id call;
  core::trace_id trace;
  /// Stable over retries and restarts of the same call.
  std::string idempotency_key;
  std::filesystem::path workspace;  ///< of the session; made on first use
  std::shared_ptr<core::environment> environment;
  cancel_flag cancelled;
};

/// A picture or document that a tool gave; becomes a file of the session.
struct tool_file {
  std::string name;
  std::string content_type;
  std::string bytes;
};

/// What the model reads. A tool that fails says why in `output`. Plain text (`is_plain_text`); its length is bounded by the
/// caller, who stores long ones apart (`read_output`), up to `max_output_bytes`.
struct tool_result {
  bool ok = false;
  std::string output;
  std::vector<tool_file> files{};
};

/// A tool may give this much; more is cut by the tool itself, which says so.
inline constexpr std::size_t max_output_bytes = 4 << 20;

/// What a call needs to know from a person before it can go on.
struct question {
  std::string text;
  std::string schema;  ///< JSON Schema text of the answer: an object of flat fields
};

struct answer {
  bool accepted = false;        ///< false: declined, or nobody answered in time
  boost::json::object content;  ///< fits the question's schema where accepted
};

/// Hears of one call while it runs. Thread safe.
class call_listener {
 public:
  virtual ~call_listener() = default;
  /// Output as it comes, plain text, for people. The model reads the result only.
  virtual void progress(std::string text) = 0;
  /// The call waits for running_call::answer; its time limit stands still. One at a time.
  virtual void ask(question q) = 0;
  /// Once, last.
  virtual void done(tool_result result) = 0;
};

/// A call under way, in the hands of who started it. Destroying it gives the call up: whatever runs for it is gone promptly,
/// and the listener hears nothing more (but for a call to it that is under way). Thread safe.
class running_call {
 public:
  virtual ~running_call() = default;
  virtual void answer(tools::answer a);
};

class tool {
 public:
  explicit tool(tool_spec spec);
  virtual ~tool();
  tool(const tool&) = delete;
  tool& operator=(const tool&) = delete;

  [[nodiscard]] const tool_spec& spec() const noexcept { return spec_; }
  /// Parses and checks the model's argument text against the schema. The error's text goes back to the model: it says what,
  /// where (a JSON pointer) and what was expected. Empty text counts as `{}`. Only after `prepare`.
  [[nodiscard]] core::result<boost::json::object> check(std::string_view arguments) const;
  /// Compiles the schema: a `configuration_error` where it is none. Toolbox and tool sources do this before they show a tool.
  [[nodiscard]] core::result<void> prepare();

  /// Modes `instant` and `blocking`. `arguments` fit the schema. Thread safe; exceptions are failed results.
  [[nodiscard]] virtual tool_result run(const tool_context& context, const boost::json::object& arguments) const;
  /// Mode `streaming`. Never blocks, any thread; may tell the listener before it returns.
  [[nodiscard]] virtual std::unique_ptr<running_call> start(const tool_context& context, const boost::json::object& arguments,
                                                            std::shared_ptr<call_listener> listener) const;

 private:
  tool_spec spec_;
  std::unique_ptr<schema> schema_;
};
using tool_ptr = std::shared_ptr<const tool>;

/// Tools that come and go together, such as those of an MCP server. Thread safe.
class tool_source {
 public:
  virtual ~tool_source() = default;
  /// Its tools are called `name.tool`, and it stands for all of them in an agent's list.
  [[nodiscard]] virtual const std::string& name() const noexcept = 0;
  /// As they are now, prepared, in name order.
  [[nodiscard]] virtual std::vector<tool_ptr> tools() const = 0;
  /// Runs `f` once: when its tools are known for the first time, or when it is clear that they will not be soon. Perhaps at
  /// once, perhaps on another thread.
  virtual void when_ready(std::function<void()> f) = 0;
  /// For operators: `ready`, `starting`, or what is wrong.
  [[nodiscard]] virtual std::string status() const = 0;
  /// Ends what belongs to it, in good order; calls under way fail. `stopped` is called once, on some thread, when nothing is
  /// left.
  virtual void stop(std::function<void()> stopped) { stopped(); }
};

/// The tools a server has, by name. Immutable after start-up but for what its sources do.
class toolbox {
 public:
  toolbox();
  ~toolbox();
  toolbox(toolbox&&) noexcept;
  toolbox& operator=(toolbox&&) noexcept;

  /// A second tool (or source) of the same name, or a schema that is not one, is a `configuration_error`.
  [[nodiscard]] core::result<void> add(std::unique_ptr<tool> t);
  [[nodiscard]] core::result<void> add(std::shared_ptr<tool_source> source);
  /// Null where there is none (now).
  [[nodiscard]] tool_ptr find(std::string_view name) const;
  /// In name order.
  [[nodiscard]] std::vector<tool_ptr> all() const;
  [[nodiscard]] const std::vector<std::shared_ptr<tool_source>>& sources() const noexcept;
  /// What an agent has that lists `names`: tools by their names, all tools of a source by its name. Each once; what is not
  /// there is left out.
  [[nodiscard]] std::vector<tool_ptr> select(const std::vector<std::string>& names) const;
  /// Runs `f` once, when every source that `names` speaks of is ready or has given up. Perhaps at once.
  void when_ready(const std::vector<std::string>& names, std::function<void()> f) const;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// clock, calculator and the tools of the workspace: read_file, write_file, edit_file, list_files, grep_file, delete_file.
[[nodiscard]] core::result<toolbox> builtin_tools();

}  // namespace troupe::tools
