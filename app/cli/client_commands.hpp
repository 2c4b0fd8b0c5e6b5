// The commands of `commands.hpp` and `chat.hpp` on the command line: their options, what is checked of them before anything is
// asked, and examples. Made by run_command_line.
#pragma once

#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace CLI {  // NOLINT(readability-identifier-naming): theirs
class App;
}

namespace troupe::app {

class client_commands {
 public:
  /// Adds them to `cli`, which outlives this.
  explicit client_commands(CLI::App& cli);
  /// Exit status of the one that was given; nothing where it was another command.
  [[nodiscard]] std::optional<int> run() const;

 private:
  void add_reading(CLI::App& cli);
  void add_approvals(CLI::App& cli);
  void add_operating(CLI::App& cli);
  void add_documents(CLI::App& cli);

  std::vector<std::pair<CLI::App*, std::function<int()>>> commands_;
};

}  // namespace troupe::app
