// The command line (DESIGN §12): parses it and runs the command. Exit status 0 success, 1 a finding or failure, 2 wrong usage.
#pragma once

#include "app/cli/command_tree.hpp"

namespace troupe::app {

[[nodiscard]] int run_command_line(int argc, char** argv);
/// What it understands.
[[nodiscard]] command_entry command_tree();

}  // namespace troupe::app
