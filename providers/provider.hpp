// One interface to every model API: a request in, a typed stream out, exactly one end. Adapters live in this folder, one
// file pair each; they know nothing of actors. `actors/provider.*` owns the limits, the queue and the retries.
#pragma once

#include "core/config.hpp"
#include "core/environment.hpp"
#include "core/error.hpp"
#include "core/event.hpp"
#include "core/history.hpp"
#include "core/records.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe::providers {

struct tool_description {
  std::string name;
  std::string description;
  std::string parameters;  ///< JSON Schema text
};

using model_files = std::map<core::file_id, std::shared_ptr<const core::file_record>>;

struct model_request {
  std::string model;
  std::string instructions;
  std::shared_ptr<const std::vector<core::history_message>> history;
  std::shared_ptr<const model_files> files;  ///< what of the history's attachments is given to the model; may be null
  bool takes_images = false;
  bool takes_files = false;
  std::shared_ptr<const std::vector<tool_description>> tools;
  std::uint32_t max_output_tokens = 4096;
  std::optional<double> temperature;
  std::vector<std::string> stop;
  std::string reasoning_effort;
  std::string response_schema;  ///< JSON Schema text, or empty
  core::session_id session;
  std::uint32_t call_number = 1;  ///< 1-based count of model calls in the session, for scripts; 0: of no step of it
};

/// How a stream ended. `error.code == errc::ok` means the upstream sent its own end marker (DESIGN §8).
struct model_end {
  core::error error{core::errc::ok, {}};
  core::finish_reason finish = core::finish_reason::stop;
  std::vector<core::tool_call> calls;
  std::optional<core::token_usage> usage;  ///< absent: the upstream sent none
  /// Whether the same request may be tried again (set on errors only); text already delivered forbids it regardless.
  bool retryable = false;
  std::optional<std::chrono::milliseconds> retry_after;
};

/// What came in one read. Text in order; `end` last and once.
struct model_output {
  core::text_pieces text;
  core::text_pieces reasoning;
  std::optional<model_end> end;
  /// What the upstream has counted so far, where it has told more than before: who gives the call up pays for this. The end
  /// has all of it again.
  std::optional<core::token_usage> usage{};
};

/// Called on any thread, never concurrently for one stream, never after `end`, never after cancel() has returned on the
/// adapter's own thread (from other threads a call already under way may still arrive).
using model_sink = std::function<void(model_output)>;

class model_stream {
 public:
  virtual ~model_stream() = default;
  /// Closes the upstream connection promptly. No `end` follows. Any thread; idempotent.
  virtual void cancel() = 0;
};

class model_client {
 public:
  virtual ~model_client() = default;
  /// Any thread. May call `sink` before it returns. Never throws: what fails is told through `end`.
  [[nodiscard]] virtual std::shared_ptr<model_stream> start(model_request request, model_sink sink) = 0;
};

}  // namespace troupe::providers
