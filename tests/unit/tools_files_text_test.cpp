#include "tests/unit/tools_files_fixture.hpp"
#include "tools/workspace.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include <sys/stat.h>

using namespace troupe;
using namespace troupe::testing;

namespace {

using fixture = files_fixture;

}  // namespace

TEST_CASE("files: binary and large content is refused, at the limit it is not", "[tools]") {
  fixture f;
  f.put(f.home() / "nul.bin", std::string_view("a\0b", 3));
  f.put(f.home() / "picture.txt", "\x89PNG\r\n\x1A\n");
  for (const auto& [tool, arguments] : std::vector<std::pair<std::string, json::object>>{
           {"read_file", {}}, {"grep_file", {{"pattern", "a"}}}, {"edit_file", {{"old", "a"}, {"new", "b"}}}}) {
    auto with = arguments;
    with[tool == "grep_file" ? "file" : "path"] = "nul.bin";
    CHECK(f.failure(tool, with) == "`nul.bin` is not a text file but binary data of 3 bytes; file tools read text only");
    with[tool == "grep_file" ? "file" : "path"] = "picture.txt";
    CHECK(has(f.failure(tool, with), "a PNG image of 8 bytes"));
  }
  CHECK(has(f.failure("write_file", {{"path", "w"}, {"content", std::string_view("\0", 1)}}), "was not written"));
  std::string most(1 << 20, 'x');
  CHECK(f.call("write_file", {{"path", "most"}, {"content", most}}).ok);
  CHECK(f.call("read_file", {{"path", "most"}}).output == most);
  CHECK(has(f.failure("write_file", {{"path", "more"}, {"content", most + "x"}}), "at most 1048576"));
  CHECK_FALSE(fs::exists(f.home() / "more"));
  f.put(f.home() / "more", "x");
  fs::resize_file(f.home() / "more", tools::max_file_bytes + 1);
  CHECK(has(f.failure("read_file", {{"path", "more"}}), "are not read"));
}

