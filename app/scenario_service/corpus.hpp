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

/// What a file was like when it was looked at: another one is there where this differs.
struct file_stamp {
  std::string name;
  std::uintmax_t size = 0;
  std::filesystem::file_time_type written;

  friend bool operator==(const file_stamp&, const file_stamp&) = default;
};

struct corpus {
  std::vector<std::string> files;                            ///< from the folder on, in order
  std::vector<file_stamp> stamps;                            ///< of these, in the same order
  std::vector<std::pair<std::string, std::string>> refused;  ///< with the reason
};

/// Every `.json` below the folder but schemas and what hides behind a dot. Links are followed where they stay in the folder.
/// More than `max_corpus_files` is a `payload_too_large`.
[[nodiscard]] core::result<corpus> list_corpus(const std::filesystem::path& folder);

}  // namespace troupe::app
