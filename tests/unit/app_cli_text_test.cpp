#include "app/cli/format.hpp"
#include "app/cli/help.hpp"
#include "app/cli/lifetime.hpp"
#include "app/cli/safe_text.hpp"
#include "app/cli/terminal.hpp"

#include <boost/json/parse.hpp>

#include <catch2/catch.hpp>

using namespace troupe::app;
namespace json = boost::json;

TEST_CASE("terminal text: control characters are shown, not obeyed", "[app]") {
  CHECK(safe_text("plain\n\ttext ñ 漢 🙂") == "plain\n\ttext ñ 漢 🙂");
  CHECK(safe_text("\x1b[31m") == "^[[31m");
  CHECK(safe_text("a\rb\a\x7f") == "ab^G^?");
  CHECK(safe_text(std::string_view("\0", 1)) == "^@");
  CHECK(safe_text("\xC2\x9B"
                  "2J") == "^[[2J");
  CHECK(safe_text("\xE2\x80\xAE"
                  "txt") == "<U+202E>txt");
  CHECK(safe_text("\xE2\x81\xA6") == "<U+2066>");
}

TEST_CASE("terminal text: what is no UTF-8 is replaced", "[app]") {
  for (std::string_view bad : {"\xff", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\x80"}) {
    auto text = safe_text(bad);
    CHECK(text.find("\xEF\xBF\xBD") == 0);
    for (char c : bad) CHECK((text.find(c) == std::string::npos || c == '\xBF' || c == '\xBD' || c == '\xEF'));
  }
  CHECK(safe_text("\xE6\xBC") == "\xEF\xBF\xBD");
}

TEST_CASE("terminal text: a stream that is cut anywhere is the same text", "[app]") {
  const std::string text = "ñ漢🙂\xC2\x9B\x1b[1m\xE2\x80\xAE.";
  const auto whole = safe_text(text);
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    text_filter filter;
    auto out = filter.filtered(std::string_view(text).substr(0, cut));
    out += filter.filtered(std::string_view(text).substr(cut));
    CHECK(out + filter.rest() == whole);
  }
}

TEST_CASE("terminal text: one line, cut to columns", "[app]") {
  CHECK(safe_line("a\nb\tc") == "a b c");
  CHECK(safe_line("abcdef", 4) == "abc…");
  CHECK(safe_line("abcd", 4) == "abcd");
  CHECK(safe_line(std::string(1000, 'x'), 10).size() == 9 + std::string_view("…").size());
}

TEST_CASE("terminal text: amounts as people read them", "[app]") {
  CHECK(money(0) == "$0");
  CHECK(money(0.00092) == "$0.000920");
  CHECK(money(12.5) == "$12.5000");
  CHECK(amount(0) == "0");
  CHECK(amount(999) == "999");
  CHECK(amount(1234567) == "1,234,567");
  CHECK(amount(-1234) == "-1,234");
  CHECK(duration(14) == "14 ms");
  CHECK(duration(2500) == "2.5 s");
  CHECK(short_time("2026-11-21T19:31:40.168Z") == "2026-11-21 19:31:40");
  CHECK(short_time("") == "");
  auto o = json::parse(R"({"a": 1, "b": 2.0E0, "c": "x", "d": null, "e": 1e300})").as_object();
  CHECK(integer_of(o, "a") == 1);
  CHECK(integer_of(o, "b") == 2);
  CHECK(integer_of(o, "c") == 0);
  CHECK(integer_of(o, "e") == 0);
  CHECK(text_of(o, "d").empty());
}

TEST_CASE("terminal text: tables are aligned, their cells harmless", "[app]") {
  table rows({"name", ">cost", "note"});
  rows.add({"ñu", "$1", "x\ny"});
  rows.add({"longer", "$100", "\x1b[2J"});
  CHECK(rows.str(terminal{}) == "name    cost  note\nñu        $1  x y\nlonger  $100  ^[[2J\n");
}

TEST_CASE("terminal text: a table that is wider than the terminal has a row in several lines", "[app]") {
  terminal to;
  to.is_output = true;
  to.width = 30;
  table rows({"id", "state", ">cost", "title"});
  rows.add({"0123456789abcdef", "active", "$1", "a title that is longer than the terminal is wide"});
  rows.add({"1", "", "$2", ""});
  CHECK(rows.str(to) == "0123456789abcdef\n  state active  cost $1\n  title a title that is longe…\n1\n  cost $2\n");
  to.width = 48;
  CHECK(rows.str(to) == "id                state   cost  title\n0123456789abcdef  active    $1  a title that is…\n1" +
                            std::string(27, ' ') + "$2  \n");
  to.is_output = false;
  CHECK(rows.str(to).find("longer than the terminal is wide\n") != std::string::npos);
}

TEST_CASE("help text: long lines go on below their text, words stay whole", "[app]") {
  CHECK(wrapped("short\n\nlines\n", 20) == "short\n\nlines\n");
  CHECK(wrapped("  --option TEXT               What it does in rather many words", 60) ==
        "  --option TEXT               What it does in rather many\n                              words");
  CHECK(wrapped("  troupe chat --agent guide   with an agent of that name", 40) ==
        "  troupe chat --agent guide\n      with an agent of that name");
  CHECK(wrapped("  one two three four", 12) == "  one two\n    three\n    four");
  CHECK(wrapped("averylongword and more", 5) == "averylongword\n  and\n  more");
  CHECK(wrapped("averylongword", 5) == "averylongword");
}

TEST_CASE("a length of time: a number and its unit", "[app]") {
  using namespace std::chrono_literals;
  CHECK(lifetime_from("90s") == 90s);
  CHECK(lifetime_from("30m") == 30min);
  CHECK(lifetime_from("8h") == 8h);
  CHECK(lifetime_from("7d") == 168h);
  for (auto bad : {"", "8", "h", "0h", "-1h", "8 h", "8hours", "99999999999999999999d"}) CHECK(!lifetime_from(bad));
}
