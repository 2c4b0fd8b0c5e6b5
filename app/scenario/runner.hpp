// Plays a scenario and compares what comes with what is expected. Everything that came must be expected, in order, before
// the next command, and every command must be answered as expected. One thread.
#pragma once

#include "app/scenario/scenario.hpp"
#include "app/scenario/scene.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace troupe::app {

struct run_options {
  bool restart_every_step = false;
  std::size_t crash_at = 0;       ///< boundary of the journal (crash_gate.hpp); 0: none
  std::optional<double> speed{};  ///< times real time; absent: as fast as it goes
  bool accept = false;            ///< what differs is written into `edits` instead of being a failure
};

enum class verdict : std::uint8_t { passed, failed, skipped };

/// How a step would have to stand in its file for the scenario to pass.
struct step_edit {
  enum class how : std::uint8_t { replace, remove, insert_before };
  std::size_t step = 0;  ///< 0-based; `insert_before` may name the end
  how what = how::replace;
  std::string text;  ///< JSON of the step
};

struct scenario_outcome {
  verdict what = verdict::passed;
  std::string text;                         ///< why it was skipped, or how it failed: file, line, step, expected, came
  boost::json::object divergence;           ///< of a failure, where a step failed (divergence.hpp)
  std::vector<boost::json::object> events;  ///< everything that the client got, in order
  std::size_t boundaries = 0;               ///< of the journal, while it was played
  std::string struck;                       ///< what `crash_at` lost
  std::vector<step_edit> edits;
};

/// On a stage of its own, in virtual time.
[[nodiscard]] scenario_outcome run_scenario(const scenario& s, const run_options& options);
/// Elsewhere; the scene is at the beginning of a conversation.
[[nodiscard]] scenario_outcome run_scenario(const scenario& s, scene& where, const run_options& options);

/// SHA-256 of the events, lower-case hex: equal where every byte is.
[[nodiscard]] std::string hash_of_events(const std::vector<boost::json::object>& events);

}  // namespace troupe::app