TEST_CASE("files: a large file is read by lines", "[tools]") {
  fixture f;
  f.put(f.home() / "five", "1\n2\n3\n4\n5");
  auto read = [&](json::object arguments) {
    arguments["path"] = "five";
    return f.call("read_file", arguments).output;
  };
  CHECK(read({}) == "1\n2\n3\n4\n5");
  CHECK(read({{"offset", 2}, {"limit", 2}}) == "2\n3\n[Lines 2 to 3 of 5; read on with offset 4.]\n");
  CHECK(read({{"offset", 4}}) == "4\n5\n[Lines 4 to 5 of 5.]\n");
  CHECK(read({{"limit", 5}}) == "1\n2\n3\n4\n5");
  CHECK(read({{"offset", 6}}) == "`five` has 5 lines; there is no line 6");
  std::string line(999, 'a');
  std::string large;
  for (int i = 0; i < 3'000; ++i) large += line + "\n";
  f.put(f.home() / "large", large);
  auto first = f.call("read_file", {{"path", "large"}});
  REQUIRE(first.ok);
  CHECK(has(first.output.substr(first.output.size() - 100), "[Lines 1 to 1048 of 3000; read on with offset 1049.]"));
  CHECK(first.output.size() < (1 << 20) + 100);
  f.put(f.home() / "wide", std::string(3 << 20, 'a') + "\nb\n");
  auto wide = f.call("read_file", {{"path", "wide"}}).output;
  CHECK(
      has(wide.substr(wide.size() - 200), "[Line 1 is cut after 1048576 bytes.]\n[Lines 1 to 1 of 2; read on with offset 2.]"));
  CHECK(f.call("read_file", {{"path", "wide"}, {"offset", 2}}).output == "b\n[Lines 2 to 2 of 2.]\n");
}

TEST_CASE("files: text in other encodings is read, searched and edited, and stays in its encoding", "[tools]") {
  fixture f;
  const std::string utf16(
      "\xFF\xFE"
      "a\0\xF1\0\r\0\n\0"
      "b\0\r\0\n\0",
      16);
  f.put(f.home() / "utf16", utf16);
  f.put(f.home() / "mark",
        "\xEF\xBB\xBF"
        "añ\r\nb\r\n");
  f.put(f.home() / "latin", "a\xF1\r\nb\r\n");
  CHECK(f.call("read_file", {{"path", "utf16"}}).output == "añ\r\nb\r\n[The file is in UTF-16.]\n");
  CHECK(f.call("read_file", {{"path", "mark"}}).output == "añ\r\nb\r\n");
  CHECK(has(f.call("read_file", {{"path", "latin"}}).output, "[The file is not UTF-8; it was read as windows-1252.]"));
  for (const char* path : {"utf16", "mark", "latin"}) {
    CHECK(f.call("grep_file", {{"pattern", "ñ$"}, {"file", path}}).output == "1: añ\n");
    CHECK(f.call("edit_file", {{"path", path}, {"old", "ñ\nb"}, {"new", "é\nc\nd"}}).ok);
  }
  CHECK(f.content_of(f.home() / "utf16") == std::string("\xFF\xFE"
                                                        "a\0\xE9\0\r\0\n\0"
                                                        "c\0\r\0\n\0"
                                                        "d\0\r\0\n\0",
                                                        22));
  CHECK(f.content_of(f.home() / "mark") ==
        "\xEF\xBB\xBF"
        "aé\r\nc\r\nd\r\n");
  CHECK(f.content_of(f.home() / "latin") == "a\xE9\r\nc\r\nd\r\n");
  auto refused = f.failure("edit_file", {{"path", "latin"}, {"old", "c"}, {"new", "中"}});
  CHECK(has(refused, "`latin` was not changed: windows-1252 has no `中`"));
  CHECK(f.content_of(f.home() / "latin") == "a\xE9\r\nc\r\nd\r\n");
}

TEST_CASE("files: an edit replaces a passage that is there once, or all", "[tools]") {
  fixture f;
  auto edit = [&](std::string_view old_text, std::string_view new_text, bool all = false) {
    json::object arguments{{"path", "./a.txt"}, {"old", old_text}, {"new", new_text}};
    if (all) arguments["all"] = true;
    return f.call("edit_file", arguments).output;
  };
  auto put = [&](std::string_view content) { f.put(f.home() / "a.txt", content); };
  auto now = [&] { return f.content_of(f.home() / "a.txt"); };
  put("one\ntwo\nthree two\n");
  CHECK(json::parse(edit("three", "3")) ==
        json::value({{"path", "a.txt"}, {"replaced", 1}, {"lines", json::array{3}}, {"size", 14}}));
  CHECK(now() == "one\ntwo\n3 two\n");
  CHECK(edit("two", "2") ==
        "`./a.txt` was not changed: `old` occurs 2 times (lines 2, 3); give more of the text around the one "
        "you mean, or set `all` to change each");
  CHECK(edit("four", "4") ==
        "`./a.txt` was not changed: `old` does not occur in it; read the file and give the passage exactly as "
        "it is there, without line numbers");
  CHECK(has(edit("  two\n3\n", "x"), "occurs on line 2 but for the blanks"));
  CHECK(has(edit("one", "one"), "are the same"));
  CHECK(has(edit("", "x"), "`old` is empty"));
  CHECK(has(edit("one", std::string_view("\0", 1)), "holds NUL"));
  CHECK(now() == "one\ntwo\n3 two\n");
  CHECK(json::parse(edit("two", "", true)).at("replaced") == 2);
  CHECK(now() == "one\n\n3 \n");
  put("aaa");
  CHECK(has(edit("aa", "b"), "occurs 2 times"));
  put(std::string(100, 'a'));
  CHECK(has(edit("a", "b"), "occurs more than 10 times (lines 1, 1"));
  put(std::string(1 << 20, 'a'));
  CHECK(has(edit("a", std::string(1'000, 'b'), true), "it would have 1048576000 bytes"));
  CHECK(json::parse(edit("a", "bc", true)).at("size") == 2 << 20);
  put("a\r\nb\nc\r\n");  // mixed line ends: only the exact bytes
  CHECK(has(edit("a\nb", "x"), "does not occur"));
  CHECK(json::parse(edit("a\r\nb", "x")).at("replaced") == 1);
  CHECK(now() == "x\nc\r\n");
  CHECK(has(f.failure("edit_file", {{"path", "none"}, {"old", "a"}, {"new", "b"}}), "there is no `none`"));
}

TEST_CASE("files: a hostile edit takes linear time", "[tools]") {
  fixture f;
  f.put(f.home() / "a", std::string(8 << 20, 'a'));
  auto old_text = std::string(500'000, 'a') + "b";
  CHECK(has(f.failure("edit_file", {{"path", "a"}, {"old", old_text}, {"new", "x"}}), "does not occur"));
}

TEST_CASE("files: edits of one file at the same time all arrive, and readers see whole files", "[tools]") {
  fixture f;
  std::string content;
  for (int i = 0; i < 64; ++i) content += "<" + std::to_string(i) + ">\n";
  f.put(f.home() / "a", content);
  std::atomic<int> changed{0}, torn{0};
  std::atomic<bool> done{false};
  std::thread reader([&] {
    while (!done) torn += f.call("read_file", {{"path", "a"}}).output.ends_with("63>\n") ? 0 : 1;
  });
  std::vector<std::thread> writers;
  for (int w = 0; w < 4; ++w)
    writers.emplace_back([&, w] {
      for (int i = w; i < 63; i += 4) {
        auto number = std::to_string(i);
        changed += f.call("edit_file", {{"path", "a"}, {"old", "<" + number + ">"}, {"new", "[" + number + "]"}}).ok ? 1 : 0;
      }
    });
  for (auto& writer : writers) writer.join();
  done = true;
  reader.join();
  CHECK(changed == 63);
  CHECK(torn == 0);
  CHECK(f.content_of(f.home() / "a").find('<') == f.content_of(f.home() / "a").find("<63>"));
}

TEST_CASE("files: a folder is searched with all below", "[tools]") {
  fixture f;
  for (const char* path : {"a/b/deep.txt", "a/x.txt", "z.txt"})
    REQUIRE(f.call("write_file", {{"path", path}, {"content", "first\nneedle here\n"}}).ok);
  f.put(f.home() / "a/picture.png", "\x89PNG\r\n\x1A\nneedle");
  REQUIRE(::mkfifo((f.home() / "a/pipe").c_str(), 0600) == 0);
  fs::create_symlink(f.base / "secret.txt", f.home() / "a/out");
  CHECK(f.call("grep_file", {{"pattern", "needle|secret"}, {"file", ""}}).output ==
        "a/b/deep.txt:2: needle here\na/x.txt:2: needle here\nz.txt:2: needle here\n"
        "1 files were not searched: not text, too large, or not to be opened.\n");
  CHECK(f.call("grep_file", {{"pattern", "needle"}, {"file", "a/b"}}).output == "a/b/deep.txt:2: needle here\n");
  CHECK(has(f.failure("grep_file", {{"pattern", "x"}, {"file", "none"}}), "there is no `none`"));
  std::string lines;
  for (int i = 0; i < 150; ++i) lines += "needle\n";
  f.put(f.home() / "a/many1", lines);
  f.put(f.home() / "a/many2", lines);
  auto many = f.call("grep_file", {{"pattern", "needle"}, {"file", "a"}}).output;
  CHECK(std::count(many.begin(), many.end(), '\n') < 205);
  CHECK(has(many, "more matching lines"));
  CHECK(has(many, "search a smaller folder"));
  for (int i = 0; i < 5; ++i) {
    f.put(f.home() / ("big" + std::to_string(i)), "x");
    fs::resize_file(f.home() / ("big" + std::to_string(i)), 15 << 20);  // all NUL: not text, but read to see it
  }
  auto binary = f.call("grep_file", {{"pattern", "nothing"}, {"file", "."}}).output;
  CHECK(has(binary, "5 files were not searched"));
  CHECK(has(binary, "search a smaller folder"));
}

TEST_CASE("files: a search takes any pattern in bounded time and output", "[tools]") {
  fixture f;
  f.put(f.home() / "long", std::string(1'000'000, 'a') + "\n");
  auto found = f.call("grep_file", {{"pattern", "(a*)*b|(a+)+$"}, {"file", "long"}});
  CHECK(found.ok);
  CHECK(found.output.size() < 1000);
  CHECK(has(found.output, "only the first 16384 bytes"));
  std::string lines;
  for (int i = 0; i < 1000; ++i) lines += "line\n";
  f.put(f.home() / "lines", lines);
  CHECK(has(f.call("grep_file", {{"pattern", "line"}, {"file", "lines"}}).output, "200: line\n… and 800 more matching lines."));
  CHECK(f.call("grep_file", {{"pattern", "zzz"}, {"file", "lines"}}).output == "No line matches.\n");
  for (const char* pattern : {"(", "a{1000}{1000}{1000}", "(?=a)", "\\1"})
    CHECK(has(f.failure("grep_file", {{"pattern", pattern}, {"file", "lines"}}), "not a regular expression"));
  CHECK(has(f.failure("grep_file", {{"pattern", "(a?){900}b"}, {"file", "lines"}}), "too complex"));
  CHECK(f.call("grep_file", {{"pattern", "(?i)^\\p{L}+\\W*$"}, {"file", "lines"}}).ok);
  CHECK(has(f.failure("grep_file", {{"pattern", std::string(5000, 'a')}, {"file", "lines"}}), "longer than 1000"));
}

TEST_CASE("files: a search stops when its call is given up", "[tools]") {
  fixture f;
  f.put(f.home() / "lines", "a\nb\n");
  tools::tool_context context;
  context.workspace = f.home();
  context.cancelled = std::make_shared<std::atomic<bool>>(true);
  auto result = f.box.find("grep_file")->run(context, {{"pattern", "a"}, {"file", "lines"}});
  CHECK_FALSE(result.ok);
  CHECK(has(result.output, "stopped"));
}
