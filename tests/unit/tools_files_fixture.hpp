// A session's workspace in a temporary folder, beside a secret that no tool may reach, and the built-in tools on it.
#pragma once

#include "tools/tool.hpp"

#include <boost/json/object.hpp>

#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace troupe::testing {

namespace fs = std::filesystem;
namespace json = boost::json;

/// A workspace beside a secret, both gone afterwards.
struct files_fixture {
  files_fixture() {
    std::string pattern = (fs::temp_directory_path() / "troupe-files-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    base = pattern;
    fs::create_directory(home());
    put(base / "secret.txt", "secret");
  }
  ~files_fixture() { fs::remove_all(base); }
  files_fixture(const files_fixture&) = delete;
  files_fixture& operator=(const files_fixture&) = delete;

  [[nodiscard]] fs::path home() const { return base / "home"; }
  static void put(const fs::path& file, std::string_view content) { std::ofstream(file, std::ios::binary) << content; }
  static std::string content_of(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  /// Any thread: no assertion of Catch in it.
  [[nodiscard]] tools::tool_result call(std::string_view tool, const json::object& arguments) const {
    tools::tool_context context;
    context.workspace = home();
    auto found = box.find(tool);
    return found ? found->run(context, arguments) : tools::tool_result{false, "there is no tool " + std::string(tool)};
  }
  [[nodiscard]] std::string failure(std::string_view tool, const json::object& arguments) const {
    auto result = call(tool, arguments);
    return result.ok ? "no failure: " + result.output : result.output;
  }

  fs::path base;
  tools::toolbox box = tools::builtin_tools().value();
};

inline bool has(const std::string& text, std::string_view part) {
  if (text.find(part) != std::string::npos) return true;
  WARN(text);
  return false;
}

}  // namespace troupe::testing
