// How a program is put into bubblewrap, and where programs are found. Plain functions, any thread; what they ask of the disk
// is a look at a few names.
#pragma once

#include "tools/process/process.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::tools {

/// Where a program in the sandbox sees its writable folder. Outside of the sandbox folders keep their names.
inline constexpr std::string_view sandbox_folder = "/workspace";

/// Where programs of tools are looked for; not what our own environment says.
inline constexpr std::string_view program_path = "/usr/local/bin:/usr/bin:/bin";

/// `name` in `path`, or `name` itself where it is absolute; a file that may be run, or nothing. Other names with a slash are
/// never found, nor are relative folders in `path` searched.
[[nodiscard]] std::optional<std::filesystem::path> find_program(std::string_view name, std::string_view path);

/// bubblewrap 0.8 or newer, where it is installed.
[[nodiscard]] std::optional<std::filesystem::path> find_bubblewrap();

/// The command that runs `command` (its first an absolute path) in a sandbox. A program that is not of the system is shown too.
[[nodiscard]] std::vector<std::string> sandbox_command(const std::filesystem::path& bubblewrap, const sandbox_options& options,
                                                       const std::filesystem::path& folder, std::vector<std::string> command);

}  // namespace troupe::tools
