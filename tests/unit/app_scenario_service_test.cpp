#include "app/cli/progress.hpp"
#include "app/scenario_service/corpus.hpp"
#include "app_scenario_support.hpp"

#include <catch2/catch.hpp>

#include <fstream>

using namespace troupe;
using namespace troupe::testing;
namespace fs = std::filesystem;

namespace {

std::string reason_of(const app::corpus& all, const std::string& file) {
  for (const auto& [name, reason] : all.refused)
    if (name == file) return reason;
  return {};
}

}  // namespace

TEST_CASE("corpus: scenarios below the folder, in order, not schemas, hidden files, or what is something else") {
  scenario_folder f;
  for (const auto* name : {"b.json", "a/deep/c.json", "scenario.schema.json", ".hidden.json", ".git/x.json", "notes.txt"})
    f.put(name, "{}");
  auto found = app::list_corpus(f.path);
  REQUIRE(found.has_value());
  CHECK(found->files == std::vector<std::string>{"a/deep/c.json", "b.json"});
  CHECK(found->refused.empty());
}

TEST_CASE("corpus: links count where they stay in the folder, and nothing beyond it is looked at") {
  scenario_folder f, outside;
  f.put("inner/a.json", "{}");
  outside.put("secret.json", "{}");
  fs::create_symlink(f.path / "inner/a.json", f.path / "same.json");
  fs::create_symlink(outside.path / "secret.json", f.path / "out.json");
  fs::create_symlink("/nowhere/at/all.json", f.path / "lost.json");
  fs::create_directory_symlink(outside.path, f.path / "way");
  auto found = app::list_corpus(f.path);
  REQUIRE(found.has_value());
  CHECK(found->files == std::vector<std::string>{"inner/a.json", "same.json"});
  CHECK(reason_of(*found, "out.json") == "is a link that leads out of the folder");
  CHECK(reason_of(*found, "lost.json") == "is a link that leads nowhere");
  CHECK(found->refused.size() == 2);
}

TEST_CASE("corpus: what is too large, has an impossible name, or lies too deep") {
  scenario_folder f;
  f.put("large.json", "{}");
  fs::resize_file(f.path / "large.json", app::max_corpus_file_bytes + 1);
  f.put("line\nbreak.json", "{}");
  f.put("\xff.json", "{}");
  std::string deep;
  for (int i = 0; i < 20; ++i) deep += "d/";
  f.put(deep + "x.json", "{}");
  auto found = app::list_corpus(f.path);
  REQUIRE(found.has_value());
  CHECK(found->files.empty());
  CHECK(reason_of(*found, "large.json") == "is larger than 8388608 bytes");
  CHECK(reason_of(*found, "\xEF\xBF\xBD.json") == "has a name that is no text");
  CHECK(found->refused.size() == 3);
  CHECK(app::list_corpus(f.path / "nowhere").has_error());
}

TEST_CASE("progress: how far, how many failed, and what is done now, in the columns there are") {
  CHECK(app::progress_text(0, 8, 0, "a.json", 80) == "[........................] 0/8  a.json");
  CHECK(app::progress_text(4, 8, 1, "b\x1b[2J.json", 80) == "[############............] 4/8, 1 failed  b^[[2J.json");
  CHECK(app::progress_text(8, 8, 0, "", 80).starts_with("[########################] 8/8"));
  CHECK(app::progress_text(0, 0, 0, "x", 80).starts_with("[########################] 0/0"));
  CHECK(app::progress_text(1, 8, 0, std::string(500, 'x'), 60).size() <= 62);  // an ellipsis has three bytes
}
