// A running server as the scene of a scenario: commands go over its REST API, events come over its event stream, as to the
// client of a session of its own. Time is real. Owned by `troupe replay --url`; one thread.
#pragma once

#include "app/scenario/scene.hpp"

#include <memory>
#include <string>

namespace troupe::app {

struct remote_options {
  std::string url;      ///< http://HOST:PORT
  std::string token;    ///< credentials; empty: none
  std::string project;  ///< empty: the server's first
  std::string agent;    ///< empty: the project's default
  double speed = 1;     ///< times real time, for pauses between commands
};

/// Opens a session. An error names the server and what it answered.
[[nodiscard]] core::result<std::unique_ptr<scene>> open_remote(const remote_options& options);

}  // namespace troupe::app
