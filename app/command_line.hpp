// The command line (DESIGN §12): parses it and runs the command. Exit status 0 success, 1 a finding or failure, 2 wrong usage.
#pragma once

namespace troupe::app {

[[nodiscard]] int run_command_line(int argc, char** argv);

}  // namespace troupe::app
