// Makers of the built-in tools, for builtin_tools() and for tests. A tool holds no state besides its spec.
#pragma once

#include "tools/tool.hpp"

#include <memory>
#include <vector>

namespace troupe::tools {

[[nodiscard]] std::unique_ptr<tool> make_clock();
[[nodiscard]] std::unique_ptr<tool> make_calculator();
/// write_file, read_file, list_files, grep_file, delete_file.
[[nodiscard]] std::vector<std::unique_ptr<tool>> make_file_tools();

}  // namespace troupe::tools
