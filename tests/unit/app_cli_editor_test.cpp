#include "app/cli/chat_view.hpp"
#include "app/cli/input_area.hpp"
#include "app/cli/line_editor.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>

#include <algorithm>
#include <clocale>
#include <cstdio>
#include <functional>

using namespace troupe::app;

namespace {

/// What is in the line after these keys, with `|` at the cursor.
std::string typed(std::string_view keys) {
  std::setlocale(LC_CTYPE, "C.UTF-8");
  line_editor editor;
  editor.feed(keys);
  auto text = editor.text();
  return text.insert(editor.cursor(), "|");
}

std::vector<std::string> lines(line_editor& editor) {
  std::vector<std::string> out;
  while (auto line = editor.next()) out.push_back(*line);
  return out;
}

/// As much of a terminal as the area uses: rows of ASCII, a cursor, and the sequences that move it or take away what is below.
struct small_screen {
  std::size_t columns;
  std::vector<std::string> rows{std::string()};
  std::size_t row = 0;
  std::size_t column = 0;

  void write(std::string_view bytes) {
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      if (bytes[at] == '\r') {
        column = 0;
      } else if (bytes[at] == '\n') {
        if (++row == rows.size()) rows.emplace_back();
      } else if (bytes[at] == '\x1b') {
        auto end = bytes.find_first_of("ACJ", at);
        REQUIRE(end != std::string_view::npos);
        auto by = end == at + 2 ? 1U : std::stoul(std::string(bytes.substr(at + 2, end - at - 2)));
        if (bytes[end] == 'A') {
          REQUIRE(row >= by);
          row -= by;
        } else if (bytes[end] == 'C') {
          column += by;
          REQUIRE(column < columns);
        } else {
          rows.resize(row + 1);
          rows[row].resize(std::min(rows[row].size(), column));
        }
        at = end;
      } else {
        REQUIRE(column < columns);
        rows[row].resize(std::max(rows[row].size(), column + 1), ' ');
        rows[row][column++] = bytes[at];
      }
    }
  }
};

/// Without the empty rows below.
std::vector<std::string> written(small_screen screen) {
  while (screen.rows.size() > 1 && screen.rows.back().empty()) screen.rows.pop_back();
  return screen.rows;
}

terminal of_width(std::size_t width) {
  terminal to;
  to.width = width;
  return to;
}

/// What it writes to stdout.
std::string output_of(const std::function<void()>& work) {
  std::fflush(stdout);
  std::FILE* file = std::tmpfile();
  REQUIRE(file != nullptr);
  const int before = ::dup(STDOUT_FILENO);
  ::dup2(::fileno(file), STDOUT_FILENO);
  work();
  std::fflush(stdout);
  ::dup2(before, STDOUT_FILENO);
  ::close(before);
  std::string out(static_cast<std::size_t>(::lseek(::fileno(file), 0, SEEK_END)), ' ');
  std::rewind(file);
  out.resize(std::fread(out.data(), 1, out.size(), file));
  std::fclose(file);
  return out;
}

}  // namespace

TEST_CASE("line editor: keys move and delete", "[app]") {
  CHECK(typed("hello\x1b[D\x1b[DX") == "helX|lo");
  CHECK(typed("hello\x01X\x05Y") == "XhelloY|");
  CHECK(typed("hello\x1b[HX\x1b[FY\x1bOH\x1bOFZ") == "XhelloYZ|");
  CHECK(typed("hello\x1b[1~X\x1b[4~\x7f\b") == "Xhel|");
  CHECK(typed("one two\x17") == "one |");
  CHECK(typed("one two\x15") == "|");
  CHECK(typed("one two\x02\x02\x0b") == "one t|");
  CHECK(typed("one two\x01\x04\x1b[3~") == "|e two");
  CHECK(typed("one two three\x1b[1;5D\x1b"
              "bX") == "one X|two three");
  CHECK(typed("one two\x1b\x7f\x19\x19") == "one twotwo|");
  CHECK(typed("one two\x01\x1b"
              "d\x1b[1;5CX") == " twoX|");
  CHECK(typed("\x1b[D\x1b[C\x7f\x1b[3~\x0b\x15\x17") == "|");
}

TEST_CASE("line editor: a character is one, of however many bytes and columns", "[app]") {
  CHECK(typed("añ漢🙂\x7f") == "añ漢|");
  CHECK(typed("añ漢\x1b[D\x1b[DX") == "aX|ñ漢");
  // e and a combining accent are one to who looks at them.
  CHECK(typed("ae\xCC\x81\x7f") == "a|");
  CHECK(typed("ae\xCC\x81o\x01\x06\x06X") == "ae\xCC\x81X|o");
  CHECK(typed("a\xff\xC3(b") == "a(b|");
}

TEST_CASE("line editor: keys and characters that are cut anywhere are the same", "[app]") {
  const std::string keys = "añ漢\x1b[D\x1b[1;5DX\x1b[200~p\nq\x1b[201~\x1bOFz\x1b\x7f";
  for (std::size_t cut = 0; cut <= keys.size(); ++cut) {
    line_editor editor;
    editor.feed(std::string_view(keys).substr(0, cut));
    editor.feed(std::string_view(keys).substr(cut));
    CHECK(editor.text() + "|" == typed(keys));
  }
}

