// What the tests of scenarios share: a text parsed, a folder of files, a text looked through.
#pragma once

#include "app/scenario/scenario.hpp"

#include <catch2/catch.hpp>

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace troupe::testing {

inline app::scenario parsed_scenario(const std::string& text) {
  auto s = app::parse_scenario(text, "f.json");
  INFO((s ? std::string() : s.error().text));
  REQUIRE(s.has_value());
  return std::move(*s);
}

inline bool mentions(const std::string& text, std::string_view part) {
  INFO(text << "\nlacks " << part);
  CHECK(text.find(part) != std::string::npos);
  return text.find(part) != std::string::npos;
}

/// A temporary folder of scenarios.
struct scenario_folder {
  std::filesystem::path path;
  scenario_folder() {
    auto pattern = (std::filesystem::temp_directory_path() / "troupe-scenario-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path = pattern;
  }
  ~scenario_folder() { std::filesystem::remove_all(path); }
  scenario_folder(const scenario_folder&) = delete;
  scenario_folder& operator=(const scenario_folder&) = delete;
  std::string put(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((path / name).parent_path());
    std::ofstream(path / name) << text;
    return (path / name).string();
  }
  [[nodiscard]] std::string get(const std::string& name) const {
    std::ifstream in(path / name);
    return {std::istreambuf_iterator<char>(in), {}};
  }
};

}  // namespace troupe::testing
