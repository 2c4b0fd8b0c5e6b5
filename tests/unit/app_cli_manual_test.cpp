#include "app/cli/command_tree.hpp"
#include "app/command_line.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <functional>
#include <sstream>

using namespace troupe;

namespace {

std::string file(const std::string& path) {
  std::ifstream in(TROUPE_SOURCE_DIR "/" + path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

void each(const app::command_entry& c, const std::string& path,
          const std::function<void(const std::string&, const app::command_entry&)>& with) {
  with(path, c);
  for (const auto& sub : c.commands) each(sub, path + " " + sub.name, with);
}

std::string roff(std::string text) {
  for (std::size_t at = 0; (at = text.find('-', at)) != std::string::npos; at += 2) text.insert(at, 1, '\\');
  return text;
}

}  // namespace

TEST_CASE("manual page: names every command and option that the program knows", "[app]") {
  auto page = file("docs/troupe.1");
  int options = 0;
  each(app::command_tree(), "troupe", [&](const std::string& path, const app::command_entry& c) {
    auto begin = path == "troupe" ? page.find(".SH OPTIONS") : page.find(".SS " + roff(path) + "\n");
    INFO(path);
    REQUIRE(begin != std::string::npos);
    auto section = page.substr(begin, page.find("\n.S", begin + 1) - begin);
    for (const auto& o : c.options) {
      if (o.names.back() == "--help") continue;
      INFO(o.names.back());
      CHECK(section.find(roff(o.names.back()) + "\\fR") != std::string::npos);
      ++options;
    }
  });
  CHECK(options > 60);
}

TEST_CASE("manual page: is what `troupe manual` prints", "[app]") {
  bool is_current = app::manual_page(app::command_tree()) == file("docs/troupe.1");
  INFO("write it again: troupe manual > docs/troupe.1");
  CHECK(is_current);
}

TEST_CASE("help: every command teaches by example", "[app]") {
  each(app::command_tree(), "troupe", [&](const std::string& path, const app::command_entry& c) {
    INFO(path);
    CHECK(c.footer.find("troupe ") != std::string::npos);
    CHECK(!c.says.empty());
    for (const auto& o : c.options) CHECK(!o.says.empty());
  });
}

TEST_CASE("command line guide: shows every command that talks to a server or looks after it", "[app]") {
  auto guide = file("docs/cli.md");
  each(app::command_tree(), "troupe", [&](const std::string& path, const app::command_entry& c) {
    INFO(path);
    if (c.commands.empty()) CHECK(guide.find(path) != std::string::npos);
  });
}

TEST_CASE("completions: know every command", "[app]") {
  auto tree = app::command_tree();
  for (auto shell : {"bash", "zsh", "fish"}) {
    auto script = app::completion_script(tree, shell);
    each(tree, "troupe", [&](const std::string& path, const app::command_entry& c) {
      INFO(shell << ": " << path);
      CHECK(script.find(c.name) != std::string::npos);
    });
  }
}
