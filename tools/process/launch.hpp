// Starts the guard of a program: looks the program up, puts it into the sandbox, writes the plan, makes the pipes. Any thread.
#pragma once

#include "tools/process/process.hpp"
#include "tools/workspace.hpp"

#include <string>

#include <sys/types.h>

namespace troupe::tools {

/// Our ends do not block and are closed by exec.
struct launched {
  std::string trouble;  ///< why there is no guard, in plain words; else empty
  pid_t guard = -1;
  file_descriptor control;  ///< guard_protocol.hpp
  file_descriptor input;
  file_descriptor output;
  file_descriptor errors;  ///< closed where stderr goes where stdout goes
};

/// Never forks: posix_spawn, and the guard gets nothing but what is listed here.
[[nodiscard]] launched launch(const process_host& host, const process_options& options);

/// What the system says of an `errno`.
[[nodiscard]] std::string message_of(int problem);

}  // namespace troupe::tools
