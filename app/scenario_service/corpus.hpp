// Which files of a folder are scenarios that may be played: by name and size alone, nothing is opened. Blocks on the disk.
#pragma once

#include "core/error.hpp"

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace troupe::app {

inline constexpr std::size_t max_corpus_files = 5'000;
inline constexpr std::uintmax_t max_corpus_file_bytes = 8 << 20;

struct corpus {
  std::vector<std::string> files;                            ///< from the folder on, in order
  std::vector<std::pair<std::string, std::string>> refused;  ///< with the reason
};

/// Every `.json` below the folder but schemas and what hides behind a dot. Links are followed where they stay in the folder.
/// More than `max_corpus_files` is a `payload_too_large`.
[[nodiscard]] core::result<corpus> list_corpus(const std::filesystem::path& folder);

}  // namespace troupe::app
