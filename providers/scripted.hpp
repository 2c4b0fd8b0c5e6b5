// The provider without an upstream: answers by the rules of a script (docs/scripted.md). It is the embedded default, the
// demo's voice and the model of every scenario. What needs no waiting comes in one `model_output` on the caller's thread;
// the rest on the timer service's thread.
//
//   { "rules": [ { "when": { "user": "weather in (\\w+)", "after": "user" },
//                  "say":  [ { "text": "Let me look. " }, { "tool": "weather", "arguments": { "city": "${1}" } } ] },
//                { "when": { "tool": "weather" },
//                  "say":  [ { "stream": "It is ${result}.", "chunk": 4, "every_ms": 20 },
//                            { "usage": { "prompt": 40, "completion": 8 } } ] } ],
//     "otherwise": [ { "text": "You said: ${user}" } ] }
#pragma once

#include "core/environment.hpp"
#include "providers/provider.hpp"
#include "providers/script.hpp"

namespace troupe::providers {

/// One answer by these rules. `timers` outlives the stream.
[[nodiscard]] std::shared_ptr<model_stream> play_script(const script_ptr& script, model_request request, model_sink sink,
                                                        core::timer_service& timers);

/// A `configuration_error` names the provider and the place in the script. `timers` outlives the client and its streams.
[[nodiscard]] core::result<std::unique_ptr<model_client>> make_scripted(const core::provider_config& config,
                                                                        core::timer_service& timers);

}  // namespace troupe::providers
