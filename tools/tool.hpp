// What a tool is. Built-ins implement this; later kinds (commands, HTTP, MCP) do too. No actors here: `actors/
// tool_invocation.*` owns time limits, cancellation, approval and the ledger.
#pragma once

#include "core/config.hpp"
#include "core/environment.hpp"
#include "core/error.hpp"
#include "core/event.hpp"

#include <boost/json/object.hpp>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::tools {

struct tool_spec {
  std::string name;
  std::string description;
  std::string parameters;  ///< JSON Schema text (2020-12 subset that valijson checks) of an object
  core::effect effect = core::effect::once;
  std::chrono::milliseconds time_limit{30'000};
  core::approval_policy approval = core::approval_policy::never;
  std::string risk = "low";  ///< low, medium or high
  std::string source = "builtin";
  /// True where run() only computes: it may be called on an actor's thread. False: a blocking pool runs it.
  bool is_instant = false;
};

/// Set by whoever gives up on the call; long tools look at it.
using cancel_flag = std::shared_ptr<std::atomic<bool>>;

struct tool_context {
  core::session_id session;
  core::tool_call_id call;
  /// Stable over retries and restarts of the same call.
  std::string idempotency_key;
  std::filesystem::path workspace;  ///< of the session; made on first use
  std::shared_ptr<core::environment> environment;
  cancel_flag cancelled;
};

/// What the model reads. A tool that fails says why in `output`.
struct tool_result {
  bool ok = false;
  std::string output;
};

class tool {
 public:
  virtual ~tool() = default;
  [[nodiscard]] virtual const tool_spec& spec() const noexcept = 0;
  /// `arguments` fit the schema. Thread safe; may block unless `is_instant`; exceptions are failed results.
  [[nodiscard]] virtual tool_result run(const tool_context& context, const boost::json::object& arguments) const = 0;
};

/// The tools a server has, by name. Immutable after start-up.
class toolbox {
 public:
  toolbox();
  ~toolbox();
  toolbox(toolbox&&) noexcept;
  toolbox& operator=(toolbox&&) noexcept;

  /// A second tool of the same name, or a schema that is not one, is a `configuration_error`.
  [[nodiscard]] core::result<void> add(std::unique_ptr<tool> t);
  [[nodiscard]] const tool* find(std::string_view name) const noexcept;
  /// In name order.
  [[nodiscard]] std::vector<const tool*> all() const;

  /// Parses and checks the model's argument text against the tool's schema. The error's text goes back to the model: it
  /// says what, where (a JSON pointer) and what was expected. Empty text counts as `{}`.
  [[nodiscard]] core::result<boost::json::object> check(const tool& t, std::string_view arguments) const;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// clock, calculator, write_file, read_file, list_files, grep_file, delete_file.
[[nodiscard]] core::result<toolbox> builtin_tools();

}  // namespace troupe::tools
