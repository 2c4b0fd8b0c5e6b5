#include "app/replay.hpp"

#include "app/scenario/junit.hpp"
#include "app/scenario/runner.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>

namespace troupe::app {

namespace fs = std::filesystem;
using core::errc;
using core::error;

namespace {

int wrong_usage(const std::string& text) {
  std::fprintf(stderr, "troupe replay: %s\n", text.c_str());
  return 2;
}

/// Every `.json` below a folder but the schema; a file as it is named. In order, each once.
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

void print(const test_case& c) {
  switch (c.outcome.what) {
    case verdict::passed:
      return void(std::printf("passed  %s\n", c.file.c_str()));
    case verdict::skipped:
      return void(std::printf("skipped %s: %s\n", c.file.c_str(), c.outcome.text.c_str()));
    case verdict::failed:
      return void(std::printf("failed  %s\n%s\n", c.file.c_str(), c.outcome.text.c_str()));
  }
}

}  // namespace

int replay(const replay_options& options) {
  auto files = scenario_files(options.paths);
  if (!files) return wrong_usage(files.error().text);
  // All are read before any is played: a mistake in one is told at once.
  std::vector<scenario> scenarios;
  for (const auto& file : *files) {
    auto loaded = load_scenario(file);
    if (!loaded) return wrong_usage(loaded.error().text);
    scenarios.push_back(std::move(*loaded));
  }
  std::vector<test_case> cases;
  for (const auto& s : scenarios) {
    auto started = std::chrono::steady_clock::now();
    auto outcome = run_scenario(s, {options.restart_every_step});
    cases.push_back({s.file, std::move(outcome), std::chrono::steady_clock::now() - started});
    print(cases.back());
  }
  auto count = [&](verdict v) {
    return static_cast<std::size_t>(
        std::count_if(cases.begin(), cases.end(), [v](const auto& c) { return c.outcome.what == v; }));
  };
  std::printf("%zu scenarios: %zu passed, %zu failed, %zu skipped\n", cases.size(), count(verdict::passed),
              count(verdict::failed), count(verdict::skipped));
  if (options.junit) {
    std::ofstream out(*options.junit, std::ios::binary);
    out << junit_report(cases);
    if (!out.flush()) return wrong_usage(*options.junit + ": cannot be written");
  }
  return count(verdict::failed) == 0 ? 0 : 1;
}

}  // namespace troupe::app
