// The command line as data: what it understands, as the parser knows it. The manual page and the completions are made of it, so
// that they name what there is.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace CLI {  // NOLINT(readability-identifier-naming): theirs
class App;
}

namespace troupe::app {

struct option_entry {
  std::vector<std::string> names;  ///< with their dashes; of a positional: its name
  std::string value;               ///< what stands for its value; empty: a flag
  std::string says;
  std::string fallback;  ///< default
  std::string environment;
  std::vector<std::string> words;  ///< the only values there are; empty: any
  bool is_positional = false;
  bool is_required = false;
};

struct command_entry {
  std::string name;
  std::string says;
  std::string footer;
  std::vector<option_entry> options;
  std::vector<command_entry> commands;
};

/// Hidden commands are left out.
[[nodiscard]] command_entry tree_of(const CLI::App& cli);
/// roff, for man(1).
[[nodiscard]] std::string manual_page(const command_entry& root);
/// `shell`: bash, zsh or fish.
[[nodiscard]] std::string completion_script(const command_entry& root, std::string_view shell);

}  // namespace troupe::app
