#include "app/replay_files.hpp"

#include "providers/utf8.hpp"

#include <boost/json/serialize.hpp>

#include <fnmatch.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>

namespace troupe::app {

namespace fs = std::filesystem;
namespace json = boost::json;
using core::errc;
using core::error;

namespace {

constexpr std::size_t most_paths = 100'000;
constexpr std::size_t longest_path = 4'096;

std::string words_of(const std::vector<std::string>& tags) {
  std::string out;
  for (const auto& tag : tags) out += " #" + tag;
  return out;
}

void tell(const scenario& s, bool as_json) {
  if (!as_json) return void(std::printf("%s  %s%s\n", s.file.c_str(), s.title.c_str(), words_of(s.tags).c_str()));
  json::object out{{"file", s.file}, {"description", s.title}, {"tags", json::array(s.tags.begin(), s.tags.end())}};
  json::object skip;
  for (const auto& [mode, reason] : s.skip) skip[mode] = reason;
  if (!skip.empty()) out["skip"] = std::move(skip);
  std::puts(json::serialize(out).c_str());
}

void tell(const std::string& file, const error& problem, bool as_json) {
  if (!as_json) return void(std::printf("%s  is no scenario: %s\n", file.c_str(), problem.text.c_str()));
  // A problem quotes what is wrong, perhaps cut within a character: one such line would be no JSON to who reads the list.
  json::object out{{"file", file}, {"description", ""}, {"tags", json::array()}, {"problem", providers::to_utf8(problem.text)}};
  std::puts(json::serialize(out).c_str());
}

}  // namespace

core::result<std::vector<std::string>> scenario_files(const std::vector<std::string>& paths) {
  std::vector<std::string> out;
  for (const auto& path : paths) {
    std::error_code failure;
    auto status = fs::status(path, failure);
    if (!fs::exists(status)) return error{errc::configuration_error, path + ": there is no such file or folder"};
    if (!fs::is_directory(status)) {
      out.push_back(path);
      continue;
    }
    auto before = out.size();
    for (auto it = fs::recursive_directory_iterator(path, failure); !failure && it != fs::recursive_directory_iterator();
         it.increment(failure)) {
      auto name = it->path().generic_string();
      if (it->is_regular_file(failure) && name.ends_with(".json") && !name.ends_with(".schema.json")) out.push_back(name);
    }
    if (failure) return error{errc::configuration_error, path + ": cannot be listed: " + failure.message()};
    if (out.size() == before) return error{errc::configuration_error, path + ": there is no scenario (*.json) in this folder"};
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  if (out.empty()) return error{errc::configuration_error, "name at least one scenario file or folder"};
  return out;
}

core::result<std::vector<std::string>> paths_from(const std::string& file) {
  std::ifstream opened;
  if (file != "-") opened.open(file);
  std::istream& in = file == "-" ? std::cin : opened;
  if (!in) return error{errc::configuration_error, "--files-from " + file + ": cannot be opened"};
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);) {
    if (line.empty()) continue;
    if (line.size() > longest_path || out.size() == most_paths)
      return error{errc::configuration_error, "--files-from " + file + ": at most " + std::to_string(most_paths) +
                                                  " lines of " + std::to_string(longest_path) + " bytes are read"};
    out.push_back(std::move(line));
  }
  return out;
}

bool is_wanted_file(const std::string& file, const std::vector<std::string>& globs) {
  return globs.empty() || std::any_of(globs.begin(), globs.end(), [&](const std::string& glob) {
           // Without a slash the glob is about the name alone; a part of a path fits at any depth.
           return ::fnmatch(glob.c_str(), file.c_str(), 0) == 0 || ::fnmatch(("*/" + glob).c_str(), file.c_str(), 0) == 0;
         });
}

bool is_wanted(const scenario& s, const std::vector<std::string>& tags) {
  return std::all_of(tags.begin(), tags.end(),
                     [&](const std::string& tag) { return std::find(s.tags.begin(), s.tags.end(), tag) != s.tags.end(); });
}

bool list_scenarios(const std::vector<std::string>& files, const std::vector<std::string>& tags, bool as_json) {
  bool all_good = true;
  for (const auto& file : files) {
    auto loaded = load_scenario(file);
    if (!loaded)
      tell(file, loaded.error(), as_json);
    else if (is_wanted(*loaded, tags))
      tell(*loaded, as_json);
    all_good = all_good && loaded.has_value();
  }
  return all_good;
}

}  // namespace troupe::app
