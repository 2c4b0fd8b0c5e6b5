// A recording's side of the model: what it answered, in order, with every piece of text at its time (docs/scenarios.md,
// "Recordings"). It serves replays, and live servers as the provider kind `recorded`. A recording is immutable and shared.
#pragma once

#include "core/environment.hpp"
#include "providers/provider.hpp"
#include "providers/script.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::providers {

/// Which call of a conversation a request is: a fold of its history, so that it is the same after a restart.
struct exchange_place {
  std::uint32_t turn = 0;  ///< user messages so far
  std::uint32_t step = 0;  ///< 1: the first answer to the last of them
  std::string user;        ///< the text of that message
};
[[nodiscard]] exchange_place place_of(const std::vector<core::history_message>& history);

struct recorded_exchange {
  exchange_place place;
  std::vector<core::error> failed;  ///< attempts before the answer; here they fail at once, and are tried again at once
  script_ptr say;                   ///< has `otherwise` only
  int line = 0;
};

struct recording {
  std::string file;
  std::vector<recorded_exchange> exchanges;
};
using recording_ptr = std::shared_ptr<const recording>;

inline constexpr std::size_t max_recording_bytes = 32 << 20;
/// As often as a provider may be configured to try again.
inline constexpr std::size_t max_failed_attempts = 10;
/// Stands in a recording for what is nobody's business; in a question it fits any text.
inline constexpr std::string_view redacted_text = "[redacted]";

/// Reads `model.exchanges` of a scenario. A `configuration_error` names the file, the line, the place and the words that fit.
[[nodiscard]] core::result<recording_ptr> parse_recording(std::string_view text, std::string file);
[[nodiscard]] core::result<recording_ptr> load_recording(const std::string& file);

/// `timers` outlives the client. A request that the recording does not answer is a `provider_error` that names file and line.
[[nodiscard]] std::unique_ptr<model_client> make_recorded(recording_ptr recording, core::timer_service& timers);
/// Plays the file `config.cassette`.
[[nodiscard]] core::result<std::unique_ptr<model_client>> make_recorded(const core::provider_config& config,
                                                                        core::timer_service& timers);

}  // namespace troupe::providers
