// docs/errors.md is what people read about an error: its table must say what core/error.cpp does.
#include "core/error.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

using namespace troupe::core;

namespace {

struct documented {
  std::string code;
  std::string status;
  std::string retry;
  std::string meaning;
  std::string remedy;
};

std::string trimmed(const std::string& text) {
  auto begin = text.find_first_not_of(" `");
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(" `") - begin + 1);
}

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> out;
  for (std::size_t at = 1; at < line.size();) {
    auto end = line.find('|', at);
    if (end == std::string::npos) break;
    out.push_back(trimmed(line.substr(at, end - at)));
    at = end + 1;
  }
  return out;
}

/// The rows that begin with a code.
std::vector<documented> table_of_errors() {
  std::ifstream in(std::filesystem::path(TROUPE_SOURCE_DIR) / "docs" / "errors.md");
  REQUIRE(in);
  std::vector<documented> out;
  for (std::string line; std::getline(in, line);) {
    if (line.compare(0, 3, "| `") != 0) continue;
    auto cells = cells_of(line);
    INFO(line);
    REQUIRE(cells.size() == 5);
    out.push_back({cells[0], cells[1], cells[2], cells[3], cells[4]});
  }
  return out;
}

}  // namespace

TEST_CASE("docs/errors.md: a row for every code, with its status and whether to try again", "[docs]") {
  auto rows = table_of_errors();
  REQUIRE(rows.size() == static_cast<std::size_t>(errc_count));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto code = static_cast<errc>(i);
    const auto& row = rows[i];
    INFO(row.code);
    CHECK(row.code == to_string(code));
    CHECK(row.status == std::to_string(http_status(code)));
    CHECK(row.retry == (is_retryable(code) ? "yes" : "no"));
    CHECK_FALSE(row.meaning.empty());
    CHECK_FALSE(row.remedy.empty());
  }
}