TEST_CASE("line editor: Enter ends a line, a paste and Alt-Enter do not", "[app]") {
  line_editor editor;
  editor.feed("one\rtwo\nthr");
  CHECK(lines(editor) == std::vector<std::string>{"one", "two"});
  CHECK(editor.text() == "thr");
  editor.feed("ee\r\x1b[200~a\r\nb\rc\td\x1b[31m\x03\x1b[201~\x1b\re\r");
  // What is pasted cannot be keys, nor commands to the terminal.
  CHECK(lines(editor) == std::vector<std::string>{"three", "a\nb\nc\td[31m\ne"});
  CHECK(editor.text().empty());
}

TEST_CASE("line editor: the arrow up brings back what was said, the arrow down what was being typed", "[app]") {
  line_editor editor;
  for (const auto* said : {"first", "second", "second", " \t"}) editor.remember(said);
  editor.feed("draft\x1b[A");
  CHECK(editor.text() == "second");
  editor.feed("\x1b[A\x1b[A\x10");
  CHECK(editor.text() == "first");
  editor.feed("\x1b[B\x0e\x1b[B");
  CHECK(editor.text() == "draft");
  // In a text of several lines they go from line to line first.
  editor.feed("\x15\x1b[200~abc\nde\x1b[201~\x1b[AX");
  CHECK(editor.text() == "abXc\nde");
  editor.feed("\x1b[A");
  CHECK(editor.text() == "second");
}

TEST_CASE("line editor: Ctrl-D ends an empty line only, Ctrl-L and Ctrl-Z are told once", "[app]") {
  line_editor editor;
  editor.feed("ab\x01\x04");
  CHECK(editor.text() == "b");
  CHECK_FALSE(editor.is_at_end());
  editor.feed("\x04\x04\x0c\x1a");
  CHECK(editor.is_at_end());
  CHECK(editor.take_clear_screen());
  CHECK_FALSE(editor.take_clear_screen());
  CHECK(editor.take_suspend());
  CHECK_FALSE(editor.take_suspend());
}

TEST_CASE("line editor: what is larger than a message is not taken", "[app]") {
  line_editor editor;
  editor.feed(std::string(1 << 20, 'x'));
  editor.feed("y");
  CHECK(editor.text().size() == std::size_t{1} << 20);
  editor.feed("\x1b[" + std::string(100, ';'));
  editor.feed("\x7f");
  CHECK(editor.text().size() == (std::size_t{1} << 20) - 1);
}

TEST_CASE("input area: it is where the line is, and gone without a trace", "[app]") {
  const auto to = of_width(20);
  const std::string text = "a text of some length\nand lines\n\nof which there are four";
  for (std::size_t column : {0U, 7U}) {
    for (std::size_t cursor = 0; cursor <= text.size(); ++cursor) {
      small_screen screen{20};
      screen.write("above\r\n" + std::string(column, '.'));
      const auto before = screen;
      input_area area;
      screen.write(area.draw({"you> ", style::plain, text, cursor}, to, 40, column));
      std::vector<std::string> shown(screen.rows.begin() + (column == 0 ? 1 : 2), screen.rows.end());
      CHECK(shown ==
            std::vector<std::string>{"you> a text of some", " length", "and lines", "", "of which there are ", "four"});
      // The character at the cursor is the one of the text, but at an end of a row.
      const auto& row = screen.rows[screen.row];
      if (screen.column < row.size()) CHECK(row[screen.column] == text[cursor]);
      screen.write(area.erase());
      CHECK(written(screen) == written(before));
      CHECK(std::pair(screen.row, screen.column) == std::pair(before.row, before.column));
      CHECK(area.erase().empty());
    }
  }
}

TEST_CASE("input area: of a text that is larger than the screen, what is around the cursor is shown", "[app]") {
  const auto to = of_width(40);
  std::string text;
  for (int i = 0; i < 100; ++i) text += "line " + std::to_string(i) + "\n";
  for (std::size_t cursor : {std::size_t{0}, text.find("line 50"), text.size()}) {
    small_screen screen{40};
    input_area area;
    screen.write(area.draw({"you> ", style::plain, text, cursor}, to, 20, 0));
    CHECK(screen.rows.size() == 10);
    auto at = cursor == text.size() ? std::string() : text.substr(cursor, text.find('\n', cursor) - cursor);
    CHECK(screen.rows[screen.row].ends_with(at));
    screen.write(area.erase());
    CHECK(screen.rows == std::vector<std::string>{""});
  }
}

TEST_CASE("chat view: an answer goes on where it was, whatever is typed below it meanwhile", "[app]") {
  auto to = of_width(20);
  to.is_output = true;
  chat_view view(to, false);
  auto delta = [&](const char* text) { view.show({{"type", "message.content_delta"}, {"text", text}}); };
  small_screen screen{20};
  screen.write(output_of([&] {
    delta("one");
    view.input({"you> ", style::plain, "so", 2}, false);
    delta(" two");
    view.input({"you> ", style::plain, "something", 9}, false);
    delta(" end\n");
    view.no_input();
  }));
  CHECK(screen.rows.front() == "agent> one two end");
}
