#include "app/scenario_service/corpus.hpp"

#include "providers/utf8.hpp"

#include <algorithm>

namespace troupe::app {

namespace fs = std::filesystem;
using core::errc;
using core::error;

namespace {

constexpr int max_folder_depth = 16;

bool is_text(const std::string& name) {
  return providers::scan_utf8(name).valid == name.size() &&
         std::none_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

bool is_below(const fs::path& file, const fs::path& folder) {
  auto [end, rest] = std::mismatch(folder.begin(), folder.end(), file.begin(), file.end());
  return end == folder.end() && rest != file.end();
}

/// Why it cannot be played, or empty, and then `stamp` is what it is like.
std::string defect_of(const fs::directory_entry& entry, const fs::path& folder, file_stamp& stamp) {
  std::error_code failure;
  if (entry.is_symlink(failure)) {
    auto target = fs::canonical(entry.path(), failure);
    if (failure) return "is a link that leads nowhere";
    if (!is_below(target, folder)) return "is a link that leads out of the folder";
  }
  if (!entry.is_regular_file(failure)) return "is no file";
  stamp.size = entry.file_size(failure);
  if (!failure) stamp.written = fs::last_write_time(entry.path(), failure);
  if (failure) return "cannot be looked at: " + failure.message();
  if (stamp.size > max_corpus_file_bytes) return "is larger than " + std::to_string(max_corpus_file_bytes) + " bytes";
  return {};
}

}  // namespace

core::result<corpus> list_corpus(const fs::path& named) {
  corpus out;
  std::error_code failure;
  auto wrong = [&] {
    return error{errc::storage_unavailable, "the folder of scenarios cannot be listed: " + failure.message()};
  };
  auto folder = fs::canonical(named, failure);
  if (failure) return wrong();
  auto options = fs::directory_options::skip_permission_denied;
  auto it = fs::recursive_directory_iterator(folder, options, failure);
  for (; !failure && it != fs::recursive_directory_iterator(); it.increment(failure)) {
    bool is_hidden = it->path().filename().native().starts_with('.');
    std::error_code ignored;
    if (it->is_directory(ignored)) {
      if (is_hidden || it.depth() >= max_folder_depth) it.disable_recursion_pending();
      continue;
    }
    auto name = it->path().lexically_relative(folder).generic_string();
    if (is_hidden || !name.ends_with(".json") || name.ends_with(".schema.json")) continue;
    if (out.stamps.size() + out.refused.size() == max_corpus_files)
      return error{errc::payload_too_large,
                   "the folder has more than " + std::to_string(max_corpus_files) + " scenarios; serve a smaller one"};
    file_stamp stamp;
    if (!is_text(name)) {
      out.refused.emplace_back(providers::bounded_text(providers::to_utf8(name), 1'024), "has a name that is no text");
    } else if (auto defect = defect_of(*it, folder, stamp); !defect.empty()) {
      out.refused.emplace_back(std::move(name), std::move(defect));
    } else {
      stamp.name = std::move(name);
      out.stamps.push_back(std::move(stamp));
    }
  }
  if (failure) return wrong();
  std::sort(out.stamps.begin(), out.stamps.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  for (const auto& stamp : out.stamps) out.files.push_back(stamp.name);
  return out;
}

}  // namespace troupe::app
