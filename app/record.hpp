// `troupe record`: a stored session becomes a scenario (docs/scenarios.md, "Recordings"). Reads the database only, also while a
// server runs on it; or, with `url`, asks a running server, which makes it.
#pragma once

#include <optional>
#include <string>

namespace troupe::app {

struct record_options {
  std::string session;
  std::string out;
  std::string data = "./troupe-data";
  std::optional<std::string> config_file;  ///< what the agent was set up with; absent: the demo
  std::optional<std::string> url{};        ///< of a running server, in the place of a folder
  std::string token{};                     ///< credentials for it
  std::string ca_file{};                   ///< authorities that are trusted for https; empty: those of the system
  bool json = false;
};

/// 0: written, and it replays as it was; 1: it is not, or it does not; 2: wrong usage.
[[nodiscard]] int record(const record_options& options);

}  // namespace troupe::app
