#include "app/command_line.hpp"
#include "tools/process/guard.hpp"

#include <string_view>

int main(int argc, char** argv) {
  // The guard of a program that a tool runs is this program too; it must be small and start at once.
  if (argc > 1 && std::string_view(argv[1]) == "guard") return troupe::tools::guard_main(argc, argv);
  return troupe::app::run_command_line(argc, argv);
}
