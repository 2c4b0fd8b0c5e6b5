// `troupe chat`: a conversation in a terminal, or in a pipe.
#pragma once

#include "app/cli/remote_api.hpp"

#include <string>
#include <vector>

namespace troupe::app {

struct chat_options : connection_options {
  std::string project;
  std::string agent;
  std::string session;               ///< empty: a new one
  std::vector<std::string> message;  ///< words of one message; a single `-`: all of stdin; none: lines of stdin
};

/// 0 when the person left, or all that was asked was answered; 1 otherwise, said on stderr.
[[nodiscard]] int chat(const chat_options& options);

}  // namespace troupe::app
