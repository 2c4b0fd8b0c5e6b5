// A scenario as it stands in its file (docs/scenarios.md): one behaviour, told as commands and the events that must
// follow. Read by `troupe replay` and by tests; checked down to the last word before anything runs. Plain values.
#pragma once

#include "app/json_fields.hpp"
#include "app/scenario/recorded_tools.hpp"
#include "core/config.hpp"
#include "core/error.hpp"
#include "providers/item_places.hpp"
#include "providers/recorded.hpp"

#include <boost/json/value.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::app {

enum class step_verb : std::uint8_t {
  send,
  reply,
  expect,
  advance,
  restart,
  crash,
  // Assertions: about all that came so far (assertions.hpp).
  expect_text,
  expect_calls,
  expect_cost,
  expect_count,
  expect_order,
  expect_none
};
[[nodiscard]] std::string_view to_string(step_verb v) noexcept;
[[nodiscard]] constexpr bool is_assertion(step_verb v) noexcept { return v >= step_verb::expect_text; }

struct scenario_step {
  step_verb verb = step_verb::send;
  boost::json::value body;  ///< what stands under the verb
  std::string as;           ///< principal of a `send`
  int line = 0;             ///< where the step begins in its file, 1-based
};

struct scenario {
  std::string file;
  std::string title;
  std::vector<std::string> tags;
  std::map<std::string, std::string> skip;      ///< mode → reason
  std::vector<std::string> ignore;              ///< kinds of events that need not be expected
  core::config_ptr config;                      ///< one project, one agent, one scripted provider
  providers::recording_ptr recording;           ///< answers in the place of that provider; may be null
  std::shared_ptr<const recorded_calls> calls;  ///< the tools in the place of the built-in ones; may be null
  std::vector<scenario_step> steps;
};

/// The names in `scenario::config`.
inline constexpr std::string_view scenario_project = "scenario";
inline constexpr std::string_view scenario_agent = "agent";
inline constexpr std::string_view scenario_provider = "model";

inline constexpr std::size_t max_scenario_bytes = providers::max_recording_bytes;

/// A `configuration_error` names the file, the line where it is known, the place, the word and the words that fit.
[[nodiscard]] core::result<scenario> parse_scenario(std::string_view text, std::string file);
[[nodiscard]] core::result<scenario> load_scenario(const std::string& file);

/// The bytes of a file, bounded; an error names it.
[[nodiscard]] core::result<std::string> read_scenario_file(const std::string& file);

/// Line of every item of the top-level list `steps`; empty when there is none. `text` is valid JSON with comments.
[[nodiscard]] std::vector<int> step_lines(std::string_view text);

// ---- parts of the reader; what is wrong is thrown as `fault` ----

[[nodiscard]] scenario_step read_step(const node& at);
/// Every kind of event.
[[nodiscard]] const std::vector<std::string_view>& event_kinds();
void allow_only(const node& at, const std::vector<std::string_view>& allowed);
[[nodiscard]] std::string list_of(const std::vector<std::string_view>& words);

}  // namespace troupe::app
