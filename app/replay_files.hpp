// Which files `troupe replay` is about: what was named, what lies below folders, and what the filters leave.
#pragma once

#include "app/scenario/scenario.hpp"
#include "core/error.hpp"

#include <optional>
#include <string>
#include <vector>

namespace troupe::app {

/// Every `.json` below a folder but the schema; a file as it is named. In order, each once.
[[nodiscard]] core::result<std::vector<std::string>> scenario_files(const std::vector<std::string>& paths);

/// The lines of a file, or of stdin where it is `-`; bounded.
[[nodiscard]] core::result<std::vector<std::string>> paths_from(const std::string& file);

/// Any of the globs fits; without globs every file is wanted.
[[nodiscard]] bool is_wanted_file(const std::string& file, const std::vector<std::string>& globs);
/// Has all of the tags.
[[nodiscard]] bool is_wanted(const scenario& s, const std::vector<std::string>& tags);

/// A line for each of the files: what it is, or why it is no scenario. True where all of them are.
[[nodiscard]] bool list_scenarios(const std::vector<std::string>& files, const std::vector<std::string>& tags, bool as_json);

}  // namespace troupe::app
