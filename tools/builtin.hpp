// Makers of the built-in tools, for builtin_tools(), app/tool_setup.cpp and tests. A tool holds no state besides its spec.
#pragma once

#include "tools/tool.hpp"

#include <memory>
#include <vector>

namespace troupe::tools {

[[nodiscard]] std::unique_ptr<tool> make_clock();
[[nodiscard]] std::unique_ptr<tool> make_calculator();
/// write_file, read_file, edit_file, list_files, grep_file, delete_file.
[[nodiscard]] std::vector<std::unique_ptr<tool>> make_file_tools();
/// Mode `actors`: the agent loop gives the rest of a long output. Every agent has it.
[[nodiscard]] std::unique_ptr<tool> make_read_output();

}  // namespace troupe::tools
