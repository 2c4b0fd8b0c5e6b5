// `troupe mock-model`: the model side of a scenario as an OpenAI- and Anthropic-compatible server, with faults, for testing
// clients that are not ours (docs/scenarios.md, "A model for other clients"). One thread.
#pragma once

#include "core/error.hpp"
#include "providers/provider.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe::app {

struct mock_model_options {
  std::string scenario;  ///< a scenario, or a script (docs/scripted.md)
  std::string listen = "127.0.0.1:8081";
  std::vector<std::string> faults;
  std::optional<std::int64_t> latency_ms;
  std::optional<std::int64_t> stall_after;
  std::optional<std::int64_t> retry_after;
  bool insecure_no_auth = false;
};

struct mock_voice {
  std::unique_ptr<providers::model_client> client;
  std::vector<providers::tool_description> tools;  ///< the names that its rules know
};
/// The model of a scenario, a recording or a script. An error names the file and the place in it.
[[nodiscard]] core::result<mock_voice> load_voice(const std::string& file, core::timer_service& timers);

/// Returns the exit status, after SIGTERM or SIGINT. The first line of stdout is `listening on http://HOST:PORT`.
[[nodiscard]] int mock_model(const mock_model_options& options);

}  // namespace troupe::app
