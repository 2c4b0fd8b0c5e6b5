// `troupe serve`: everything wired together, from sockets to the database file, and taken apart again in order. Runs on
// the main thread, which waits for signals; all work is on the io thread and CAF's.
#pragma once

#include "app/configuration.hpp"

#include <optional>
#include <string>
#include <vector>

namespace troupe::app {

struct serve_options {
  std::optional<std::string> config_file;
  std::vector<std::string> listen;  ///< empty: as configured
  std::optional<std::string> data;
  std::optional<std::string> agent;  ///< default agent of the default project
  std::optional<std::string> log_level;
  std::optional<std::string> record;     ///< folder of recordings
  std::optional<std::string> scenarios;  ///< folder that the console may play
  bool check_config = false;
  bool json = false;  ///< of check_config
  bool insecure_no_auth = false;
};

/// The configuration that these options ask for: the file or the demo, with the options over it.
[[nodiscard]] core::result<core::config> configuration_for(const serve_options& options, const environment_lookup& environment);

/// The exit status: 0 after a signal, 1 when it cannot start.
[[nodiscard]] int serve(const serve_options& options);

}  // namespace troupe::app
